//! What the supervisor needs of the operating system.

pub mod parallelism;

pub use parallelism::available_parallelism;
