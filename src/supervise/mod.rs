//! What the supervisor needs of the operating system.

/// How many processes can run at once.
pub fn available_parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
