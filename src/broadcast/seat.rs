//! A JavaScript environment's place in the ring: where it has read to, and whether it lives.

use super::layout::{self, SEATS};
use super::ring::{Guard, Ring};
use crate::sys::robust::{self, Lock};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// `max_lag` of a reader that is waited for without end.
pub const FOR_EVER: u32 = u32::MAX;

/// A seat and the mutex that says its environment lives. It belongs to the thread that took it.
#[derive(Debug)]
pub struct Seat {
    ring: Arc<Ring>,
    index: usize,
    env: u32,
    /// A robust mutex is its thread's: another could not unlock it.
    _thread: std::marker::PhantomData<*const ()>,
}

impl Seat {
    /// Takes a free seat, or that of an environment that died.
    ///
    /// # Errors
    /// `WouldBlock` when the lock could not be had within `patience`, `QuotaExceeded` when all seats are taken.
    pub fn take(ring: &Arc<Ring>, patience: Duration) -> io::Result<Self> {
        let guard = ring.lock(patience).ok_or(io::ErrorKind::WouldBlock)?;
        let index = find(&guard, ring).ok_or(io::ErrorKind::QuotaExceeded)?;
        let last = ring.u32(layout::LAST_ENV);
        let env = last.load(Ordering::Relaxed).wrapping_add(1).max(1);
        last.store(env, Ordering::Relaxed);
        let seat = Self { ring: Arc::clone(ring), index, env, _thread: std::marker::PhantomData };
        seat.u64(layout::FULL_SINCE).store(0, Ordering::Relaxed);
        seat.u32(layout::ENV).store(env, Ordering::Relaxed);
        seat.u32(layout::MAX_LAG).store(FOR_EVER, Ordering::Relaxed);
        seat.u32(layout::STATE).store(layout::SENDS, Ordering::Release);
        drop(guard);
        Ok(seat)
    }

    /// Its environment's number: no two that ever took part have the same, short of 2^32 of them.
    pub fn env(&self) -> u32 {
        self.env
    }

    /// From the head on what comes is kept for this reader. Answers the head.
    pub(super) fn listen(&self, _guard: &Guard<'_>) -> u64 {
        let head = self.ring.head();
        self.u64(layout::TAIL).store(head, Ordering::Release);
        self.u64(layout::FULL_SINCE).store(0, Ordering::Relaxed);
        self.u32(layout::STATE).store(layout::READS, Ordering::Release);
        head
    }

    /// Nothing is kept for it any more.
    pub(super) fn stop_listening(&self) {
        self.u32(layout::STATE).store(layout::SENDS, Ordering::Release);
    }

    /// How long the ring may be full on its account, in milliseconds.
    pub fn set_max_lag(&self, milliseconds: u32) {
        self.u32(layout::MAX_LAG).store(milliseconds, Ordering::Relaxed);
    }

    /// Whether it has lagged too long.
    pub(super) fn is_demoted(&self) -> bool {
        self.u32(layout::STATE).load(Ordering::Acquire) == layout::DEMOTED
    }

    /// It has read all before `tail`.
    pub(super) fn advance(&self, tail: u64) {
        self.u64(layout::TAIL).store(tail, Ordering::Release);
        let full_since = self.u64(layout::FULL_SINCE);
        if full_since.load(Ordering::Relaxed) != 0 {
            full_since.store(0, Ordering::Relaxed);
        }
    }

    /// What is at `tail` and after is kept for it again. Only under the lock can it be certain that it is still there.
    pub(super) fn promote(&self, _guard: &Guard<'_>, tail: u64) {
        self.advance(tail);
        self.u32(layout::STATE).store(layout::READS, Ordering::Release);
    }

    fn u32(&self, field: usize) -> &AtomicU32 {
        self.ring.u32(layout::seat(self.index, field))
    }

    fn u64(&self, field: usize) -> &AtomicU64 {
        self.ring.u64(layout::seat(self.index, field))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.u32(layout::STATE).store(layout::FREE, Ordering::Release);
        robust::unlock(self.ring.mapping(), layout::seat(self.index, layout::LIFE));
        // A sender may have waited for us alone.
        if self.ring.u64(layout::WANTED).load(Ordering::SeqCst) != 0 {
            self.ring.wake_all();
        }
    }
}

/// A seat whose life we now hold.
fn find(_guard: &Guard<'_>, ring: &Ring) -> Option<usize> {
    let used = ring.u32(layout::SEATS_USED);
    let take = |index: &usize| robust::try_lock(ring.mapping(), layout::seat(*index, layout::LIFE)) != Lock::Busy;
    let index = (0..SEATS).find(take)?;
    used.fetch_max(index as u32 + 1, Ordering::Relaxed);
    Some(index)
}

/// Seats that may be taken.
pub(super) fn used(ring: &Ring) -> usize {
    (ring.u32(layout::SEATS_USED).load(Ordering::Relaxed) as usize).min(SEATS)
}

/// Whether the environment of seat `index` is gone: then nobody holds its life.
pub(super) fn is_dead(ring: &Ring, index: usize) -> bool {
    let life = layout::seat(index, layout::LIFE);
    let dead = robust::try_lock(ring.mapping(), life) != Lock::Busy;
    if dead {
        robust::unlock(ring.mapping(), life);
    }
    dead
}

/// Whether the environment with this number takes part.
pub(super) fn lives(ring: &Ring, env: u32) -> bool {
    let of = |index: &usize| ring.u32(layout::seat(*index, layout::ENV)).load(Ordering::Relaxed) == env;
    (0..used(ring)).filter(of).any(|index| !is_dead(ring, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seat_of_a_dead_thread_is_taken_again() {
        let ring = Arc::new(Ring::create(layout::SMALLEST).unwrap());
        let first = Seat::take(&ring, Duration::ZERO).unwrap();
        let theirs = Arc::clone(&ring);
        let env = std::thread::spawn(move || {
            let seat = Seat::take(&theirs, Duration::from_secs(10)).unwrap();
            let env = seat.env();
            // As if killed: its life is never unlocked.
            std::mem::forget(seat);
            env
        });
        let env = env.join().unwrap();
        assert!(lives(&ring, first.env()) && !lives(&ring, env));
        let third = Seat::take(&ring, Duration::ZERO).unwrap();
        assert_eq!(third.index, 1);
        assert!(third.env() > env);
        drop(first);
        assert_eq!(Seat::take(&ring, Duration::ZERO).unwrap().index, 0);
    }
}
