//! A gate in front of all kernels of a cluster: at most as many run at once as there are cores, over all workers.
//!
//! A pool per worker alone would let 16 workers start 16 x 16 kernels. The gate is a row of slots in memory that all
//! processes map: a kernel writes its process id into a free slot and clears it when done. The slots of a process that
//! died are taken back by whoever finds none free.

use crate::sys::futex::{wait, wake_one};
use crate::sys::mapping::{Mapping, create_file, reserve};
use crate::sys::process::is_alive;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a waiter sleeps before it looks for dead holders and for its own abort.
const PATIENCE: Duration = Duration::from_millis(20);

/// One mapping of the gate. Word 0 counts releases, for waiters to sleep on; the others are slots: 0 or a process id.
pub struct Gate {
    words: Mapping,
}

/// A place inside; dropped, it is free again.
pub struct Permit<'a> {
    gate: &'a Gate,
    slot: &'a AtomicU32,
}

impl Gate {
    /// A new gate of `slots` places, and the file by which other processes [`open`](Self::open) it.
    ///
    /// # Errors
    /// Those of making and mapping an anonymous file.
    pub fn create(slots: usize) -> io::Result<(Self, OwnedFd)> {
        let bytes = (slots.max(1) + 1) * size_of::<AtomicU32>();
        let file = create_file(c"rustcluster-gate", bytes)?;
        // A shortage of memory is an error here, and not a SIGBUS later.
        reserve(&file, bytes)?;
        Ok((Self { words: Mapping::whole(&file)? }, file))
    }

    /// The gate another process created.
    ///
    /// # Errors
    /// Those of opening and mapping `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self { words: Mapping::whole(&file)? })
    }

    /// Waits for a place, or until `give_up` says so; it is asked every 20 ms at least.
    pub fn enter(&self, give_up: impl Fn() -> bool) -> Option<Permit<'_>> {
        let pid = std::process::id();
        loop {
            // Read before the slots: a release in between changes it, and wait() returns at once.
            let seen = self.released().load(Ordering::Acquire);
            if let Some(permit) = self.take(pid) {
                return Some(permit);
            }
            if give_up() {
                return None;
            }
            if !self.reclaim() {
                wait(self.released(), seen, PATIENCE);
            }
        }
    }

    /// A place, if one is free now.
    pub fn try_enter(&self) -> Option<Permit<'_>> {
        self.take(std::process::id())
    }

    fn take(&self, pid: u32) -> Option<Permit<'_>> {
        let slot = self.slots().iter().find(|slot| swap(slot, 0, pid))?;
        Some(Permit { gate: self, slot })
    }

    /// Places taken now.
    pub fn taken(&self) -> usize {
        self.slots().iter().filter(|slot| slot.load(Ordering::Relaxed) != 0).count()
    }

    /// Frees the slots of processes that are gone; says whether there were any.
    fn reclaim(&self) -> bool {
        let dead = |pid: u32| pid != 0 && !is_alive(pid);
        let freed = self.slots().iter().filter(|slot| {
            let pid = slot.load(Ordering::Relaxed);
            dead(pid) && swap(slot, pid, 0)
        });
        freed.count() > 0
    }

    fn released(&self) -> &AtomicU32 {
        &self.words.halves()[0]
    }

    fn slots(&self) -> &[AtomicU32] {
        &self.words.halves()[1..]
    }
}

/// The slots guard no memory, only a number of places, so no ordering is needed beyond the swap itself.
fn swap(slot: &AtomicU32, from: u32, to: u32) -> bool {
    slot.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.slot.store(0, Ordering::Relaxed);
        // Release: whoever sees the new count sees the free slot.
        self.gate.released().fetch_add(1, Ordering::Release);
        wake_one(self.gate.released());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    fn never() -> bool {
        false
    }

    #[test]
    fn no_more_are_inside_than_there_are_places_over_two_mappings() {
        let (gate, file) = Gate::create(3).unwrap();
        let other = Gate::open(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd()))).unwrap();
        let (gates, inside) = ([Arc::new(gate), Arc::new(other)], Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (gate, inside) = (Arc::clone(&gates[n % 2]), Arc::clone(&inside));
                std::thread::spawn(move || {
                    for _ in 0..500 {
                        let permit = gate.enter(never).unwrap();
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(gates[0].taken(), 0);
    }

    #[test]
    fn the_slot_of_a_dead_process_comes_back() {
        let (gate, _file) = Gate::create(1).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        gate.slots()[0].store(pid, Ordering::Relaxed);
        assert!(gate.enter(never).is_some());
    }

    #[test]
    fn who_does_not_wait_enters_only_where_a_place_is_free() {
        let (gate, _file) = Gate::create(2).unwrap();
        let first = gate.try_enter().unwrap();
        let _second = gate.enter(never).unwrap();
        assert!(gate.try_enter().is_none());
        drop(first);
        assert!(gate.try_enter().is_some());
    }

    #[test]
    fn a_waiter_can_give_up() {
        let (gate, _file) = Gate::create(1).unwrap();
        let _permit = gate.enter(never).unwrap();
        assert!(gate.enter(|| true).is_none());
    }
}
