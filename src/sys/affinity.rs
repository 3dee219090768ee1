//! The set of processors the scheduler may put this process on.

use std::io;
use std::mem::size_of_val;

/// How many processors the affinity mask of the calling thread holds, at least 1.
///
/// # Errors
/// What `sched_getaffinity` reports, but for a mask that is too small: that one is enlarged until it fits.
pub fn processors() -> io::Result<usize> {
    // The kernel's mask may be larger than glibc's fixed cpu_set_t (1,024 processors); it answers EINVAL then.
    let mut mask = vec![0_u64; 16];
    loop {
        // SAFETY: the pointer is to `size_of_val(mask)` writable bytes of u64, aligned for the unsigned longs the
        // kernel writes; it writes no more than the size it is given and keeps no pointer.
        let rc = unsafe { libc::sched_getaffinity(0, size_of_val(&mask[..]), mask.as_mut_ptr().cast()) };
        if rc == 0 {
            return Ok(mask.iter().map(|word| word.count_ones() as usize).sum::<usize>().max(1));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) || mask.len() >= 1 << 14 {
            return Err(error);
        }
        mask.resize(mask.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_std_where_no_quota_is_lower() {
        let ours = super::processors().unwrap();
        assert!(ours >= std::thread::available_parallelism().unwrap().get());
    }
}
