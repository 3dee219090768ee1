//! The clock all processes of a machine agree on.

/// Nanoseconds of `CLOCK_MONOTONIC`: the same line of time in the primary and in every worker.
pub fn monotonic_nanos() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a live timespec for the call to fill; this clock exists on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_runs_forwards() {
        let first = super::monotonic_nanos();
        assert!(first > 0);
        assert!(super::monotonic_nanos() >= first);
    }
}
