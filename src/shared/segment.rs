//! The mapped segment: the primary creates it, each worker opens it through an inherited descriptor.

use super::layout::{self, SLOTS};
use crate::sys::mapping::{Mapping, create_file};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The memory a cluster shares.
#[derive(Debug, Clone)]
pub struct Segment {
    mapping: Arc<Mapping>,
}

impl Segment {
    /// Makes a segment with every slot free, and the descriptor workers open it by.
    ///
    /// # Errors
    /// What memfd_create(2) and mmap(2) answer.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let file = create_file(c"rustcluster", layout::BYTES)?;
        let mapping = Mapping::new(&file, layout::BYTES)?;
        mapping.u64_at(layout::HEADER_MAGIC).store(layout::MAGIC, Ordering::Relaxed);
        mapping.u32_at(layout::HEADER_VERSION).store(layout::VERSION, Ordering::Relaxed);
        mapping.u32_at(layout::HEADER_SLOTS).store(SLOTS as u32, Ordering::Relaxed);
        Ok((Self { mapping: Arc::new(mapping) }, file))
    }

    /// Maps the segment behind `file`.
    ///
    /// # Errors
    /// `InvalidData` when it is no segment of this version, else what mmap(2) answers.
    pub fn open(file: &OwnedFd) -> io::Result<Self> {
        let mapping = Mapping::new(file, layout::BYTES)?;
        let ours = mapping.u64_at(layout::HEADER_MAGIC).load(Ordering::Relaxed) == layout::MAGIC
            && mapping.u32_at(layout::HEADER_VERSION).load(Ordering::Relaxed) == layout::VERSION
            && mapping.u32_at(layout::HEADER_SLOTS).load(Ordering::Relaxed) == SLOTS as u32;
        if ours { Ok(Self { mapping: Arc::new(mapping) }) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Slots up to `index` are in use, or were.
    pub fn note_used(&self, index: usize) {
        let used = u32::try_from(index + 1).unwrap_or(u32::MAX);
        self.mapping.u32_at(layout::HEADER_USED).fetch_max(used, Ordering::Relaxed);
    }

    /// Slot `index`, `None` beyond the last.
    pub fn slot(&self, index: usize) -> Option<Slot> {
        (index < SLOTS).then(|| Slot { mapping: Arc::clone(&self.mapping), index })
    }
}

/// One worker's words. Most orders are relaxed: each word stands for itself, and descriptors travel by socket, whose
/// calls order what was written before them. `TAKEN` and `AWAITED` are read by each side after it has written the other,
/// so those are sequentially consistent.
#[derive(Debug, Clone)]
pub struct Slot {
    mapping: Arc<Mapping>,
    index: usize,
}

impl Slot {
    /// Its place in the segment.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Gives the slot to worker `id` with all counters at nought, or frees it (`id` 0).
    pub fn reset(&self, id: u32) {
        self.pid().store(0, Ordering::Relaxed);
        for word in [layout::SENT, layout::SERVERS, layout::TAKEN, layout::HEARTBEAT, layout::MOVED, layout::ACCEPTED] {
            self.u64(word).store(0, Ordering::Relaxed);
        }
        self.u32(layout::ACTIVE).store(0, Ordering::Relaxed);
        self.set_awaited(false);
        self.set_stalled(false);
        self.set_room(0);
        self.u32(layout::WORKER_ID).store(id, Ordering::Relaxed);
    }

    /// The worker's `id` in node:cluster, 0 for a free slot.
    pub fn worker_id(&self) -> u32 {
        self.u32(layout::WORKER_ID).load(Ordering::Relaxed)
    }

    /// Names the worker.
    pub fn set_worker_id(&self, id: u32) {
        self.u32(layout::WORKER_ID).store(id, Ordering::Relaxed);
    }

    /// The worker's process.
    pub fn pid(&self) -> &AtomicU32 {
        self.u32(layout::PID)
    }

    /// Connections handed to the worker and not taken back.
    pub fn sent(&self) -> u64 {
        self.u64(layout::SENT).load(Ordering::Relaxed)
    }

    /// Whether the worker may take connections of listening socket `server` by itself.
    pub fn may_accept(&self, server: u32) -> bool {
        self.u64(layout::SERVERS).load(Ordering::Relaxed) & bit(server) != 0
    }

    /// Says whether it may.
    pub fn set_may_accept(&self, server: u32, may: bool) {
        let servers = self.u64(layout::SERVERS);
        match may {
            true => servers.fetch_or(bit(server), Ordering::Relaxed),
            false => servers.fetch_and(!bit(server), Ordering::Relaxed),
        };
    }

    /// The worker may take nothing by itself any more.
    pub fn forbid_accepting(&self) {
        self.u64(layout::SERVERS).store(0, Ordering::Relaxed);
    }

    /// The fewest connections that another worker has open which may take connections of `server` by itself and does not
    /// hang, `u32::MAX` where there is none.
    pub fn fewest_of_others(&self, server: u32) -> u32 {
        let used = self.mapping.u32_at(layout::HEADER_USED).load(Ordering::Relaxed) as usize;
        let others = (0..used.min(SLOTS)).filter(|&index| index != self.index);
        let u32_of = |index, field| self.mapping.u32_at(layout::slot(index, field)).load(Ordering::Relaxed);
        let servers = |index| self.mapping.u64_at(layout::slot(index, layout::SERVERS)).load(Ordering::Relaxed);
        others
            .filter(|&index| servers(index) & bit(server) != 0 && u32_of(index, layout::STALLED) == 0)
            .map(|index| u32_of(index, layout::ACTIVE))
            .min()
            .unwrap_or(u32::MAX)
    }

    /// Says whether the worker's loop hangs.
    pub fn set_stalled(&self, stalled: bool) {
        self.u32(layout::STALLED).store(u32::from(stalled), Ordering::Relaxed);
    }

    /// Connections the worker has accepted by itself.
    pub fn accepted(&self) -> u64 {
        self.u64(layout::ACCEPTED).load(Ordering::Relaxed)
    }

    /// The worker has accepted one connection by itself.
    pub fn note_accepted(&self) {
        self.u64(layout::ACCEPTED).fetch_add(1, Ordering::Relaxed);
        self.note_opened();
    }

    /// The primary has handed one connection over.
    pub fn note_sent(&self) {
        self.u64(layout::SENT).fetch_add(1, Ordering::Relaxed);
        self.u32(layout::ACTIVE).fetch_add(1, Ordering::Relaxed);
    }

    /// The primary has one connection back that the worker had not read.
    pub fn note_taken_back(&self) {
        self.u64(layout::SENT).fetch_sub(1, Ordering::Relaxed);
        self.note_closed();
    }

    /// Connections the worker has read from its channel.
    pub fn taken(&self) -> u64 {
        self.u64(layout::TAKEN).load(Ordering::SeqCst)
    }

    /// The worker has read one connection from its channel.
    pub fn note_taken(&self) {
        self.u64(layout::TAKEN).fetch_add(1, Ordering::SeqCst);
    }

    /// The primary accepts nothing until the worker says that it has read most of what it was handed, or it accepts
    /// again. To be set before [`waiting`](Self::waiting) is looked at a last time.
    pub fn set_awaited(&self, awaited: bool) {
        self.u32(layout::AWAITED).store(u32::from(awaited), Ordering::SeqCst);
    }

    /// Whether the worker, which has at most `few` unread, shall tell the primary so: once each time it is awaited.
    pub fn is_awaited(&self, few: u64) -> bool {
        let awaited = self.u32(layout::AWAITED);
        awaited.load(Ordering::SeqCst) != 0 && self.waiting() <= few && awaited.swap(0, Ordering::SeqCst) != 0
    }

    /// Connections handed over and not read yet; never more than were sent, whatever the worker wrote.
    pub fn waiting(&self) -> u64 {
        self.sent().saturating_sub(self.taken())
    }

    /// Connections handed over and not closed yet.
    pub fn active(&self) -> u32 {
        self.u32(layout::ACTIVE).load(Ordering::Relaxed)
    }

    /// The word behind [`active`](Self::active).
    pub fn active_word(&self) -> &AtomicU32 {
        self.u32(layout::ACTIVE)
    }

    /// The worker has room for `count` connections at once; 0: it does not say.
    pub fn set_room(&self, count: u32) {
        self.u32(layout::ROOM).store(count, Ordering::Relaxed);
    }

    /// Whether the worker has as many connections as it has room for: the kernel would drop a descriptor for which its
    /// table has no place.
    pub fn is_full(&self) -> bool {
        let room = self.u32(layout::ROOM).load(Ordering::Relaxed);
        room != 0 && self.active() >= room
    }

    /// Connections the worker has passed on to others.
    pub fn moved(&self) -> u64 {
        self.u64(layout::MOVED).load(Ordering::Relaxed)
    }

    /// The worker has passed one connection on.
    pub fn note_moved(&self) {
        self.u64(layout::MOVED).fetch_add(1, Ordering::Relaxed);
    }

    /// A connection came to the worker by another way than the primary's thread.
    pub fn note_opened(&self) {
        self.u32(layout::ACTIVE).fetch_add(1, Ordering::Relaxed);
    }

    /// A connection has ended, or has left the worker. Never below nought: a miscount must not make a worker look full.
    pub fn note_closed(&self) {
        let active = self.u32(layout::ACTIVE);
        // An update that would change nothing is no failure.
        let _ = active.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }

    /// When the worker's loop last began or ended waiting, in nanoseconds of the monotonic clock; 0: it cannot tell.
    pub fn heartbeat(&self) -> &AtomicU64 {
        self.u64(layout::HEARTBEAT)
    }

    fn u32(&self, field: usize) -> &AtomicU32 {
        self.mapping.u32_at(layout::slot(self.index, field))
    }

    fn u64(&self, field: usize) -> &AtomicU64 {
        self.mapping.u64_at(layout::slot(self.index, field))
    }
}

/// The bit of a listening socket in [`layout::SERVERS`]. Two may share one: then a worker is taken for one that may accept
/// from either, or finds out when it tries.
fn bit(server: u32) -> u64 {
    1 << (server % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_sees_its_slot() {
        let (primary, file) = Segment::create().unwrap();
        let worker = Segment::open(&file).unwrap();
        let (ours, theirs) = (primary.slot(3).unwrap(), worker.slot(3).unwrap());
        ours.reset(9);
        assert_eq!(theirs.worker_id(), 9);
        ours.note_sent();
        ours.note_sent();
        theirs.note_taken();
        assert_eq!((ours.waiting(), ours.active()), (1, 2));
        ours.note_taken_back();
        theirs.note_closed();
        theirs.note_closed();
        assert_eq!((ours.waiting(), ours.active()), (0, 0));
        theirs.note_moved();
        theirs.set_room(1);
        assert_eq!((ours.moved(), ours.is_full()), (1, false));
        ours.note_sent();
        assert!(ours.is_full());
        assert!(primary.slot(SLOTS).is_none());
    }

    #[test]
    fn a_worker_that_is_awaited_says_so_once_and_only_when_it_has_read_most() {
        let (primary, _file) = Segment::create().unwrap();
        let slot = primary.slot(0).unwrap();
        slot.reset(1);
        (0..3).for_each(|_| slot.note_sent());
        assert!(!slot.is_awaited(9), "nobody waits");
        slot.set_awaited(true);
        assert!(!slot.is_awaited(2));
        slot.note_taken();
        assert!(slot.is_awaited(2));
        assert!(!slot.is_awaited(2));
    }

    #[test]
    fn another_files_contents_are_refused() {
        let file = create_file(c"rustcluster-test", layout::BYTES).unwrap();
        assert_eq!(Segment::open(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let short = create_file(c"rustcluster-test", 64).unwrap();
        assert!(Segment::open(&short).is_err());
    }
}
