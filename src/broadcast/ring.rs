//! The memory all processes share: how it is made and opened, its words, and the lock.

use super::layout;
use super::wake;
use crate::sys::bell::Bell;
use crate::sys::mapping::{Mapping, create_file, file_size, reserve};
use crate::sys::robust::{self, Lock};
use crate::sys::words::{load, store};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// One process's view of the ring. Whoever holds a mutex in it holds it, too.
#[derive(Debug)]
pub struct Ring {
    mapping: Mapping,
    memory: OwnedFd,
    bell: Bell,
    knocker: Bell,
    size: u64,
}

impl Ring {
    /// Makes a ring of `size` bytes, a power of two from [`layout::SMALLEST`] to [`layout::LARGEST`].
    ///
    /// # Errors
    /// `InvalidInput` for another size; what memfd_create(2), mmap(2) and posix_fallocate(3) answer.
    pub fn create(size: u64) -> io::Result<Self> {
        if !size.is_power_of_two() || !(layout::SMALLEST..=layout::LARGEST).contains(&size) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes = layout::DATA + usize::try_from(size).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let memory = create_file(c"rustcluster-broadcast", bytes)?;
        // The data only once somebody sends: most clusters never do.
        reserve(&memory, layout::DATA)?;
        let mapping = Mapping::new(&memory, bytes)?;
        robust::initialise(&mapping, layout::LOCK);
        for index in 0..layout::SEATS {
            robust::initialise(&mapping, layout::seat(index, layout::LIFE));
        }
        mapping.u64_at(layout::UNDO_HEAD).store(u64::MAX, Ordering::Relaxed);
        mapping.u64_at(layout::SIZE).store(size, Ordering::Relaxed);
        mapping.u64_at(layout::VERSION_AT).store(layout::VERSION, Ordering::Relaxed);
        mapping.u64_at(layout::MAGIC_AT).store(layout::MAGIC, Ordering::Release);
        Ok(Self { mapping, memory, bell: Bell::new()?, knocker: Bell::new()?, size })
    }

