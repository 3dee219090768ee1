//! What a running kernel and the one who asked for it say to each other.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between a job's caller and the thread that runs it: abort one way, progress the other.
#[derive(Debug, Default)]
pub struct Control {
    aborted: AtomicBool,
    done: AtomicU64,
    /// Input bytes there will be, plus one: 0 says that nobody knows.
    total: AtomicU64,
}

impl Control {
    /// A control nobody has aborted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the job to stop at its next row or chunk.
    pub fn abort(&self) {
        // Relaxed: the flag publishes nothing but itself.
        self.aborted.store(true, Ordering::Relaxed);
    }

    /// Whether [`abort`](Self::abort) was called.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Relaxed)
    }

    /// Kernels call this at every row or chunk.
    ///
    /// # Errors
    /// [`Error::Aborted`] once the job was aborted.
    pub fn check(&self) -> Result<()> {
        if self.is_aborted() { Err(Error::Aborted) } else { Ok(()) }
    }

    /// Adds to the count of input bytes dealt with.
    pub fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Input bytes dealt with so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Says how many input bytes there will be.
    pub fn expect(&self, total: u64) {
        self.total.store(total.saturating_add(1), Ordering::Relaxed);
    }

    /// The input bytes there will be, once somebody has said so.
    pub fn total(&self) -> Option<u64> {
        self.total.load(Ordering::Relaxed).checked_sub(1)
    }
}
