//! What all processes of a cluster share in memory.

pub mod layout;
#[cfg(target_os = "linux")]
pub mod segment;
