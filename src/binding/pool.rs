//! kernels.stats() and kernels.configure().

use super::failure::Failure;
use crate::error::Error;
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

/// Makes the gate that all kernels of a cluster pass, joins it, and returns the path by which workers join. Null where
/// the platform has no such memory: kernels are then limited per process alone.
#[napi(catch_unwind)]
pub fn create_kernel_gate(slots: u32) -> napi::Result<Option<String>> {
    #[cfg(target_os = "linux")]
    {
        use crate::shared::gate::Gate;
        use std::os::fd::IntoRawFd;
        let (gate, file) = Gate::create(slots as usize)?;
        global().join(gate);
        // Open for as long as this process lives: workers that start later open it through /proc.
        Ok(Some(format!("/proc/{}/fd/{}", std::process::id(), file.into_raw_fd())))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = slots;
        Ok(None)
    }
}

/// Joins the gate at `path`. A failure is for the caller to ignore: without the gate kernels still run.
#[napi(catch_unwind)]
pub fn join_kernel_gate(path: String) -> Option<Failure> {
    #[cfg(target_os = "linux")]
    {
        use crate::shared::gate::Gate;
        use std::path::Path;
        match Gate::open(Path::new(&path)) {
            Ok(gate) => global().join(gate),
            Err(error) => return Some(Error::io("open", Path::new(&path), error).into()),
        }
    }
    let _ = path;
    None
}
