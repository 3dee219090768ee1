//! The only `unsafe` of the crate, SIMD kernels aside: thin safe wrappers over system calls.

pub mod simd;