    /// Opens the ring behind three inherited descriptors.
    ///
    /// # Errors
    /// `InvalidData` when it is no ring of this version, else what fstat(2) and mmap(2) answer.
    pub fn open(memory: OwnedFd, bell: OwnedFd, knocker: OwnedFd) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let bytes = usize::try_from(file_size(memory.as_fd())?).map_err(|_| invalid())?;
        if bytes <= layout::DATA {
            return Err(invalid());
        }
        let mapping = Mapping::new(&memory, bytes)?;
        let size = mapping.u64_at(layout::SIZE).load(Ordering::Relaxed);
        let ours = mapping.u64_at(layout::MAGIC_AT).load(Ordering::Acquire) == layout::MAGIC
            && mapping.u64_at(layout::VERSION_AT).load(Ordering::Relaxed) == layout::VERSION
            && size.is_power_of_two()
            && size == (bytes - layout::DATA) as u64;
        if !ours {
            return Err(invalid());
        }
        Ok(Self { mapping, memory, bell: Bell::adopt(bell), knocker: Bell::adopt(knocker), size })
    }

    /// The descriptors by which another process opens it.
    pub fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.memory.as_fd(), self.bell.as_fd(), self.knocker.as_fd()]
    }

    /// Bytes it holds.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Wakes all who listen to it.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Wakes one of those who listen to it and sleep; that one has to [`wake`](Self::wake) the rest.
    pub fn knocker(&self) -> &Bell {
        &self.knocker
    }

    /// Gives the data its memory, if nobody has yet. Must come before the first publish of a process.
    ///
    /// # Errors
    /// What posix_fallocate(3) answers: there is not enough memory.
    pub fn provide_memory(&self) -> io::Result<()> {
        let reserved = self.u32(layout::RESERVED);
        if reserved.load(Ordering::Relaxed) == 0 {
            reserve(&self.memory, layout::DATA + self.size as usize)?;
            reserved.store(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes the senders' lock, waiting for at most `patience`.
    pub fn lock(&self, patience: Duration) -> Option<Guard<'_>> {
        if robust::lock_within(&self.mapping, layout::LOCK, patience) == Lock::Busy {
            return None;
        }
        let guard = Guard { ring: self };
        guard.take_back();
        Some(guard)
    }

    /// Everything before it is committed.
    pub fn head(&self) -> u64 {
        self.u64(layout::HEAD).load(Ordering::Acquire)
    }

    /// Everything before it may be overwritten.
    pub fn floor(&self) -> u64 {
        self.u64(layout::FLOOR).load(Ordering::Relaxed)
    }

    /// After a commit: has all readers woken that went to sleep, by one of them. Answers what [`follow_up`](Self::follow_up)
    /// wants to know, if it has called one.
    pub fn call(&self) -> Option<u64> {
        let (arms, woken) = (self.u64(layout::ARMS), self.u64(layout::WOKEN));
        wake::call(arms, self.u64(layout::CALLED), woken, || self.knocker.ring())
    }

    /// Wakes them, should whoever was called not have done so yet.
    pub fn follow_up(&self, asleep: u64) -> bool {
        wake::is_left(self.u64(layout::WOKEN), asleep) && self.wake()
    }

    /// Whoever was called wakes the rest, if nobody has: `own` is what [`wake::arm`] answered it before it slept.
    pub fn answer(&self, own: u64) -> bool {
        let (arms, woken) = (self.u64(layout::ARMS), self.u64(layout::WOKEN));
        wake::answer(own, arms, self.u64(layout::CALLED), woken, || self.bell.ring())
    }

    /// Wakes all readers that went to sleep.
    pub fn wake(&self) -> bool {
        wake::wake(self.u64(layout::ARMS), self.u64(layout::WOKEN), || self.bell.ring())
    }

    /// Wakes everyone, whatever the words say: a sender may have died between its commit and its ring.
    pub fn wake_all(&self) {
        self.bell.ring();
    }

    /// A word of 32 bits.
    pub(super) fn u32(&self, offset: usize) -> &AtomicU32 {
        self.mapping.u32_at(offset)
    }

    /// A word of 64 bits.
    pub(super) fn u64(&self, offset: usize) -> &AtomicU64 {
        self.mapping.u64_at(offset)
    }

    /// A mutex's memory, for [`robust`].
    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The word of the data at a position.
    pub(super) fn word(&self, position: u64) -> &AtomicU64 {
        &self.data()[self.index(position)]
    }

    /// Writes bytes at a position, a multiple of 8; the last word is padded with zeros.
    pub(super) fn write(&self, position: u64, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let (end, start) = self.parts(position, bytes.len().div_ceil(8));
        let (first, second) = words.split_at(words.len().min(end.len()));
        store(end, first);
        store(start, second);
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            if let Some(place) = start.get(second.len()).or_else(|| end.get(first.len())) {
                place.store(u64::from_ne_bytes(last), Ordering::Relaxed);
            }
        }
    }

    /// Reads bytes from a position, a multiple of 8.
    pub(super) fn read(&self, position: u64, bytes: &mut [u8]) {
        let (end, start) = self.parts(position, bytes.len().div_ceil(8));
        let (words, rest) = bytes.as_chunks_mut::<8>();
        let (first, second) = words.split_at_mut(words.len().min(end.len()));
        load(end, first);
        load(start, second);
        if let Some(place) = start.get(second.len()).or_else(|| end.get(first.len())) {
            let last = place.load(Ordering::Relaxed).to_ne_bytes();
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }

    /// `count` words from a position on: those up to the end of the data, and those that follow at its start.
    fn parts(&self, position: u64, count: usize) -> (&[AtomicU64], &[AtomicU64]) {
        let data = self.data();
        let from = self.index(position);
        let until_end = count.min(data.len() - from);
        (&data[from..from + until_end], &data[..count - until_end])
    }

    fn data(&self) -> &[AtomicU64] {
        self.mapping.words(layout::DATA, self.size as usize / 8)
    }

    fn index(&self, position: u64) -> usize {
        (position & (self.size - 1)) as usize / 8
    }
}

/// The senders' lock. What is done under it makes no system call, and becomes true all at once when `head` is stored.
pub struct Guard<'a> {
    ring: &'a Ring,
}

