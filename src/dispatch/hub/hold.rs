//! Workers that are held: they listen and are alive, but get no connections until they are released. A spare is held
//! until a worker dies, a new version until it has proved itself, an old one in case the new one does not.

use super::Hub;
use crate::dispatch::note;
use crate::dispatch::policy::Kind;
use crate::sys::clock::monotonic_nanos;
use crate::sys::message;
use std::sync::atomic::Ordering;

impl Hub {
    /// Gives the worker no new connection until it is released; those it has not read go to others. Under `kernel` its
    /// own socket goes on accepting.
    pub fn hold_worker(&mut self, id: u32) {
        let Some((slot, _)) = self.find(id) else { return };
        if self.held.contains_key(&id) {
            return;
        }
        let mut servers = Vec::new();
        for (&number, listener) in &mut self.listeners {
            if listener.kind != Kind::Kernel && listener.workers.contains(&slot) {
                listener.remove(slot);
                if let Some(Some(worker)) = self.workers.get(slot) {
                    worker.slot.set_may_accept(number, false);
                }
                servers.push(number);
            }
        }
        self.held.insert(id, servers);
        self.take_back(slot);
        self.rearm(monotonic_nanos());
    }

    /// Gives a held worker connections from now on.
    pub fn release_worker(&mut self, id: u32) {
        let Some(servers) = self.held.remove(&id) else { return };
        let Some((slot, worker)) = self.find(id) else { return };
        if worker.retired {
            return;
        }
        for number in servers {
            if let Some(listener) = self.listeners.get_mut(&number) {
                listener.add(slot);
            }
            self.invite(slot, number);
        }
        self.rearm(monotonic_nanos());
    }

    /// When the worker's loop last turned; `None` where that cannot be told.
    pub fn heartbeat(&mut self, id: u32) -> Option<u64> {
        let (_, worker) = self.find(id)?;
        Some(worker.slot.heartbeat().load(Ordering::Relaxed)).filter(|&heartbeat| heartbeat != 0)
    }

    /// Has the worker's loop turn, unless it hangs.
    pub fn ask(&mut self, id: u32) {
        let Some((_, worker)) = self.find(id) else { return };
        // A full channel wakes it just as well.
        let _ = message::send(&worker.near, &note::PING, None);
    }
}
