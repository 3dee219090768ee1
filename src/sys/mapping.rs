//! Memory that several processes map: an anonymous file of fixed size, read and written through atomics only.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// A file in memory that cannot change its size, so that no process can take pages from under another.
///
/// # Errors
/// What memfd_create(2), ftruncate(2) and fcntl(2) answer: EMFILE, ENFILE, ENOMEM.
pub fn create_file(name: &std::ffi::CStr, bytes: usize) -> io::Result<OwnedFd> {
    // SAFETY: `name` is a live C string.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has just made `fd` and nothing else knows it.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let length = libc::off_t::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: `file` is open; the call takes plain integers.
    if unsafe { libc::ftruncate(file.as_raw_fd(), length) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: as above.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// Gives the first `bytes` of a file their memory now, so that a shortage is an error here and not a SIGBUS later.
///
/// # Errors
/// What posix_fallocate(3) answers: ENOSPC, ENOMEM.
pub fn reserve(file: impl AsFd, bytes: usize) -> io::Result<()> {
    let length = libc::off_t::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    loop {
        // SAFETY: the descriptor is open while borrowed; the call takes plain integers.
        match unsafe { libc::posix_fallocate(file.as_fd().as_raw_fd(), 0, length) } {
            0 => return Ok(()),
            libc::EINTR => {}
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// The size of an open file in bytes.
///
/// # Errors
/// What fstat(2) answers.
pub fn file_size(file: BorrowedFd<'_>) -> io::Result<u64> {
    let file = std::fs::File::from(file.try_clone_to_owned()?);
    Ok(file.metadata()?.len())
}

/// A shared mapping of a whole file. Other processes write it at any time, hence atomics and nothing else.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to no thread, and its contents are reached only through atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of `file`, which must be at least that long and never shrink.
    ///
    /// # Errors
    /// What mmap(2) answers; `InvalidInput` when the file is shorter.
    pub fn new(file: impl AsFd, bytes: usize) -> io::Result<Self> {
        let file = file.as_fd();
        if file_size(file)? < bytes as u64 || bytes == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel picks the place, so no memory of ours is replaced.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Self { base, bytes })
    }

    /// Maps all of `file`, which must never shrink.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn whole(file: impl AsFd) -> io::Result<Self> {
        let bytes = usize::try_from(file_size(file.as_fd())?).map_err(|_| io::ErrorKind::InvalidInput)?;
        Self::new(file, bytes)
    }

    /// All of it, 32 bits each; up to three bytes at the end are left out.
    pub fn halves(&self) -> &[AtomicU32] {
        let count = self.bytes / size_of::<AtomicU32>();
        // SAFETY: page-aligned, and `count` words lie inside the mapping, which lives as long as `self`; every bit pattern
        // is a value, and all processes reach them through atomics alone.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().cast(), count) }
    }

    /// The 32 bits at `offset`.
    ///
    /// # Panics
    /// When they are not aligned or not inside the mapping: a mistake in the layout, not in any input.
    pub fn u32_at(&self, offset: usize) -> &AtomicU32 {
        self.check(offset, size_of::<AtomicU32>());
        // SAFETY: inside the mapping by the check above.
        let place = unsafe { self.base.add(offset) };
        // SAFETY: aligned and inside the mapping, which lives as long as `self`; every bit pattern is a value.
        unsafe { AtomicU32::from_ptr(place.as_ptr().cast()) }
    }

    /// The 64 bits at `offset`.
    ///
    /// # Panics
    /// As [`u32_at`](Self::u32_at).
    pub fn u64_at(&self, offset: usize) -> &AtomicU64 {
        self.check(offset, size_of::<AtomicU64>());
        // SAFETY: inside the mapping by the check above.
        let place = unsafe { self.base.add(offset) };
        // SAFETY: aligned and inside the mapping, which lives as long as `self`; every bit pattern is a value.
        unsafe { AtomicU64::from_ptr(place.as_ptr().cast()) }
    }

    /// `count` times 64 bits, from `offset` on.
    ///
    /// # Panics
    /// As [`u32_at`](Self::u32_at).
    pub fn words(&self, offset: usize, count: usize) -> &[AtomicU64] {
        let inside = count.checked_mul(size_of::<AtomicU64>()).and_then(|size| size.checked_add(offset));
        assert!(offset.is_multiple_of(size_of::<AtomicU64>()) && inside.is_some_and(|end| end <= self.bytes));
        // SAFETY: inside the mapping by the check above.
        let place = unsafe { self.base.add(offset) };
        // SAFETY: aligned, and `count` words from there lie inside the mapping, which lives as long as `self`; every bit
        // pattern is a value, and all processes reach them through atomics alone.
        unsafe { std::slice::from_raw_parts(place.as_ptr().cast(), count) }
    }

    /// The address of `size` bytes at `offset`, a multiple of 16: for what the C library keeps in shared memory.
    ///
    /// # Panics
    /// As [`u32_at`](Self::u32_at).
    pub(super) fn place(&self, offset: usize, size: usize) -> *mut u8 {
        assert!(offset.is_multiple_of(16) && offset.checked_add(size).is_some_and(|end| end <= self.bytes));
        // SAFETY: inside the mapping by the check above.
        unsafe { self.base.add(offset) }.as_ptr()
    }

    fn check(&self, offset: usize, size: usize) {
        assert!(offset.is_multiple_of(size) && offset.checked_add(size).is_some_and(|end| end <= self.bytes));
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and whole, and no reference into it outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn two_mappings_see_the_same_words() {
        let file = create_file(c"rustcluster-test", 8192).unwrap();
        let (one, two) = (Mapping::new(&file, 8192).unwrap(), Mapping::new(&file, 8192).unwrap());
        one.u64_at(4096).store(42, Ordering::Relaxed);
        assert_eq!(two.u64_at(4096).load(Ordering::Relaxed), 42);
        two.u32_at(8188).store(7, Ordering::Relaxed);
        assert_eq!(one.u32_at(8188).load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_whole_mapping_is_as_long_as_its_file() {
        let file = create_file(c"rustcluster-test", 4100).unwrap();
        let (whole, part) = (Mapping::whole(&file).unwrap(), Mapping::new(&file, 4096).unwrap());
        assert_eq!((whole.halves().len(), part.halves().len()), (1025, 1024));
        part.u32_at(4092).store(3, Ordering::Relaxed);
        assert_eq!(whole.halves()[1023].load(Ordering::Relaxed), 3);
        assert!(Mapping::whole(std::fs::File::open("/dev/null").unwrap()).is_err());
    }

    #[test]
    fn a_file_that_is_too_short_is_refused() {
        let file = create_file(c"rustcluster-test", 4096).unwrap();
        assert!(Mapping::new(&file, 8192).is_err());
        let file = std::fs::File::from(file);
        assert!(file.set_len(0).is_err(), "the size is sealed");
    }
}
