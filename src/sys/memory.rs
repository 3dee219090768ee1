//! Memory that processes share: an anonymous file, and 32-bit atomics over its mapping.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// A mapping of zeroed words that every process which maps the same file sees. Never unmapped: what lives in it may be
/// in use by any thread until the process ends.
pub struct SharedWords {
    start: NonNull<AtomicU32>,
    count: usize,
}

// SAFETY: the mapping is never unmapped and is reached through atomics alone, so any thread may use it at any time.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

/// Makes an anonymous file of `bytes` zero bytes, closed on exec, whose memory is reserved: a shortage is an error here
/// and not a SIGBUS later.
///
/// # Errors
/// Those of memfd_create(2) and posix_fallocate(3).
pub fn anonymous_file(bytes: usize) -> io::Result<OwnedFd> {
    // SAFETY: the name is a NUL-terminated literal; the call takes nothing else from us.
    let fd = unsafe { libc::memfd_create(c"rustcluster".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: memfd_create has just given us this descriptor; nobody else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: a plain call on a descriptor we own.
    match unsafe { libc::posix_fallocate(fd.as_raw_fd(), 0, bytes as libc::off_t) } {
        0 => Ok(fd),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

impl SharedWords {
    /// Maps all of `file`.
    ///
    /// # Errors
    /// Those of fstat(2) and mmap(2); `InvalidData` for a file that is not whole words.
    pub fn map(file: impl AsFd) -> io::Result<Self> {
        let file = File::from(file.as_fd().try_clone_to_owned()?);
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if bytes == 0 || bytes % size_of::<AtomicU32>() != 0 {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlays no memory of ours; length and
        // descriptor are valid, as just asked.
        let start = unsafe { libc::mmap(null_mut(), bytes, protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self { start, count: bytes / size_of::<AtomicU32>() })
    }

    /// The words.
    pub fn words(&self) -> &[AtomicU32] {
        // SAFETY: `start` is page-aligned and spans `count` words that stay mapped for good; any bit pattern is an
        // AtomicU32, and all processes reach them through atomics alone. The files we map are never shrunk.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

/// Sleeps while `word` holds `seen`, until woken by [`wake_one`] or for `longest` (futex(2), FUTEX_WAIT).
pub fn wait(word: &AtomicU32, seen: u32, longest: Duration) {
    let timeout = libc::timespec { tv_sec: longest.as_secs() as libc::time_t, tv_nsec: longest.subsec_nanos().into() };
    // SAFETY: the kernel reads the word and the time, which outlive the call. Whatever it answers, the caller looks
    // at the word again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, &raw const timeout) };
}

/// Wakes one sleeper on `word`, in whichever process (futex(2), FUTEX_WAKE).
pub fn wake_one(word: &AtomicU32) {
    // SAFETY: the kernel uses the word's address alone.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}

/// Whether a process with this id exists. One that may not be signalled does.
pub fn is_alive(pid: u32) -> bool {
    // SAFETY: signal 0 is never delivered: the call only asks.
    let status = unsafe { libc::kill(pid as libc::pid_t, 0) };
    status == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}
