//! Which entries were used lately, as all processes see it: two bits for each hash of a key, in a file they all map.
//!
//! What is used gets both bits, what is new one, and the evictor's hand takes one away each time it passes: the
//! second-chance algorithm (F. J. Corbató, "A Paging Experiment with the Multics System", 1968), with two chances for
//! what was used since it was written. With one bit for both, all entries of a store that gets full for the first time
//! would look alike, those that are read all the time too. A read writes nothing to the database, and nothing at all
//! while both bits are set.

#[cfg(target_os = "linux")]
use crate::sys::mapping::Mapping;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes of the file: two bits for each of two million keys. Where there are more, some share them and look used when
/// they are not.
pub const BYTES: u64 = 512 * 1024;

/// The entry is new, or the hand has passed since it was used.
const KEPT: u32 = 0b01;
/// It was used since the hand passed.
const USED: u32 = 0b10;

/// The bits.
pub struct Clock {
    #[cfg(target_os = "linux")]
    words: Mapping,
    /// Elsewhere each process knows what it has read itself.
    #[cfg(not(target_os = "linux"))]
    words: Vec<AtomicU32>,
}

impl Clock {
    /// Maps `file`, whose space is reserved.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn open(file: &File) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let words = Mapping::whole(file)?;
        #[cfg(not(target_os = "linux"))]
        let words = {
            let _ = file;
            (0..BYTES / 4).map(|_| AtomicU32::new(0)).collect()
        };
        Ok(Self { words })
    }

    /// Notes that `key` was used.
    pub fn touch(&self, key: &[u8]) {
        self.mark(key, USED | KEPT);
    }

    /// Notes that `key` was written, which uses it where it was there.
    pub fn write(&self, key: &[u8], was_there: bool) {
        self.mark(key, if was_there { USED | KEPT } else { KEPT });
    }

    /// For the hand: whether `key` has a chance left, which this takes.
    pub fn pass(&self, key: &[u8]) -> bool {
        let (word, shift) = self.place(key);
        let bits = word.load(Ordering::Relaxed) >> shift;
        let taken = if bits & USED != 0 { USED } else { bits & KEPT };
        // Who reads it at the same time sets both again: it stays, as it should.
        if taken != 0 {
            word.fetch_and(!(taken << shift), Ordering::Relaxed);
        }
        taken != 0
    }

    fn mark(&self, key: &[u8], bits: u32) {
        let (word, shift) = self.place(key);
        let bits = bits << shift;
        // A shared cache line is written only when that changes something.
        if word.load(Ordering::Relaxed) & bits != bits {
            word.fetch_or(bits, Ordering::Relaxed);
        }
    }

    /// The word in which a key's two bits are, and where in it they begin.
    fn place(&self, key: &[u8]) -> (&AtomicU32, usize) {
        #[cfg(target_os = "linux")]
        let words = self.words.halves();
        #[cfg(not(target_os = "linux"))]
        let words = &self.words;
        let hash = crc32fast::hash(key) as usize;
        (&words[(hash / 16) % words.len()], 2 * (hash % 16))
    }
}
