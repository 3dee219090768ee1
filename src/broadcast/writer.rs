//! Publishing: one message becomes one record, or several when it is large.

use super::channels::{self, Key};
use super::layout::{RECORD_BYTES, RECORD_WORDS};
use super::ring::{Guard, Ring};
use super::room;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bit of a record's kind: the message begins here.
pub const FIRST: u32 = 1 << 8;
/// Bit of a record's kind: the message ends here.
pub const LAST: u32 = 1 << 9;
/// The bits that are the message's own kind.
pub const KIND: u32 = 0xff;

/// One message on its way.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Where to.
    pub channel: &'a Key,
    /// Who sends: an environment's number, and which object in it.
    pub env: u32,
    /// See `env`.
    pub object: u32,
    /// What the bytes are; the ring does not care.
    pub kind: u8,
    /// The bytes.
    pub payload: &'a [u8],
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is in the ring; the number it has on its channel.
    Sent(u64),
    /// This many bytes of it are in the ring so far.
    Partly(usize),
    /// There is no room, which readers may still make.
    Full,
    /// Somebody else has the lock.
    Busy,
}

/// Sends a message, or what is left of it from byte `from` on.
///
/// `whole`: all of it at once or nothing. Otherwise a message larger than a quarter of the ring goes in pieces as room
/// becomes free, and messages of other environments may come between them; readers see it whole, at its last piece.
///
/// Nobody is woken: the caller does that, once for as many messages as it likes.
pub fn publish(ring: &Ring, message: &Message<'_>, from: usize, whole: bool, patience: Duration) -> Outcome {
    let Some(guard) = ring.lock(patience) else { return Outcome::Busy };
    let pieces = Pieces { message, most: largest_piece(ring, message.channel), from };
    let need = if whole { pieces.total() } else { pieces.bytes(pieces.length()) };
    if !room::make(&guard, ring, need) {
        return Outcome::Full;
    }
    write(&guard, ring, pieces)
}

/// Bytes the ring must have free for the next step of [`publish`].
pub fn needed(ring: &Ring, message: &Message<'_>, from: usize, whole: bool) -> u64 {
    let pieces = Pieces { message, most: largest_piece(ring, message.channel), from };
    if whole { pieces.total() } else { pieces.bytes(pieces.length()) }
}

/// A record is never longer than a quarter of the ring, so that a reader in mid-record cannot hold up more than that.
fn largest_piece(ring: &Ring, channel: &Key) -> usize {
    (ring.size() / 4 - RECORD_BYTES) as usize - channel.name.len().next_multiple_of(8)
}

/// What is left of a message, cut to pieces.
struct Pieces<'a> {
    message: &'a Message<'a>,
    most: usize,
    from: usize,
}

impl Pieces<'_> {
    fn left(&self) -> usize {
        self.message.payload.len() - self.from
    }

    /// Of the next piece.
    fn length(&self) -> usize {
        self.left().min(self.most)
    }

    /// A record with so much payload.
    fn bytes(&self, payload: usize) -> u64 {
        RECORD_BYTES + (self.message.channel.name.len().next_multiple_of(8) + payload.next_multiple_of(8)) as u64
    }

    /// All that is left, in records.
    fn total(&self) -> u64 {
        let (full, rest) = (self.left() / self.most, self.left() % self.most);
        let last = if rest > 0 || full == 0 { self.bytes(rest) } else { 0 };
        full as u64 * self.bytes(self.most) + last
    }
}

/// Writes as many pieces as there is room for, at least one, and commits them together.
fn write(guard: &Guard<'_>, ring: &Ring, mut pieces: Pieces<'_>) -> Outcome {
    let payload = pieces.message.payload;
    let free_until = ring.floor() + ring.size();
    let mut head = ring.head();
    loop {
        let length = pieces.length();
        let bytes = pieces.bytes(length);
        if head + bytes > free_until {
            guard.commit(head);
            return Outcome::Partly(pieces.from);
        }
        let end = pieces.from + length;
        let first = if pieces.from == 0 { FIRST } else { 0 };
        let number = (end == payload.len()).then(|| number(guard, ring, pieces.message.channel));
        let flags = first | number.map_or(0, |_| LAST);
        record(ring, head, bytes as u32, pieces.message, flags, number.unwrap_or_default(), pieces.from..end);
        head += bytes;
        pieces.from = end;
        if let Some(number) = number {
            guard.commit(head);
            return Outcome::Sent(number);
        }
    }
}

fn number(guard: &Guard<'_>, ring: &Ring, channel: &Key) -> u64 {
    let entry = channels::entry(guard, ring, channel.hash, channel.hash as usize);
    guard.count(entry)
}

fn record(
    ring: &Ring,
    at: u64,
    bytes: u32,
    message: &Message<'_>,
    flags: u32,
    number: u64,
    part: std::ops::Range<usize>,
) {
    let Message { channel, env, object, kind, payload } = *message;
    let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    let header: [u64; RECORD_WORDS] = [
        pair(flags | u32::from(kind), bytes),
        channel.hash,
        number,
        pair(env, object),
        pair(channel.name.len() as u32, part.len() as u32),
        payload.len() as u64,
    ];
    for (index, word) in header.into_iter().enumerate() {
        ring.word(at + 8 * index as u64).store(word, Ordering::Relaxed);
    }
    ring.write(at + RECORD_BYTES, &channel.name);
    ring.write(at + RECORD_BYTES + channel.name.len().next_multiple_of(8) as u64, &payload[part]);
}
