//! Whether somebody writes at this moment, as all processes see it: LMDB can only wait for its lock, and an event loop
//! must not.
//!
//! A word in a file they all map. A writer's thread waits for LMDB's lock, and says in the word that it has it. An event
//! loop writes for itself only after it has brought the word from 0 to its own mark; else it hands the write to the
//! thread. The word is a hint and not the lock: LMDB's own keeps writers apart. A word that a killed process has left is
//! put right by the next thread that writes.
//!
//! What is left is the moment between a thread's getting the lock and its saying so; a loop that comes then waits for
//! that one transaction.

#[cfg(target_os = "linux")]
use crate::sys::mapping::Mapping;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes of the file.
pub const BYTES: u64 = 4096;

/// The mark of a thread.
const THREAD: u32 = 1 << 31;

/// The word.
pub struct Turn {
    #[cfg(target_os = "linux")]
    words: Mapping,
    #[cfg(not(target_os = "linux"))]
    word: AtomicU32,
    own: u32,
}

/// A turn taken; dropped, it is over.
pub struct Taken<'t> {
    turn: &'t Turn,
    mark: u32,
}

impl Turn {
    /// Maps `file`, whose space is reserved.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn open(file: &File) -> io::Result<Self> {
        let own = std::process::id() & !THREAD;
        #[cfg(target_os = "linux")]
        return Ok(Self { words: Mapping::whole(file)?, own });
        #[cfg(not(target_os = "linux"))]
        {
            // Other processes are not seen: no loop may write for itself.
            let _ = file;
            Ok(Self { word: AtomicU32::new(THREAD), own })
        }
    }

    /// For an event loop: the turn, unless somebody has it. To be called before LMDB's lock is asked for.
    pub fn try_take(&self) -> Option<Taken<'_>> {
        self.word().compare_exchange(0, self.own, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(Taken { turn: self, mark: self.own })
    }

    /// For a thread that has LMDB's lock.
    #[cfg(target_os = "linux")]
    pub fn announce(&self) -> Taken<'_> {
        let mark = self.own | THREAD;
        self.word().store(mark, Ordering::Relaxed);
        Taken { turn: self, mark }
    }

    /// For a thread that has LMDB's lock.
    #[cfg(not(target_os = "linux"))]
    pub fn announce(&self) -> Taken<'_> {
        Taken { turn: self, mark: 0 }
    }

    fn word(&self) -> &AtomicU32 {
        #[cfg(target_os = "linux")]
        return &self.words.halves()[0];
        #[cfg(not(target_os = "linux"))]
        &self.word
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // Whoever has got the lock since has written a mark of its own, which stays.
        let _ = self.turn.word().compare_exchange(self.mark, 0, Ordering::Release, Ordering::Relaxed);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn_and_a_thread_takes_it_from_the_dead() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(BYTES).unwrap();
        let (one, other) = (Turn::open(&file).unwrap(), Turn::open(&file).unwrap());
        let taken = one.try_take().unwrap();
        assert!(other.try_take().is_none());
        drop(taken);
        std::mem::forget(other.try_take().unwrap());
        assert!(one.try_take().is_none(), "the other was killed");
        let thread = one.announce();
        assert!(other.try_take().is_none());
        drop(thread);
        assert!(other.try_take().is_some());
    }
}
