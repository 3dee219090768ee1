//! The calling thread and its place in the scheduler.

use std::io;

/// Raises the calling thread's nice value by `by`, to 19 at most, so that event loops win the core.
///
/// On Linux a nice value belongs to a thread, not to its process (setpriority(2), "C library/kernel differences"), so
/// the rest of the process keeps its own. Elsewhere nothing is changed: there the call would lower the whole process.
///
/// # Errors
/// What setpriority(2) answers; raising the nice value needs no privilege.
pub fn lower_priority(by: i32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let nice = (priority() + by).min(19);
        // SAFETY: setpriority takes plain integers and touches no memory of ours; 0 names the calling thread.
        let status = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let _ = by;
    Ok(())
}

/// The nice value of the calling thread, 0 where it cannot be told.
pub fn priority() -> i32 {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: as above. -1 is both a value and the error; no error is possible for one's own thread.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }
    #[cfg(not(target_os = "linux"))]
    {
        0
    }
}
