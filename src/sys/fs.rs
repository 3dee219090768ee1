//! Calls about open files that the standard library does not wrap.

use std::fs::File;
use std::io;
use std::time::Duration;

/// Tells the kernel that `file` will be read once, from front to back, so that it reads further ahead.
///
/// A hint: a kernel or file system that does not take it changes nothing, so nothing is reported.
pub fn advise_sequential(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open for as long as `file` is borrowed, and the call touches no memory of ours.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_SEQUENTIAL) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Waits until a read of `file` would not block, for at most `timeout` (rounded down to milliseconds).
///
/// Returns whether a read can go ahead, which is also true at the end of the file.
///
/// # Errors
/// The error of `poll`; an interrupted wait counts as a wait that ran out.
pub fn wait_readable(file: &File, timeout: Duration) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;
        let mut entry = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let millis = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
        // SAFETY: `entry` is one live pollfd, as the count says, and its descriptor is open while `file` is borrowed.
        match unsafe { libc::poll(&raw mut entry, 1, millis) } {
            -1 => match io::Error::last_os_error() {
                interrupted if interrupted.kind() == io::ErrorKind::Interrupted => Ok(false),
                failed => Err(failed),
            },
            ready => Ok(ready > 0),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, timeout);
        Ok(true)
    }
}
