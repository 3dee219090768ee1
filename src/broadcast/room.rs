//! Space in the ring: what all readers have read is free; who holds it up for too long is demoted, who is dead is
//! dismissed.

use super::layout;
use super::ring::{Guard, Ring};
use super::seat::{FOR_EVER, is_dead, used};
use crate::sys::clock::monotonic_nanos;
use std::sync::atomic::{Ordering, fence};

/// Makes room for `need` bytes at the head, if there can be.
///
/// The new floor is stored before anything is overwritten, with a fence between: a reader that copies without protection
/// looks at the floor after it has copied.
pub fn make(guard: &Guard<'_>, ring: &Ring, need: u64) -> bool {
    let (head, size) = (ring.head(), ring.size());
    if need > size {
        return false;
    }
    // A floor beyond the head would be another process's mistake: no room can be counted on then.
    let used_bytes = head.saturating_sub(ring.floor());
    if used_bytes + need <= size {
        return true;
    }
    let wanted = head + need - size;
    if slowest(ring) < wanted && !dismiss(guard, ring, wanted) {
        return false;
    }
    ring.u64(layout::FLOOR).store(slowest(ring).max(ring.floor()), Ordering::Relaxed);
    fence(Ordering::SeqCst);
    true
}

/// Where the slowest reader is that things are kept for; the head without any.
fn slowest(ring: &Ring) -> u64 {
    let (head, floor) = (ring.head(), ring.floor());
    let tails = readers(ring).map(|index| ring.u64(layout::seat(index, layout::TAIL)).load(Ordering::Acquire));
    // A tail that cannot be is another process's mistake, and must not let anything be overwritten.
    tails.map(|tail| if tail > head { floor } else { tail.max(floor) }).min().unwrap_or(head)
}

fn readers(ring: &Ring) -> impl Iterator<Item = usize> {
    let reads = |index: &usize| ring.u32(layout::seat(*index, layout::STATE)).load(Ordering::Acquire) == layout::READS;
    (0..used(ring)).filter(reads)
}

/// Lets go of readers behind `wanted` that are dead or have had their time. Answers whether none is left.
fn dismiss(_guard: &Guard<'_>, ring: &Ring, wanted: u64) -> bool {
    let now = monotonic_nanos();
    let mut free = true;
    for index in readers(ring) {
        if ring.u64(layout::seat(index, layout::TAIL)).load(Ordering::Acquire) >= wanted {
            continue;
        }
        let state = ring.u32(layout::seat(index, layout::STATE));
        if is_dead(ring, index) {
            state.store(layout::FREE, Ordering::Release);
        } else if has_had_its_time(ring, index, now) {
            state.store(layout::DEMOTED, Ordering::Release);
        } else {
            free = false;
        }
    }
    free
}

fn has_had_its_time(ring: &Ring, index: usize, now: u64) -> bool {
    let max_lag = ring.u32(layout::seat(index, layout::MAX_LAG)).load(Ordering::Relaxed);
    let full_since = ring.u64(layout::seat(index, layout::FULL_SINCE));
    let since = full_since.load(Ordering::Relaxed);
    match max_lag {
        0 => true,
        FOR_EVER => false,
        _ if since == 0 => {
            full_since.store(now, Ordering::Relaxed);
            false
        }
        milliseconds => now.saturating_sub(since) >= u64::from(milliseconds) * 1_000_000,
    }
}

/// A sender waits until what is in the way of `need` bytes has been read, and a little more, so that it is not woken for
/// every record.
pub fn want(ring: &Ring, need: u64) {
    let wanted = (ring.head() + need.min(ring.size())).saturating_sub(ring.size() - ring.size() / 8).min(ring.head());
    ring.u64(layout::WANTED).store(wanted.max(1), Ordering::SeqCst);
    fence(Ordering::SeqCst);
}

/// A reader has moved on: wakes a sender that waited for that.
pub fn moved(ring: &Ring, from: u64, to: u64) {
    fence(Ordering::SeqCst);
    let word = ring.u64(layout::WANTED);
    let wanted = word.load(Ordering::SeqCst);
    if wanted == 0 || to < wanted || from >= wanted {
        return;
    }
    // Rung first: who dies in between leaves a ring too many.
    ring.wake_all();
    let _ = word.compare_exchange(wanted, 0, Ordering::SeqCst, Ordering::SeqCst);
}
