//! What the supervisor asks of the operating system.

use napi_derive::napi;

/// How many processes can run at once.
#[napi(catch_unwind)]
pub fn available_parallelism() -> u32 {
    crate::supervise::available_parallelism() as u32
}

/// Has the kernel kill this process when `parent`, which started it, ends; false when `parent` is gone already.
#[cfg(target_os = "linux")]
#[napi(catch_unwind)]
pub fn die_with_parent(parent: u32) -> napi::Result<bool> {
    crate::sys::process::die_with(parent).map_err(|error| napi::Error::from_reason(error.to_string()))
}

/// Takes children that have ended out of the process table, but for `known` ones, which somebody waits for; true when
/// it stopped at such a one, so that others may be left.
#[cfg(target_os = "linux")]
#[napi(catch_unwind)]
pub fn reap_orphans(known: Vec<u32>) -> bool {
    crate::sys::process::reap(&known)
}
