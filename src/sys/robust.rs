//! Robust mutexes in shared memory: the next to lock one is told when its owner has died with it
//! (pthread_mutexattr_setrobust(3)).
//!
//! The C library and the kernel keep a list of a thread's held mutexes through the mutexes themselves: the memory must
//! stay mapped while one is held. Whoever locks must therefore hold on to the mapping until it has unlocked.

use super::mapping::Mapping;
use std::time::Duration;

/// Room for one in a layout, on every platform.
pub const BYTES: usize = 64;

const _: () = assert!(size_of::<libc::pthread_mutex_t>() <= BYTES && align_of::<libc::pthread_mutex_t>() <= 16);

/// What an attempt to lock came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It is ours.
    Taken,
    /// It is ours; its last owner died while it held it.
    Inherited,
    /// Somebody else has it.
    Busy,
}

/// How often a busy mutex is tried again before the kernel is asked to wait.
const SPINS: u32 = 40;

/// Makes a mutex at `offset`, once, before anybody else can see the memory.
pub fn initialise(mapping: &Mapping, offset: usize) {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: live memory for the call to fill; it cannot fail.
    unsafe { libc::pthread_mutexattr_init(attributes) };
    // SAFETY: initialised above; the value is one the call knows.
    unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
    // SAFETY: as above.
    unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) };
    // SAFETY: `at` is aligned and has room; nobody uses it yet.
    unsafe { libc::pthread_mutex_init(at(mapping, offset), attributes) };
    // SAFETY: initialised above and not used again.
    unsafe { libc::pthread_mutexattr_destroy(attributes) };
}

/// Locks without waiting.
pub fn try_lock(mapping: &Mapping, offset: usize) -> Lock {
    let mutex = at(mapping, offset);
    // SAFETY: a mutex that `initialise` has made, in memory that the caller keeps mapped.
    settle(mutex, unsafe { libc::pthread_mutex_trylock(mutex) })
}

/// Locks, waiting for at most `patience`.
pub fn lock_within(mapping: &Mapping, offset: usize, patience: Duration) -> Lock {
    for _ in 0..SPINS {
        match try_lock(mapping, offset) {
            Lock::Busy => std::hint::spin_loop(),
            ours => return ours,
        }
    }
    let mutex = at(mapping, offset);
    let deadline = after(patience);
    // SAFETY: as in `try_lock`; the time is live for the length of the call.
    settle(mutex, unsafe { libc::pthread_mutex_timedlock(mutex, &raw const deadline) })
}

/// Unlocks what this thread has locked; anything else is left alone.
pub fn unlock(mapping: &Mapping, offset: usize) {
    // SAFETY: as in `try_lock`. A robust mutex of another thread is refused with EPERM.
    unsafe { libc::pthread_mutex_unlock(at(mapping, offset)) };
}

fn settle(mutex: *mut libc::pthread_mutex_t, answer: libc::c_int) -> Lock {
    match answer {
        0 => Lock::Taken,
        libc::EOWNERDEAD => {
            // SAFETY: this thread has just been given the mutex, which its owner left behind.
            unsafe { libc::pthread_mutex_consistent(mutex) };
            Lock::Inherited
        }
        _ => Lock::Busy,
    }
}

fn at(mapping: &Mapping, offset: usize) -> *mut libc::pthread_mutex_t {
    mapping.place(offset, BYTES).cast()
}

/// `patience` from now, on the clock that pthread_mutex_timedlock(3) uses.
fn after(patience: Duration) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: live memory for the call to fill; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    let nanos = now.tv_nsec as u64 + u64::from(patience.subsec_nanos());
    now.tv_sec += patience.as_secs() as libc::time_t + (nanos / 1_000_000_000) as libc::time_t;
    now.tv_nsec = (nanos % 1_000_000_000) as libc::c_long;
    now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mapping::create_file;
    use std::sync::Arc;

    #[test]
    fn the_mutex_of_a_dead_owner_is_inherited() {
        let file = create_file(c"rustcluster-test", 4096).unwrap();
        let (one, two) = (Mapping::new(&file, 4096).unwrap(), Arc::new(Mapping::new(&file, 4096).unwrap()));
        initialise(&one, 64);
        assert_eq!(try_lock(&one, 64), Lock::Taken);
        let theirs = Arc::clone(&two);
        let waiter = std::thread::spawn(move || {
            let first = lock_within(&theirs, 64, Duration::from_millis(1));
            // This thread ends without unlocking.
            (first, lock_within(&theirs, 64, Duration::from_secs(60)))
        });
        std::thread::sleep(Duration::from_millis(20));
        unlock(&one, 64);
        assert_eq!(waiter.join().unwrap(), (Lock::Busy, Lock::Taken));
        assert_eq!(lock_within(&one, 64, Duration::from_secs(60)), Lock::Inherited);
        unlock(&one, 64);
        assert_eq!(try_lock(&one, 64), Lock::Taken);
        unlock(&one, 64);
    }
}
