//! Sleeping on a word of memory that processes share.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

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
