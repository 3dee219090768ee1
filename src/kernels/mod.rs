//! The kernels: flip, hash, gzip. They know nothing of napi: slices in, bytes out.

pub mod control;
pub mod flip;
pub mod gzip;
pub mod hash;
pub mod pool;
pub mod replacement;