impl Guard<'_> {
    /// Takes back what a sender that died has half done. Beside `head` and `floor`, which stand for themselves, a publish
    /// changes one word: its channel's count. What that was is noted before, with the head it was true for: while the
    /// head is still that one, nothing was committed.
    fn take_back(&self) {
        let ring = self.ring;
        if ring.u64(layout::UNDO_HEAD).load(Ordering::Relaxed) == ring.head() {
            let entry = ring.u64(layout::UNDO_ENTRY).load(Ordering::Relaxed) as usize % layout::CHANNELS;
            let count = ring.u64(layout::UNDO_COUNT).load(Ordering::Relaxed);
            ring.u64(layout::channel(entry, layout::COUNT)).store(count, Ordering::Release);
            ring.u64(layout::UNDO_HEAD).store(u64::MAX, Ordering::Release);
        }
    }

    /// Counts a message of the channel at `entry`: its number. Not true before [`commit`](Self::commit).
    pub(super) fn count(&self, entry: usize) -> u64 {
        let ring = self.ring;
        let word = ring.u64(layout::channel(entry, layout::COUNT));
        let number = word.load(Ordering::Relaxed);
        // Not valid while the two words below change, should we die there.
        ring.u64(layout::UNDO_HEAD).store(u64::MAX, Ordering::Release);
        ring.u64(layout::UNDO_ENTRY).store(entry as u64, Ordering::Release);
        ring.u64(layout::UNDO_COUNT).store(number, Ordering::Release);
        ring.u64(layout::UNDO_HEAD).store(ring.head(), Ordering::Release);
        word.store(number.wrapping_add(1), Ordering::Release);
        number
    }

    /// Makes everything before `head` visible.
    pub(super) fn commit(&self, head: u64) {
        self.ring.u64(layout::HEAD).store(head, Ordering::Release);
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        robust::unlock(&self.ring.mapping, layout::LOCK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_round_the_end() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        for length in 0..40 {
            for offset in [0, 8, 16, 24, 32, 40] {
                let bytes: Vec<u8> = (0..length).map(|n| n as u8 + 1).collect();
                let position = 7 * layout::SMALLEST - offset;
                ring.write(position, &bytes);
                let mut back = vec![0; bytes.len()];
                ring.read(position, &mut back);
                assert_eq!(back, bytes, "{length} bytes, {offset} before the end");
            }
        }
    }

    #[test]
    fn anothers_memory_is_refused() {
        let bell = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let foreign = create_file(c"rustcluster-test", layout::DATA + 65536).unwrap();
        assert_eq!(Ring::open(foreign, bell(), bell()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(Ring::open(create_file(c"rustcluster-test", 64).unwrap(), bell(), bell()).is_err());
        assert!(Ring::create(100_000).is_err());
        let ring = Ring::create(layout::SMALLEST).unwrap();
        let [memory, bell, knocker] = ring.descriptors().map(|fd| fd.try_clone_to_owned().unwrap());
        let same = Ring::open(memory, bell, knocker).unwrap();
        assert_eq!(same.size(), layout::SMALLEST);
    }

    #[test]
    fn who_was_called_wakes_the_rest_and_else_the_sender_does() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        assert_eq!(ring.call(), None, "nobody sleeps");
        let own = wake::arm(ring.u64(layout::ARMS));
        let called = ring.call().unwrap();
        assert_eq!(ring.call(), None, "somebody is about to wake all");
        assert!(ring.answer(own));
        assert!(!ring.follow_up(called), "that has been done");
        wake::arm(ring.u64(layout::ARMS));
        let called = ring.call().unwrap();
        wake::arm(ring.u64(layout::ARMS));
        assert!(ring.call().is_some(), "one more went to sleep");
        assert!(ring.follow_up(called), "nobody has come to it yet");
        assert!(!ring.follow_up(called));
    }

    #[test]
    fn who_was_called_and_comes_late_lets_the_others_sleep() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        let own = wake::arm(ring.u64(layout::ARMS));
        let other = wake::arm(ring.u64(layout::ARMS));
        let called = ring.call().unwrap();
        assert!(ring.follow_up(called));
        let again = wake::arm(ring.u64(layout::ARMS));
        assert!(again > other && !ring.answer(own), "the other has been woken, has read, and sleeps");
        ring.call().unwrap();
        assert!(ring.answer(own), "called once more, for that one, while it was on its way");
        wake::arm(ring.u64(layout::ARMS));
        let own = wake::arm(ring.u64(layout::ARMS));
        assert!(ring.answer(own), "called by a sender that has not noted it yet");
    }

    #[test]
    fn a_count_that_was_not_committed_is_taken_back() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        let guard = ring.lock(Duration::ZERO).unwrap();
        assert_eq!(guard.count(5), 0);
        guard.commit(64);
        assert_eq!(guard.count(5), 1);
        drop(guard);
        let guard = ring.lock(Duration::ZERO).unwrap();
        assert_eq!(guard.count(5), 1, "the second count was never committed");
    }
}
