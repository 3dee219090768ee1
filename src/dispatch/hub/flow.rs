//! How connections flow: from a socket to a worker, back from one that cannot take them, on to another.

use super::{Hub, Source};
use crate::dispatch::channel::Past;
use crate::dispatch::copies::Handed;
use crate::dispatch::health::Verdict;
use crate::dispatch::note::{self, FRESH, Kind as NoteKind, Note};
use crate::dispatch::policy::{Choice, Kind, LeastConnections, Slot, State};
use crate::dispatch::worker::Sent;
use crate::sys::clock::monotonic_nanos;
use crate::sys::process::has_free_descriptors;
use crate::sys::{ending, message, progress, socket};
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// How often what could not be done is tried again, in nanoseconds.
const RETRY: u64 = 3_000_000;
/// How long accepting rests when there is no room for another descriptor, in nanoseconds.
const REST: u64 = 50_000_000;
/// Connections accepted from one socket before the others get their turn.
const BATCH: usize = 64;

/// A connection on its way to a worker.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: OwnedFd,
    client: Option<IpAddr>,
    server: u32,
    past: Past,
    /// The worker that has just sent it back.
    not_to: Option<Slot>,
    /// To the worker with the fewest connections, whatever the policy: a live worker passes it on.
    even: bool,
}

impl Connection {
    /// The number of the listening socket it came by.
    pub(super) fn server(&self) -> u32 {
        self.server
    }

    /// Ends it where nobody can serve it: its client reads the end, and is not reset.
    pub(super) fn refuse(self) {
        ending::discard(&self.socket);
    }

    /// As the primary keeps it while a worker has it; `None` where nobody can tell what becomes of it.
    fn handed(self) -> Option<Handed> {
        let Self { socket, client, server, past: Past { idle, .. }, .. } = self;
        let read_before = match idle {
            FRESH => None,
            _ => Some(progress::bytes_read(&socket).ok()?),
        };
        Some(Handed { socket, client, server, idle, read_before })
    }
}

impl Hub {
    /// Deals with one event.
    pub fn handle(&mut self, source: Source) {
        match source {
            Source::Waker => {}
            Source::Listener(number) if self.leave_to_workers(number) => {}
            Source::Listener(number) => self.accept(number),
            Source::Channel(id) => {
                self.hear(id);
            }
            Source::Death(id) => {
                if let Some((slot, _)) = self.find(id) {
                    // Reported until node:cluster removes the worker, unless it is taken out.
                    if let Some(watcher) = self.workers[slot].as_mut().and_then(|worker| worker.watcher.take()) {
                        let _ = self.epoll.remove(&watcher);
                    }
                    self.retire_worker(id);
                    // At once: clients wait. What cannot be heard now for want of descriptors is when it is buried.
                    self.recover(id);
                }
            }
        }
    }

    /// Does what is due, and returns when to come back at the latest (`None`: when something happens).
    pub fn tick(&mut self) -> Option<Duration> {
        let now = monotonic_nanos();
        self.bury();
        self.relieve_stalled(now);
        self.drop_copies(now);
        self.look_after_listeners(now);
        if !self.waiting.is_empty() {
            for connection in std::mem::take(&mut self.waiting) {
                self.leave_waiting(connection.server);
                self.deliver(now, connection);
            }
        }
        if self.workers.iter().flatten().any(|worker| worker.deaf) && has_free_descriptors(self.memory.as_fd(), 1) {
            for worker in self.workers.iter_mut().flatten().filter(|worker| worker.deaf) {
                worker.deaf = self.epoll.arm(&worker.near, Source::Channel(worker.id).token(), true).is_err();
            }
        }
        self.rearm(now);
        self.next_look(now).map(|at| Duration::from_nanos(at.saturating_sub(now).max(1_000_000)))
    }

    fn next_look(&self, now: u64) -> Option<u64> {
        let workers = self.workers.iter().flatten().filter(|worker| worker.slot.waiting() > 0);
        let looks = workers
            .map(|worker| if worker.health.verdict() != Verdict::Well { now + RETRY } else { worker.health.due() });
        let rests = self.listeners.values().map(|listener| listener.resting_until).filter(|&until| until > now);
        let deaf = self.workers.iter().flatten().any(|worker| worker.deaf);
        let retry = (deaf || !self.waiting.is_empty()).then_some(now + RETRY);
        let copies = self.workers.iter().flatten().filter_map(|worker| worker.copies.due());
        let guards = self.listeners.values().filter_map(|listener| listener.guard.map(|guard| guard.look_at));
        looks.chain(guards).chain(rests).chain(retry).chain(copies).min()
    }

