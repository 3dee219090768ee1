//! The kernels for x86-64. Each is offered only where the CPU has its instructions.

pub(in crate::kernels::hash) mod avx2;
pub(in crate::kernels::hash) mod avx512;
pub(in crate::kernels::hash) mod avx512vl;
mod eight;
mod interleaved;
mod rounds;
mod scalar;
pub(in crate::kernels::hash) mod sha_ni;
