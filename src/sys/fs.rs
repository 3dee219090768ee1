//! Calls about open files that the standard library does not wrap.

#[cfg(unix)]
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::path::Path;
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

/// Opens a file for writing that has no name in `folder` yet: should the process be killed, nothing is left of it.
///
/// # Errors
/// Any where that cannot be had: the file system has no such files (O_TMPFILE), `/proc`, which [`name`] needs, is not
/// there, or no file can be made in `folder` at all.
#[cfg(target_os = "linux")]
pub fn open_nameless(folder: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = File::options().write(true).custom_flags(libc::O_TMPFILE).open(folder)?;
    std::fs::symlink_metadata(by_descriptor(&file))?;
    Ok(file)
}

/// Gives a file of [`open_nameless`] its name.
///
/// # Errors
/// Those of linkat(2), `AlreadyExists` among them.
#[cfg(target_os = "linux")]
pub fn name(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let old = CString::new(by_descriptor(file))?;
    let new = CString::new(path.as_os_str().as_bytes())?;
    let (here, flags) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
    // SAFETY: both paths are live C strings for as long as the call takes, and it writes no memory of ours.
    match unsafe { libc::linkat(here, old.as_ptr(), here, new.as_ptr(), flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(target_os = "linux")]
fn by_descriptor(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Bytes that an unprivileged process may still write to the file system of `path`, `None` where it cannot be told.
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let path = CString::new(path.as_os_str().as_bytes()).ok()?;
        let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: `path` is a live C string, and `stat` is live for the call to fill.
        if unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: the call has succeeded, so it has filled the structure.
        let stat = unsafe { stat.assume_init() };
        // The fields are narrower on some platforms.
        #[allow(clippy::unnecessary_cast)]
        Some(stat.f_bavail as u64 * stat.f_frsize as u64)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Makes `file` at least `bytes` long, with its space reserved, so that a full file system is an error here and not a
/// SIGBUS when the file is written through a mapping.
///
/// # Errors
/// ENOSPC and what else posix_fallocate(3) answers.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let length = libc::off_t::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: the descriptor is open while `file` is borrowed; the call takes plain integers.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) } {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Written out: a hole would be filled only when it is touched.
        use std::io::{Seek, SeekFrom, Write};
        let (mut file, mut left) = (file, bytes.saturating_sub(file.metadata()?.len()));
        file.seek(SeekFrom::End(0))?;
        while left > 0 {
            let part = left.min(64 * 1024);
            file.write_all(&vec![0; part as usize])?;
            left -= part;
        }
        Ok(())
    }
}
