//! What the supervisor asks of the operating system.

use napi_derive::napi;

/// How many processes can run at once.
#[napi(catch_unwind)]
pub fn available_parallelism() -> u32 {
    crate::supervise::available_parallelism() as u32
}
