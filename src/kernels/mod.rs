//! The kernels: flip, hash (gzip to come). They know nothing of napi: slices in, bytes out.

pub mod control;
pub mod flip;
pub mod hash;
pub mod pool;
