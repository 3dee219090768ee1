//! The only `unsafe` of the crate, SIMD kernels aside: thin safe wrappers over system calls.

#[cfg(target_os = "linux")]
pub mod affinity;
#[cfg(target_os = "linux")]
pub mod bell;
#[cfg(all(test, target_os = "linux"))]
pub mod children;
#[cfg(target_os = "linux")]
pub mod clock;
#[cfg(target_os = "linux")]
pub mod ending;
#[cfg(target_os = "linux")]
pub mod epoll;
pub mod fs;
#[cfg(target_os = "linux")]
pub mod futex;
#[cfg(all(feature = "binding", not(test)))]
pub mod javascript;
#[cfg(all(feature = "binding", not(test)))]
pub mod lent;
#[cfg(all(unix, feature = "binding", not(test)))]
pub mod library;
pub mod lmdb;
#[cfg(target_os = "linux")]
pub mod mapping;
#[cfg(target_os = "linux")]
pub mod message;
#[cfg(target_os = "linux")]
pub mod process;
#[cfg(target_os = "linux")]
pub mod progress;
#[cfg(target_os = "linux")]
pub mod robust;
pub mod simd;
#[cfg(target_os = "linux")]
pub mod socket;
pub mod thread;
#[cfg(target_os = "linux")]
pub mod uv;
#[cfg(target_os = "linux")]
pub mod words;
