//! What the supervisor needs of the operating system.

pub use crate::shared::parallelism::available_parallelism;