    /// Accepts what waits at a socket.
    pub(super) fn accept(&mut self, number: u32) {
        for _ in 0..BATCH {
            let Some(listener) = self.listeners.get_mut(&number) else { return };
            match listener.accept() {
                Ok((socket, client)) => {
                    let past = Past::default();
                    let connection = Connection { socket, client, server: number, past, not_to: None, even: false };
                    let now = monotonic_nanos();
                    self.deliver(now, connection);
                    if self.is_sated(now, number) {
                        return;
                    }
                }
                Err(error) => match error.raw_os_error() {
                    // What copies have taken up is tried first.
                    Some(libc::EMFILE | libc::ENFILE) if self.clear_copies() => {}
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                        let now = monotonic_nanos();
                        if let Some(listener) = self.listeners.get_mut(&number) {
                            listener.resting_until = now + REST;
                        }
                        self.rearm(now);
                        return;
                    }
                    Some(libc::EAGAIN) => return,
                    // The connection is gone before it was accepted (accept(2), "Error handling").
                    _ => {}
                },
            }
        }
    }

    /// Accepts all there is at a server's sockets, those its workers accept from included, and will ever be.
    pub(super) fn empty(&mut self, number: u32) {
        let Some(listener) = self.listeners.get_mut(&number) else { return };
        let mut accepted = Vec::new();
        for socket in &listener.sockets {
            // Where the kernel does not allow it, only what comes within microseconds is reset.
            let _ = ending::refuse_new(&socket.fd);
            loop {
                match socket::accept(&socket.fd) {
                    Ok(connection) => accepted.push(connection),
                    Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => {}
                    Err(_) => break,
                }
            }
        }
        let (now, past) = (monotonic_nanos(), Past::default());
        for (socket, client) in accepted {
            self.deliver(now, Connection { socket, client, server: number, past, not_to: None, even: false });
        }
    }

    /// Hands a connection to the worker its socket's policy picks, or keeps it.
    fn deliver(&mut self, now: u64, mut connection: Connection) {
        let Some(listener) = self.listeners.get_mut(&connection.server) else { return connection.refuse() };
        for &slot in &listener.workers {
            if let Some(Some(worker)) = self.workers.get_mut(slot) {
                worker.refresh(now);
            }
        }
        let not_to = connection.not_to.take();
        // Everyone has sent it back: they are full, and asking again at once would only spin.
        let tired = not_to.is_some() && connection.past.hops as usize >= listener.workers.len();
        // Better one that may hang than one that is known to, better that than nobody.
        let mut worst = Verdict::Well;
        loop {
            if tired {
                break;
            }
            let state = |slot: Slot| match self.workers.get(slot) {
                Some(Some(worker)) if not_to != Some(slot) => worker.state(now, worst),
                _ => State::Gone,
            };
            let choice = match connection.even {
                true => LeastConnections::choose(listener.workers.iter().copied(), &state),
                false => listener.policy.pick(connection.client, &state),
            };
            let Choice::Worker(slot) = choice else {
                worst = match worst {
                    Verdict::Well => Verdict::Suspect,
                    Verdict::Suspect => Verdict::Stalled,
                    Verdict::Stalled => break,
                };
                continue;
            };
            // A policy picks among those it was told are free.
            let Some(Some(worker)) = self.workers.get_mut(slot) else { break };
            if worst == Verdict::Well && !worker.check(now) {
                continue;
            }
            match worker.send(now, connection.server, connection.past, connection.socket.as_fd()) {
                Sent::Yes => {
                    if let Some(handed) = connection.handed() {
                        worker.copies.keep(now, handed);
                    }
                    return;
                }
                Sent::Later => {}
                Sent::Never => worker.retired = true,
            }
        }
        connection.past.hops = 0;
        listener.waiting += 1;
        self.waiting.push_back(connection);
        self.rearm(now);
    }

    fn leave_waiting(&mut self, number: u32) {
        if let Some(listener) = self.listeners.get_mut(&number) {
            listener.waiting = listener.waiting.saturating_sub(1);
        }
    }

    /// Reads what a worker says; returns whether there is no more.
    fn hear(&mut self, id: u32) -> bool {
        let Some((slot, _)) = self.find(id) else { return true };
        for _ in 0..BATCH {
            let has_room = |hub: &Self| has_free_descriptors(hub.memory.as_fd(), 1);
            // What copies have taken up is tried first.
            let hears = has_room(self) || (self.clear_copies() && has_room(self));
            let Some(Some(worker)) = self.workers.get_mut(slot) else { return true };
            if !hears {
                worker.deaf = self.epoll.arm(&worker.near, Source::Channel(id).token(), false).is_ok();
                return false;
            }
            let Some((note, socket)) = worker.hear() else { return true };
            let retired = worker.retired;
            if let Some(socket) = &socket {
                worker.copies.forget_socket(socket);
            }
            match (note.kind, socket) {
                (NoteKind::Keeper, Some(socket)) => worker.keeper = Some(socket),
                (NoteKind::Ready, _) if !retired => {
                    worker.accepts = note.hops != 0;
                    if let Some(servers) = self.held.get_mut(&id) {
                        servers.push(note.server);
                    } else if let Some(listener) = self.listeners.get_mut(&note.server) {
                        listener.add(slot);
                        self.invite(slot, note.server);
                        self.rearm(monotonic_nanos());
                    }
                }
                (NoteKind::Leave, _) => {
                    worker.slot.set_may_accept(note.server, false);
                    if let Some(servers) = self.held.get_mut(&id) {
                        servers.retain(|&server| server != note.server);
                    }
                    if let Some(listener) = self.listeners.get_mut(&note.server) {
                        listener.remove(slot);
                        listener.part(id);
                        self.rearm(monotonic_nanos());
                    }
                }
                (NoteKind::Return, Some(socket)) => self.deliver_again(note, socket, Some(slot), false),
                (NoteKind::Move, Some(socket)) => self.deliver_again(note, socket, None, !retired),
                (NoteKind::Untouched, _) => worker.copies.forget(note.identity()),
                _ => {}
            }
        }
        false
    }

    /// A worker has ended: what it has said is read, and the connections it had taken without touching them go to
    /// others. False when there is no room for the descriptors now.
    pub(super) fn recover(&mut self, id: u32) -> bool {
        if !self.hear_out(id) {
            return false;
        }
        let now = monotonic_nanos();
        let Some((slot, worker)) = self.find(id) else { return true };
        let left = worker.copies.rescue(now);
        for Handed { socket, client, server, idle, .. } in left {
            let past = Past { hops: 0, idle };
            self.deliver(now, Connection { socket, client, server, past, not_to: None, even: false });
        }
        self.recover_kept(slot)
    }

    /// Closes all copies: their descriptors are needed. False when there were none.
    pub(super) fn clear_copies(&mut self) -> bool {
        let mut any = false;
        for worker in self.workers.iter_mut().flatten() {
            any |= !worker.copies.is_empty();
            worker.copies.clear();
        }
        any
    }

    /// Closes the copies of connections that workers have touched.
    fn drop_copies(&mut self, now: u64) {
        for worker in self.workers.iter_mut().flatten() {
            let pulse = worker.pulse();
            if worker.copies.look(now, pulse.waiting, pulse.heartbeat) {
                // A full channel wakes it just as well.
                let _ = message::send(&worker.near, &note::PING, None);
            }
        }
    }

    /// Reads all a worker that has ended has said; false when there is no room for the descriptors now.
    pub(super) fn hear_out(&mut self, id: u32) -> bool {
        while !self.hear(id) {
            if self.find(id).is_some_and(|(_, worker)| worker.deaf) {
                return false;
            }
        }
        true
    }

    /// Gives a connection that has left a worker to one that is not `not_to`, which could not take it.
    pub(super) fn deliver_again(&mut self, note: Note, socket: OwnedFd, not_to: Option<Slot>, even: bool) {
        let Note { server, hops, idle, .. } = note;
        let sticky = self.listeners.get(&server).is_some_and(|listener| listener.kind == Kind::Sticky);
        let client = if sticky { socket::peer_address(&socket) } else { None };
        let past = Past { hops: hops.saturating_add(u32::from(not_to.is_some())), idle };
        let even = even && !sticky;
        self.deliver(monotonic_nanos(), Connection { socket, client, server, past, not_to, even });
    }

    /// Gives what a worker has not read to others.
    pub(super) fn take_back(&mut self, slot: Slot) {
        // Counted beforehand: under `sticky` a connection may come back to the worker it was taken from.
        let Some(Some(worker)) = self.workers.get_mut(slot) else { return };
        let mut left = Vec::new();
        while let Some(connection) = worker.take_back() {
            left.push(connection);
        }
        for (note, socket) in left {
            self.deliver_again(note, socket, None, false);
        }
    }

    /// Looks after workers with unread connections, and gives those of stalled ones to others that are not.
    fn relieve_stalled(&mut self, now: u64) {
        // All first: one that has come back, or was suspected for nothing, may be the only one that can take them.
        self.workers.iter_mut().flatten().for_each(|worker| worker.refresh(now));
        for slot in 0..self.workers.len() {
            let Some(Some(worker)) = self.workers.get_mut(slot) else { continue };
            let pulse = worker.pulse();
            if pulse.waiting == 0 || worker.health.observe(now, pulse) == Verdict::Well {
                continue;
            }
            let elsewhere = |other: &Slot| {
                let worker = self.workers.get(*other).and_then(Option::as_ref);
                worker.is_some_and(|worker| matches!(worker.state(now, Verdict::Well), State::Free(_)))
            };
            let movable = self.listeners.values().any(|listener| {
                listener.kind != Kind::Sticky
                    && listener.workers.contains(&slot)
                    && listener.workers.iter().any(elsewhere)
            });
            if movable {
                self.take_back(slot);
            }
        }
    }
}
