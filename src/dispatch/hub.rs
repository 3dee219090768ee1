//! All the primary knows: its listening sockets, its workers, the connections nobody can take yet.
//!
//! The accept thread and JavaScript's thread both work on it, under one lock.

mod flow;
mod guard;
mod hold;
mod pace;
#[cfg(test)]
mod tests;

use super::health::{Health, Verdict};
use super::listener::{Listener, Wanted};
use super::policy::Slot;
use super::worker::Worker;
use crate::shared::layout::SLOTS;
use crate::shared::segment::{self, Segment};
use crate::sys::clock::monotonic_nanos;
use crate::sys::epoll::{Epoll, Token};
use crate::sys::message;
use crate::sys::process::has_free_descriptors;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Descriptors that a worker takes, to be on the safe side: its channel, the pipes that node:cluster opens, and what its
/// spawn needs.
const OF_A_FORK: usize = 16;

/// What an event is about. Numbers are never used twice, so an event that comes late
/// finds nobody and does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The wake-up of [`super::primary`].
    Waker,
    /// A listening socket, by its number.
    Listener(u32),
    /// A worker's channel, by the hub's number for the worker.
    Channel(u32),
    /// A worker's end, by the hub's number for the worker.
    Death(u32),
}

impl Source {
    /// As a number for the kernel to keep.
    pub fn token(self) -> Token {
        match self {
            Self::Waker => 0,
            Self::Listener(number) => 1 << 32 | Token::from(number),
            Self::Channel(id) => 2 << 32 | Token::from(id),
            Self::Death(id) => 3 << 32 | Token::from(id),
        }
    }

    /// The reverse.
    pub fn from_token(token: Token) -> Self {
        let low = token as u32;
        match token >> 32 {
            1 => Self::Listener(low),
            2 => Self::Channel(low),
            3 => Self::Death(low),
            _ => Self::Waker,
        }
    }
}

/// What a new worker inherits. The descriptors stay the hub's: they are lent for the time of the spawn.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    /// The hub's number for the worker.
    pub id: u32,
    /// Its slot in the shared memory.
    pub slot: Slot,
    /// Its end of the channel.
    pub channel: RawFd,
    /// The shared memory.
    pub memory: RawFd,
}

/// What [`Hub::connections`] tells of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Its `id` in node:cluster.
    pub id: u32,
    /// Connections it has open, unread ones included.
    pub active: u32,
    /// Connections it has not read.
    pub waiting: u64,
    /// Connections handed to it since it started.
    pub total: u64,
    /// Connections it has passed on to other workers since it started.
    pub moved: u64,
    /// Whether its loop was stalled when last looked at.
    pub stalled: bool,
}

impl Load {
    /// Reads a worker's words.
    pub fn new(words: &segment::Slot, stalled: bool) -> Self {
        let (active, waiting, moved) = (words.active(), words.waiting(), words.moved());
        let total = words.sent() + words.accepted();
        Self { id: words.worker_id(), active, waiting, total, moved, stalled }
    }
}

/// The state of the primary's dispatch.
#[derive(Debug)]
pub struct Hub {
    /// After how many nanoseconds a worker counts as stalled.
    stall: u64,
    epoll: Epoll,
    segment: Segment,
    memory: OwnedFd,
    /// By slot.
    workers: Vec<Option<Worker>>,
    listeners: HashMap<u32, Listener>,
    /// The servers each held worker listens on.
    held: HashMap<u32, Vec<u32>>,
    last_listener: u32,
    last_worker: u32,
    /// Connections that found no worker, oldest first.
    waiting: VecDeque<flow::Connection>,
}

impl Hub {
    /// A hub with neither sockets nor workers; one of these will count as stalled after `stall` nanoseconds.
    ///
    /// # Errors
    /// What the kernel answers when it has no memory or descriptors left.
    pub fn new(stall: u64) -> io::Result<Self> {
        let (segment, memory) = Segment::create()?;
        Ok(Self {
            stall,
            epoll: Epoll::new()?,
            segment,
            memory,
            workers: Vec::new(),
            listeners: HashMap::new(),
            held: HashMap::new(),
            last_listener: 0,
            last_worker: 0,
            waiting: VecDeque::new(),
        })
    }

    /// The set the accept thread waits for.
    pub fn epoll(&self) -> &Epoll {
        &self.epoll
    }

    /// Makes room for a worker: the hub's number for it, its slot, and the descriptors of its channel end and of the shared memory, which stay
    /// the hub's own and are lent for the worker to inherit.
    ///
    /// # Errors
    /// EAGAIN when every slot is taken; what socketpair(2) and epoll_ctl(2) answer.
    pub fn add_worker(&mut self) -> io::Result<Seat> {
        let free = self.workers.iter().position(Option::is_none).unwrap_or(self.workers.len());
        let Some(words) = self.segment.slot(free) else {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        };
        debug_assert!(free < SLOTS);
        // What copies have taken up is wanted now, and the fork that follows would fail for it.
        if !has_free_descriptors(self.memory.as_fd(), OF_A_FORK) {
            self.clear_copies();
        }
        let (near, far) = message::pair()?;
        self.last_worker += 1;
        let id = self.last_worker;
        self.epoll.add(&near, Source::Channel(id).token(), true)?;
        words.reset(0);
        self.segment.note_used(free);
        let channel = far.as_raw_fd();
        if free == self.workers.len() {
            self.workers.push(None);
        }
        self.workers[free] = Some(Worker::new(id, Health::new(self.stall), words, near, far));
        Ok(Seat { id, slot: free, channel, memory: self.memory.as_raw_fd() })
    }

