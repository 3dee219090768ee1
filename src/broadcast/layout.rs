//! Every offset of the ring's memory, in one place. A primary and its workers may run different builds of this package
//! for the length of a reload, so a change here is a change of [`VERSION`].
//!
//! ```text
//! 0        header: who we are, the senders' mutex, head, floor, the words of the wake-up
//! 4096     seats: one for each JavaScript environment that takes part
//! 135168   channels: how many messages each has had
//! 200704   data: the ring
//! ```
//! Words that different processes write lie in cache lines of their own.

use crate::sys::robust;

/// The first eight bytes: "rustring", little-endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"rustring");
/// Counts incompatible changes of this file.
pub const VERSION: u64 = 2;

/// u64: where [`MAGIC`] lies.
pub const MAGIC_AT: usize = 0;
/// u64: where [`VERSION`] lies.
pub const VERSION_AT: usize = 8;
/// u64: bytes of the ring, a power of two.
pub const SIZE: usize = 16;
/// u32: 1 once the data has its memory.
pub const RESERVED: usize = 24;
/// u32, under the lock: the number of the last environment that took a seat.
pub const LAST_ENV: usize = 28;
/// u32, under the lock: seats from this index on have never been used.
pub const SEATS_USED: usize = 32;
/// The senders' mutex.
pub const LOCK: usize = 64;
/// u64, under the lock: bytes ever written. Its store is the one commit.
pub const HEAD: usize = 128;
/// u64, under the lock: what lies before may have been overwritten.
pub const FLOOR: usize = 192;
/// u64: how often a reader went to sleep.
pub const ARMS: usize = 256;
/// u64: all who went to sleep up to this count have been woken.
pub const WOKEN: usize = 320;
/// u64: for all who went to sleep up to this count one of them has been called, who wakes the rest.
pub const CALLED: usize = 512;
/// u64: a sender waits until all tails have passed this position; 0: none does.
pub const WANTED: usize = 384;
/// u64 x 3, under the lock: how to take back the one other word a publish changes, see `ring::Guard`: the head it is
/// about, the channel's entry, and its count.
pub const UNDO_HEAD: usize = 448;
/// See [`UNDO_HEAD`].
pub const UNDO_ENTRY: usize = 456;
/// See [`UNDO_HEAD`].
pub const UNDO_COUNT: usize = 464;

/// JavaScript environments that can take part at once.
pub const SEATS: usize = 1024;
const SEATS_AT: usize = 4096;
const SEAT_BYTES: usize = 128;

/// The mutex an environment's thread holds for as long as it lives.
pub const LIFE: usize = 0;
/// u64, reader: what lies before it has read.
pub const TAIL: usize = 64;
/// u64, senders and reader: since when the ring has been full on its account, in nanoseconds of the monotonic clock; 0:
/// it is not.
pub const FULL_SINCE: usize = 72;
/// u32: one of the states below.
pub const STATE: usize = 80;
/// u32, reader: for how many milliseconds the ring may be full on its account; `u32::MAX`: for ever.
pub const MAX_LAG: usize = 84;
/// u32: the environment's number, for as long as the seat is taken.
pub const ENV: usize = 88;

/// A seat nobody has.
pub const FREE: u32 = 0;
/// Its environment only sends.
pub const SENDS: u32 = 1;
/// What it has not read is kept for it.
pub const READS: u32 = 2;
/// It has lagged too long: what it has not read may be overwritten.
pub const DEMOTED: u32 = 3;

/// Channels whose messages are counted each for itself.
pub const CHANNELS: usize = 4096;
const CHANNELS_AT: usize = SEATS_AT + SEATS * SEAT_BYTES;
const CHANNEL_BYTES: usize = 16;
/// u64, under the lock: the channel's hash, 0: free.
pub const HASH: usize = 0;
/// u64, under the lock: the number of its next message.
pub const COUNT: usize = 8;

/// Where the ring begins.
pub const DATA: usize = CHANNELS_AT + CHANNELS * CHANNEL_BYTES;

/// The smallest ring, in bytes.
pub const SMALLEST: u64 = 1 << 16;
/// The largest.
pub const LARGEST: u64 = 1 << 30;

/// Words of a record's header: its length and kind, the channel's hash, the message's number, who sent it, the lengths of
/// name and payload, the length of the whole message.
pub const RECORD_WORDS: usize = 6;
/// Bytes of a record's header. The channel's name and the payload follow, each padded to whole words.
pub const RECORD_BYTES: u64 = 8 * RECORD_WORDS as u64;

const _: () = assert!(robust::BYTES <= 64);
const _: () = assert!(DATA.is_multiple_of(4096));

/// The offset of `field` in seat `index`, which must be below [`SEATS`].
pub const fn seat(index: usize, field: usize) -> usize {
    assert!(index < SEATS && field < SEAT_BYTES);
    SEATS_AT + index * SEAT_BYTES + field
}

/// The offset of `field` of channel `index`, which must be below [`CHANNELS`].
pub const fn channel(index: usize, field: usize) -> usize {
    assert!(index < CHANNELS && field < CHANNEL_BYTES);
    CHANNELS_AT + index * CHANNEL_BYTES + field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_apart() {
        assert_eq!(seat(0, LIFE), 4096);
        assert_eq!(seat(SEATS - 1, 0) + SEAT_BYTES, channel(0, 0));
        assert_eq!(channel(CHANNELS - 1, 0) + CHANNEL_BYTES, DATA);
        assert_eq!(DATA, 200_704);
        const { assert!(UNDO_COUNT + 8 <= CALLED && CALLED + 8 <= 4096 && ENV + 4 <= SEAT_BYTES) };
    }
}
