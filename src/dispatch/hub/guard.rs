//! Listening sockets whose workers accept by themselves.
//!
//! The accept thread hears of the first connection after a pause and then leaves the socket alone for as long as the workers
//! take what comes. It looks every few milliseconds whether they do: the one the kernel has woken may be stopped, or dead,
//! or all may be busy. Then it accepts as if they did not, and hands over to whom it can. It also asks those whose loops
//! have not turned to do so, since one that hangs is not to be waited for.

use super::{Hub, flow};
use crate::dispatch::listener::{Guard, Listener};
use crate::dispatch::policy::{Kind, Slot};
use crate::dispatch::worker::Worker;
use crate::sys::clock::monotonic_nanos;
use crate::sys::process::has_free_descriptors;
use crate::sys::{progress, socket};
use std::os::fd::{AsFd, OwnedFd};

/// How often to look, in nanoseconds.
const LOOK: u64 = 5_000_000;

impl Hub {
    /// Lets a worker that listens accept by itself, where the policy leaves it to the workers.
    pub(super) fn invite(&mut self, slot: Slot, number: u32) {
        let (Some(listener), Some(Some(worker))) = (self.listeners.get_mut(&number), self.workers.get(slot)) else {
            return;
        };
        let [socket] = &listener.sockets[..] else { return };
        if listener.kind == Kind::LeastConnections
            && listener.workers.contains(&slot)
            && !listener.invited.contains(&slot)
            && worker.invite(number, socket.fd.as_fd())
        {
            listener.invited.push(slot);
        }
    }

    /// A connection has come: whether the workers see to it. Looked after from now on.
    pub(super) fn leave_to_workers(&mut self, number: u32) -> bool {
        let Some(listener) = self.listeners.get_mut(&number) else { return false };
        if !listener.is_self_served() {
            return false;
        }
        let now = monotonic_nanos();
        listener.guard = Some(Guard { look_at: now + LOOK, taken: taken(&self.workers, listener) });
        self.rearm(now);
        true
    }

    /// Looks whether workers accept what comes.
    pub(super) fn look_after_listeners(&mut self, now: u64) {
        let due = |listener: &Listener| listener.guard.is_some_and(|guard| guard.look_at <= now);
        let numbers: Vec<_> = self.listeners.iter().filter(|(_, one)| due(one)).map(|(&number, _)| number).collect();
        for number in numbers {
            let Some(listener) = self.listeners.get_mut(&number) else { continue };
            for &slot in &listener.workers {
                if let Some(Some(worker)) = self.workers.get_mut(slot) {
                    worker.probe(now);
                }
            }
            let taken = taken(&self.workers, listener);
            let went_on = listener.guard.is_some_and(|guard| guard.taken != taken);
            if went_on && listener.is_self_served() {
                listener.guard = Some(Guard { look_at: now + LOOK, taken });
                continue;
            }
            let waits = listener.sockets.iter().any(|socket| socket::is_readable(&socket.fd));
            listener.guard = None;
            self.rearm(now);
            if waits {
                self.accept(number);
            }
        }
    }

    /// As `recover`, of those the worker had accepted by itself.
    pub(super) fn recover_kept(&mut self, slot: Slot) -> bool {
        loop {
            let Some(Some(Worker { keeper: Some(_), .. })) = self.workers.get(slot) else { return true };
            if !has_free_descriptors(self.memory.as_fd(), 1) && !self.clear_copies() {
                return false;
            }
            let Some(Some(worker)) = self.workers.get_mut(slot) else { return true };
            let Some((note, socket)) = worker.take_kept() else {
                worker.keeper = None;
                return true;
            };
            if progress::is_untouched(&socket, None).unwrap_or(false) && !self.has_copy(&socket) {
                self.deliver_again(note, socket, None, false);
            }
        }
    }

    /// Whether a connection has come back from a worker that had accepted it, and is another's by now.
    fn has_copy(&mut self, socket: &OwnedFd) -> bool {
        // Better one lost than one given to two.
        let Ok(identity) = progress::identity(socket) else { return true };
        let waits =
            |connection: &flow::Connection| progress::identity(&connection.socket).is_ok_and(|one| one == identity);
        self.waiting.iter().any(waits) || self.workers.iter_mut().flatten().any(|worker| worker.copies.has(identity))
    }
}

/// What the workers of a socket have taken altogether.
fn taken(workers: &[Option<Worker>], listener: &Listener) -> u64 {
    let known = listener.workers.iter().filter_map(|&slot| workers.get(slot)?.as_ref());
    known.map(|worker| worker.slot.accepted() + worker.slot.taken()).sum()
}
