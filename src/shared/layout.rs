//! Every offset of the shared-memory segment, in one place: the primary and its workers may run different builds of
//! this package for the length of a reload, so a change here is a change of [`VERSION`].
//!
//! ```text
//! 0      header: magic, version, number of slots
//! 4096   slot 0: 64 bytes the primary writes, 64 bytes the worker writes
//! 4224   slot 1 ...
//! ```
//! A slot's two halves are cache lines of their own, so that a worker's heartbeat does not slow the primary's reads of
//! what it wrote itself. `active` is the one word both write.

/// The first eight bytes: "rustclus", little-endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"rustclus");
/// Counts incompatible changes of this file, and of what is said over the channels (`dispatch::note`).
pub const VERSION: u32 = 5;
/// Workers that can exist at once, the ones that are draining counted in. A page of the segment takes memory only once
/// one of its slots is used.
pub const SLOTS: usize = 1024;

/// Where [`MAGIC`] lies.
pub const HEADER_MAGIC: usize = 0;
/// Where [`VERSION`] lies.
pub const HEADER_VERSION: usize = 8;
/// Where the number of slots lies.
pub const HEADER_SLOTS: usize = 12;
/// u32, primary: slots from this one on were never used.
pub const HEADER_USED: usize = 16;

const SLOTS_AT: usize = 4096;
const SLOT_BYTES: usize = 128;

/// The whole segment.
pub const BYTES: usize = SLOTS_AT + SLOTS * SLOT_BYTES;

/// u32, primary: the worker's `id` in node:cluster, 0 for a free slot.
pub const WORKER_ID: usize = 0;
/// u32, primary: the worker's process.
pub const PID: usize = 4;
/// u64, primary: connections handed to the worker and not taken back, since it started.
pub const SENT: usize = 8;
/// u64, primary: bit `n % 64` is set while the worker may take connections of listening socket `n` by itself.
pub const SERVERS: usize = 16;
/// u32, primary: not 0 for a worker whose loop hung when last looked at.
pub const STALLED: usize = 24;
/// u64, worker: connections it has read from its channel, since it started.
pub const TAKEN: usize = 64;
/// u64, worker: when its event loop last began or ended waiting, in nanoseconds of the monotonic clock; 0 where it
/// cannot tell.
pub const HEARTBEAT: usize = 72;
/// u32, both: connections handed over and not closed yet.
pub const ACTIVE: usize = 80;
/// u32, worker: connections it may have open at once, so that its descriptor table has room for the next; 0: not said.
pub const ROOM: usize = 84;
/// u64, worker: connections it has passed on to other workers, since it started.
pub const MOVED: usize = 88;
/// u32, both: not 0 while the primary accepts nothing until some worker, this one for instance, has read most of what it
/// was handed. The worker that says so takes it back.
pub const AWAITED: usize = 96;
/// u64, worker: connections it has accepted by itself, since it started.
pub const ACCEPTED: usize = 104;

/// The offset of `field` in slot `index`, which must be below [`SLOTS`].
pub const fn slot(index: usize, field: usize) -> usize {
    assert!(index < SLOTS && field < SLOT_BYTES);
    SLOTS_AT + index * SLOT_BYTES + field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_lie_inside_and_apart() {
        assert_eq!(slot(0, 0), 4096);
        assert_eq!(slot(1, WORKER_ID) - slot(0, WORKER_ID), SLOT_BYTES);
        assert_eq!(slot(SLOTS - 1, 0) + SLOT_BYTES, BYTES);
    }

    #[test]
    fn each_field_is_aligned_and_in_its_writers_cache_line() {
        for field in [WORKER_ID, PID, SENT, SERVERS, STALLED] {
            assert!(field < 64);
        }
        for field in [TAKEN, HEARTBEAT, ACTIVE, ROOM, MOVED, AWAITED, ACCEPTED] {
            assert!((64..128).contains(&field));
        }
        for wide in [SENT, SERVERS, TAKEN, HEARTBEAT, MOVED, ACCEPTED] {
            assert_eq!(wide % 8, 0);
        }
    }
}