    /// The worker, `name` in node:cluster, runs as process `pid`, which has not been waited for yet; 0: it could not be
    /// started.
    pub fn worker_started(&mut self, id: u32, name: u32, pid: u32) {
        let Some((slot, worker)) = self.find(id) else { return };
        worker.started(name, pid);
        if let Some(Some(Worker { watcher: Some(watcher), .. })) = self.workers.get(slot) {
            // Without it the primary hears of the end from node:cluster, only later.
            let _ = self.epoll.add(watcher, Source::Death(id).token(), true);
        }
    }

    /// The worker gets no new connection, and those it has not read go to others.
    pub fn retire_worker(&mut self, id: u32) {
        let Some((slot, worker)) = self.find(id) else { return };
        worker.retired = true;
        worker.slot.forbid_accepting();
        for listener in self.listeners.values_mut() {
            listener.remove(slot);
            listener.part(id);
        }
        self.take_back(slot);
        self.rearm(monotonic_nanos());
    }

    /// The worker's process has ended: its slot is free.
    pub fn remove_worker(&mut self, id: u32) {
        self.retire_worker(id);
        let Some((_, worker)) = self.find(id) else { return };
        worker.gone = true;
        self.bury();
    }

    /// Frees the slot of each worker that has ended, once all it has passed on is read.
    fn bury(&mut self) {
        for slot in 0..self.workers.len() {
            let Some(Worker { gone: true, id, .. }) = self.workers[slot] else { continue };
            if self.recover(id) {
                self.free(slot);
            }
        }
    }

    fn free(&mut self, slot: Slot) {
        let Some(worker) = &self.workers[slot] else { return };
        worker.slot.reset(0);
        self.held.remove(&worker.id);
        self.workers[slot] = None;
    }

    /// Opens a listening socket no worker listens on yet; returns its number and address.
    ///
    /// # Errors
    /// As [`Listener::open`].
    pub fn listen(&mut self, wanted: &Wanted) -> io::Result<(u32, SocketAddr)> {
        let listener = Listener::open(wanted)?;
        self.last_listener += 1;
        let number = self.last_listener;
        for socket in &listener.sockets {
            self.epoll.add(&socket.fd, Source::Listener(number).token(), false)?;
        }
        let address = listener.address;
        self.listeners.insert(number, listener);
        Ok((number, address))
    }

    /// Under `kernel`: a duplicate of worker `id`'s own socket, which is the caller's.
    ///
    /// # Errors
    /// As [`Listener::join`]; EBADF for a number that is none.
    pub fn join(&mut self, number: u32, id: u32) -> io::Result<OwnedFd> {
        let unknown = || io::Error::from_raw_os_error(libc::EBADF);
        let listener = self.listeners.get_mut(&number).ok_or_else(unknown)?;
        let known = listener.sockets.len();
        let (place, duplicate) = listener.join(id)?;
        if place == known {
            self.epoll.add(&listener.sockets[place].fd, Source::Listener(number).token(), false)?;
        }
        self.rearm(monotonic_nanos());
        Ok(duplicate)
    }

    /// Closes a listening socket and the connections nobody has taken.
    pub fn unlisten(&mut self, number: u32) {
        let Some(listener) = self.listeners.remove(&number) else { return };
        listener.end();
        for socket in &listener.sockets {
            // Closing does not do it where a worker holds a duplicate.
            let _ = self.epoll.remove(&socket.fd);
        }
        for connection in std::mem::take(&mut self.waiting) {
            if connection.server() == number {
                connection.refuse();
            } else {
                self.waiting.push_back(connection);
            }
        }
    }

    /// Closes every listening socket for good, once it is empty: whoever is connected by now is still served, whoever
    /// comes later is refused.
    pub fn stop_listening(&mut self) {
        let numbers: Vec<_> = self.listeners.keys().copied().collect();
        for number in numbers {
            self.empty(number);
            let Some(listener) = self.listeners.get_mut(&number) else { continue };
            listener.end();
            for socket in std::mem::take(&mut listener.sockets) {
                // Closing does not do it where a worker holds a duplicate.
                let _ = self.epoll.remove(&socket.fd);
            }
        }
    }

    /// Connections that no worker has taken.
    pub fn untaken(&self) -> u64 {
        let unread: u64 = self.workers.iter().flatten().map(|worker| worker.slot.waiting()).sum();
        unread + self.waiting.len() as u64
    }

    /// What each worker has open.
    pub fn connections(&mut self) -> Vec<Load> {
        let now = monotonic_nanos();
        self.workers.iter_mut().flatten().for_each(|worker| worker.probe(now));
        let load = |worker: &Worker| Load::new(&worker.slot, worker.health.verdict() != Verdict::Well);
        self.workers.iter().flatten().map(load).collect()
    }

    /// Connections nobody can take now.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn find(&mut self, id: u32) -> Option<(Slot, &mut Worker)> {
        let workers = self.workers.iter_mut().enumerate();
        workers.filter_map(|(slot, worker)| Some((slot, worker.as_mut()?))).find(|(_, worker)| worker.id == id)
    }
}
