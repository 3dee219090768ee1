//! kernels.stats() and kernels.configure().

use crate::kernels::pool::global;
use napi_derive::napi;

/// What the kernel pool of this process is doing; counters run since the process started.
#[napi(object)]
pub struct KernelStats {
    /// Jobs that may run at once.
    pub threads: u32,
    /// Jobs that may wait before `ERR_QUEUE_FULL`.
    pub max_queue: u32,
    /// Jobs waiting now.
    pub queued: u32,
    /// Jobs running now.
    pub running: u32,
    /// Jobs that gave a result.
    pub completed: f64,
    /// Jobs that gave an error.
    pub failed: f64,
    /// Jobs aborted, waiting or running.
    pub aborted: f64,
}

/// Reads the counters.
#[napi(catch_unwind)]
pub fn kernel_stats() -> KernelStats {
    let stats = global().stats();
    KernelStats {
        threads: stats.threads as u32,
        max_queue: stats.max_queue as u32,
        queued: stats.queued as u32,
        running: stats.running as u32,
        completed: stats.completed as f64,
        failed: stats.failed as f64,
        aborted: stats.aborted as f64,
    }
}

/// Sets the limits that are given.
#[napi(catch_unwind)]
pub fn configure_kernels(threads: Option<u32>, max_queue: Option<u32>) {
    global().configure(threads.map(|threads| threads as usize), max_queue.map(|max_queue| max_queue as usize));
}
