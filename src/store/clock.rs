//! Which entries were used lately, as all processes see it: one bit for each hash of a key, in a file they all map.
//!
//! A read sets the bit, the evictor's hand passes over set bits once and clears them: the second-chance algorithm
//! (F. J. Corbató, "A Paging Experiment with the Multics System", 1968). A read writes nothing to the database, and
//! nothing at all while the bit is set.

#[cfg(target_os = "linux")]
use crate::sys::mapping::Mapping;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes of the file: two million bits, one each for as many keys. Where there are more, some share a bit and look used
/// when they are not.
pub const BYTES: u64 = 256 * 1024;

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
        let (word, bit) = self.place(key);
        // A shared cache line is written only when that changes something.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether `key` was used since the last call, and forgets it.
    pub fn take(&self, key: &[u8]) -> bool {
        let (word, bit) = self.place(key);
        word.fetch_and(!bit, Ordering::Relaxed) & bit != 0
    }

    fn place(&self, key: &[u8]) -> (&AtomicU32, u32) {
        #[cfg(target_os = "linux")]
        let words = self.words.halves();
        #[cfg(not(target_os = "linux"))]
        let words = &self.words;
        let hash = crc32fast::hash(key) as usize;
        (&words[(hash / 32) % words.len()], 1 << (hash % 32))
    }
}
