//! The only `unsafe` of the crate, SIMD kernels aside: thin safe wrappers over system calls.

#[cfg(target_os = "linux")]
pub mod affinity;
pub mod fs;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod simd;
pub mod thread;
