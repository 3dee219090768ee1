//! A record's header as a reader takes it: nothing in it is believed before it has been checked.

use super::layout::{RECORD_BYTES, RECORD_WORDS};
use super::ring::Ring;
use super::writer::{FIRST, KIND, LAST};
use std::sync::atomic::Ordering;

/// A header whose lengths fit together.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Of the whole record.
    pub bytes: u64,
    /// What the payload is.
    pub kind: u8,
    /// The message begins here.
    pub first: bool,
    /// The message ends here.
    pub last: bool,
    /// The channel's hash.
    pub hash: u64,
    /// The message's number on its channel; only in the last record of a message.
    pub number: u64,
    /// The sender's environment.
    pub env: u32,
    /// The sender's object.
    pub object: u32,
    /// Bytes of the channel's name.
    pub name: usize,
    /// Bytes of the payload in this record.
    pub payload: usize,
    /// Bytes of the whole message.
    pub total: u64,
}

impl Record {
    /// Reads the header at a position, with `available` committed bytes from there on. `None`: no record, or one that has
    /// been overwritten meanwhile.
    pub fn read(ring: &Ring, at: u64, available: u64) -> Option<Self> {
        if available < RECORD_BYTES {
            return None;
        }
        let mut words = [0; RECORD_WORDS];
        for (index, word) in words.iter_mut().enumerate() {
            *word = ring.word(at + 8 * index as u64).load(Ordering::Relaxed);
        }
        let [first, hash, number, sender, lengths, total] = words;
        let (flags, bytes) = ((first >> 32) as u32, first & u64::from(u32::MAX));
        let (name, payload) = ((lengths >> 32) as usize, (lengths & u64::from(u32::MAX)) as usize);
        let parts = RECORD_BYTES + (name.next_multiple_of(8) + payload.next_multiple_of(8)) as u64;
        let fits = bytes == parts && bytes <= available && payload as u64 <= total;
        fits.then_some(Self {
            bytes,
            kind: (flags & KIND) as u8,
            first: flags & FIRST != 0,
            last: flags & LAST != 0,
            hash,
            number,
            env: (sender >> 32) as u32,
            object: sender as u32,
            name,
            payload,
            total,
        })
    }

    /// Where the name lies in a record at `at`.
    pub fn name_at(&self, at: u64) -> u64 {
        at + RECORD_BYTES
    }

    /// Where the payload lies in a record at `at`.
    pub fn payload_at(&self, at: u64) -> u64 {
        at + RECORD_BYTES + self.name.next_multiple_of(8) as u64
    }
}
