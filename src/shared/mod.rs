//! What several parts, or several processes, share.

#[cfg(target_os = "linux")]
pub mod gate;
pub mod layout;
pub mod parallelism;
#[cfg(target_os = "linux")]
pub mod segment;
