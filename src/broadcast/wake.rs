//! The rule of the wake-up, generic over the atomics so that the tests can give it those of a model checker.
//!
//! A reader that is about to sleep counts itself in `arms`, then looks at the head once more. A sender that has committed
//! looks at `arms`: when somebody went to sleep since the last ring it rings, and only then notes up to which count all
//! are awake. So a sender that dies in between leaves a ring too many and never one too few.

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
pub fn arm<W: Word>(arms: &W) {
    arms.increment();
    W::fence();
}

/// A sender has committed: wakes whoever sleeps. Answers whether it rang.
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
