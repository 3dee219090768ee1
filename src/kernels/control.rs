//! What a running kernel and the one who asked for it say to each other.

use crate::error::{Error, Result};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Knows whether a core has nothing to do.
pub trait Cores: Send + Sync {
    /// A core that is free now, for as long as the answer is kept. Never waits.
    fn spare(&self) -> Option<Box<dyn Spare + '_>>;
}

/// A core that was free; dropped, it is again.
pub trait Spare {}

/// Shared between a job's caller and the thread that runs it: abort one way, progress the other.
#[derive(Default)]
pub struct Control {
    aborted: AtomicBool,
    done: AtomicU64,
    /// Input bytes there will be, plus one: 0 says that nobody knows.
    total: AtomicU64,
    cores: Option<Arc<dyn Cores>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aborted, done, total, cores: _ } = self;
        to.debug_struct("Control").field("aborted", aborted).field("done", done).field("total", total).finish()
    }
}

impl Control {
    /// A control nobody has aborted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a kernel that may take a second thread when `cores` has a core to spare. Without, it takes none.
    pub fn with_cores(cores: Arc<dyn Cores>) -> Self {
        Self { cores: Some(cores), ..Self::default() }
    }

    /// A core for a second thread of this job, kept until the answer is dropped; none when there is none free.
    pub fn spare_core(&self) -> Option<Box<dyn Spare + '_>> {
        self.cores.as_deref()?.spare()
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
