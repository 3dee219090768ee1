//! What the supervisor needs of the operating system, and the thread that watches the workers' event loops.

#[cfg(target_os = "linux")]
pub mod stall;
#[cfg(target_os = "linux")]
pub mod watchdog;

pub use crate::shared::parallelism::available_parallelism;
