//! The rule of the wake-up, generic over the atomics so that the tests can give it those of a model checker.
//!
//! A reader that is about to sleep counts itself in `arms`, then looks at the head once more. A sender that has committed
//! looks at `arms`: when somebody went to sleep since the last ring it rings ([`wake`]), or it has one sleeper called
//! ([`call`]), and that one rings for all others: to wake many costs, and whom a sender wakes may push it off its core
//! (`pace.rs` says which). Each writes first and only then notes up to which count that was done. So who dies in between
//! leaves a ring too many and never one too few. Whoever was called may be slow to run: the sender looks at the end of its
//! turn ([`is_left`]).

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A 64-bit atomic.
pub trait Word {
    /// Loads it, sequentially consistent.
    fn get(&self) -> u64;
    /// Adds one and gives the result.
    fn increment(&self) -> u64;
    /// Raises it to `value`, unless it is higher.
    fn raise(&self, value: u64);
    /// Orders all that came before with all that follows, over all words.
    fn fence();
}

impl Word for AtomicU64 {
    fn get(&self) -> u64 {
        self.load(Ordering::SeqCst)
    }

    fn increment(&self) -> u64 {
        self.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn raise(&self, value: u64) {
        self.fetch_max(value, Ordering::SeqCst);
    }

    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// A reader is about to sleep. It must look at the head after this, and read if there is anything.
///
/// It must do so before every sleep, also after a wake-up that brought nothing: the sender that rang may note only later
/// that it has.
///
/// Answers the reader's own count.
pub fn arm<W: Word>(arms: &W) -> u64 {
    let own = arms.increment();
    W::fence();
    own
}

/// A sender has committed: calls one of those that sleep. Answers up to which count it has, if it has.
pub fn call<W: Word>(arms: &W, called: &W, woken: &W, knock: impl FnOnce()) -> Option<u64> {
    W::fence();
    let asleep = arms.get();
    if woken.get() >= asleep || called.get() >= asleep {
        return None;
    }
    knock();
    called.raise(asleep);
    Some(asleep)
}

/// Whether nobody has rung yet for those that were called up to `asleep`.
pub fn is_left<W: Word>(woken: &W, asleep: u64) -> bool {
    woken.get() < asleep
}

/// Whoever was called: wakes the rest, unless that has been done since it went to sleep, by its `own` count, and for all
/// who were called for. It may come late, when others have read what there was and sleep again: to wake them then would
/// cost them a turn for nothing. The sender may not have noted yet that it has called; hence its own count.
///
/// Answers whether it rang. Should it be wrong not to, the sender still looks at the end of its turn ([`is_left`]).
pub fn answer<W: Word>(own: u64, arms: &W, called: &W, woken: &W, ring: impl FnOnce()) -> bool {
    W::fence();
    let rung = woken.get();
    (rung < own || rung < called.get()) && wake(arms, woken, ring)
}

/// Somebody was called, or there is no time for that: wakes whoever sleeps. Answers whether it rang.
pub fn wake<W: Word>(arms: &W, woken: &W, ring: impl FnOnce()) -> bool {
    W::fence();
    let asleep = arms.get();
    if woken.get() >= asleep {
        return false;
    }
    ring();
    woken.raise(asleep);
    true
}
