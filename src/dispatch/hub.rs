//! All the primary knows: its listening sockets, its workers, the connections nobody can take yet.
//!
//! The accept thread and JavaScript's thread both work on it, under one lock.

use super::listener::{Listener, Wanted};
use super::note::{Kind as NoteKind, Note};
use super::policy::{Choice, Kind, Slot, State};
use super::worker::{Sent, Worker};
use crate::shared::layout::SLOTS;
use crate::shared::segment::{self, Segment};
use crate::sys::clock::monotonic_nanos;
use crate::sys::epoll::{Epoll, Token};
use crate::sys::{message, socket};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// How often what could not be done is tried again, in nanoseconds.
const RETRY: u64 = 3_000_000;
/// How long accepting rests when there is no room for another descriptor, in nanoseconds.
const REST: u64 = 50_000_000;
/// Connections accepted from one socket before the others get their turn.
const BATCH: usize = 64;

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

/// A connection on its way to a worker.
#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    client: Option<IpAddr>,
    server: u32,
    hops: u32,
    /// The worker that has just sent it back.
    not_to: Option<Slot>,
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
    /// Whether its loop was stalled when last looked at.
    pub stalled: bool,
}

impl Load {
    /// Reads a worker's words.
    pub fn new(words: &segment::Slot, stalled: bool) -> Self {
        let (active, waiting, total) = (words.active(), words.waiting(), words.sent());
        Self { id: words.worker_id(), active, waiting, total, stalled }
    }
}

/// The state of the primary's dispatch.
#[derive(Debug)]
pub struct Hub {
    epoll: Epoll,
    segment: Segment,
    memory: OwnedFd,
    /// By slot.
    workers: Vec<Option<Worker>>,
    listeners: HashMap<u32, Listener>,
    last_listener: u32,
    last_worker: u32,
    /// Connections that found no worker, oldest first.
    waiting: VecDeque<Connection>,
}

impl Hub {
    /// A hub with neither sockets nor workers.
    ///
    /// # Errors
    /// What the kernel answers when it has no memory or descriptors left.
    pub fn new() -> io::Result<Self> {
        let (segment, memory) = Segment::create()?;
        Ok(Self {
            epoll: Epoll::new()?,
            segment,
            memory,
            workers: Vec::new(),
            listeners: HashMap::new(),
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
        let (near, far) = message::pair()?;
        self.last_worker += 1;
        let id = self.last_worker;
        self.epoll.add(&near, Source::Channel(id).token(), true)?;
        words.reset(0);
        let channel = far.as_raw_fd();
        if free == self.workers.len() {
            self.workers.push(None);
        }
        self.workers[free] = Some(Worker::new(id, words, near, far));
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
        for listener in self.listeners.values_mut() {
            listener.remove(slot);
        }
        self.take_back(slot);
        self.rearm(monotonic_nanos());
    }

    /// The worker's process has ended: its slot is free.
    pub fn remove_worker(&mut self, id: u32) {
        self.retire_worker(id);
        let Some((slot, worker)) = self.find(id) else { return };
        worker.slot.reset(0);
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
        self.epoll.add(&listener.socket, Source::Listener(number).token(), false)?;
        let address = listener.address;
        self.listeners.insert(number, listener);
        Ok((number, address))
    }

    /// Closes a listening socket and the connections nobody has taken.
    pub fn unlisten(&mut self, number: u32) {
        self.listeners.remove(&number);
        self.waiting.retain(|connection| connection.server != number);
    }

    /// What each worker has open.
    pub fn connections(&self) -> Vec<Load> {
        let load = |worker: &Worker| Load::new(&worker.slot, worker.health.is_stalled());
        self.workers.iter().flatten().map(load).collect()
    }

    /// Connections nobody can take now.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Deals with one event.
    pub fn handle(&mut self, source: Source) {
        match source {
            Source::Waker => {}
            Source::Listener(number) => self.accept(number),
            Source::Channel(id) => self.hear(id),
            Source::Death(id) => {
                if let Some((slot, _)) = self.find(id) {
                    // Reported until node:cluster removes the worker, unless it is taken out.
                    if let Some(watcher) = self.workers[slot].as_mut().and_then(|worker| worker.watcher.take()) {
                        let _ = self.epoll.remove(&watcher);
                    }
                    self.retire_worker(id);
                }
            }
        }
    }

    /// Does what is due, and returns when to come back at the latest (`None`: when something happens).
    pub fn tick(&mut self) -> Option<Duration> {
        let now = monotonic_nanos();
        self.relieve_stalled(now);
        if !self.waiting.is_empty() {
            for connection in std::mem::take(&mut self.waiting) {
                self.leave_waiting(connection.server);
                self.deliver(now, connection);
            }
        }
        self.rearm(now);
        self.next_look(now).map(|at| Duration::from_nanos(at.saturating_sub(now).max(1_000_000)))
    }

    fn next_look(&self, now: u64) -> Option<u64> {
        let workers = self.workers.iter().flatten().filter(|worker| worker.slot.waiting() > 0);
        let looks = workers.map(|worker| if worker.health.is_stalled() { now + RETRY } else { worker.health.due() });
        let rests = self.listeners.values().map(|listener| listener.resting_until).filter(|&until| until > now);
        let retry = (!self.waiting.is_empty()).then_some(now + RETRY);
        looks.chain(rests).chain(retry).min()
    }

    fn find(&mut self, id: u32) -> Option<(Slot, &mut Worker)> {
        let workers = self.workers.iter_mut().enumerate();
        workers.filter_map(|(slot, worker)| Some((slot, worker.as_mut()?))).find(|(_, worker)| worker.id == id)
    }

    /// Accepts what waits at a socket.
    fn accept(&mut self, number: u32) {
        for _ in 0..BATCH {
            let Some(listener) = self.listeners.get_mut(&number) else { return };
            if !listener.armed {
                return;
            }
            match listener.accept() {
                Ok((socket, client)) => {
                    let connection = Connection { socket, client, server: number, hops: 0, not_to: None };
                    self.deliver(monotonic_nanos(), connection);
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                        let now = monotonic_nanos();
                        listener.resting_until = now + REST;
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

    /// Hands a connection to the worker its socket's policy picks, or keeps it.
    fn deliver(&mut self, now: u64, mut connection: Connection) {
        let Some(listener) = self.listeners.get_mut(&connection.server) else { return };
        let not_to = connection.not_to.take();
        // Everyone has sent it back: they are full, and asking again at once would only spin.
        let tired = not_to.is_some() && connection.hops as usize >= listener.workers.len();
        let mut desperate = false;
        loop {
            if tired {
                break;
            }
            let state = |slot: Slot| match self.workers.get(slot) {
                Some(Some(worker)) if not_to != Some(slot) => worker.state(now, desperate),
                _ => State::Gone,
            };
            let Choice::Worker(slot) = listener.policy.pick(connection.client, &state) else {
                if desperate {
                    break;
                }
                desperate = true;
                continue;
            };
            // A policy picks among those it was told are free.
            let Some(Some(worker)) = self.workers.get_mut(slot) else { break };
            if !desperate && !worker.check(now) {
                continue;
            }
            match worker.send(now, connection.server, connection.hops, connection.socket.as_fd()) {
                Sent::Yes => return,
                Sent::Later => {}
                Sent::Never => worker.retired = true,
            }
        }
        connection.hops = 0;
        listener.waiting += 1;
        self.waiting.push_back(connection);
        self.rearm(now);
    }

    fn leave_waiting(&mut self, number: u32) {
        if let Some(listener) = self.listeners.get_mut(&number) {
            listener.waiting = listener.waiting.saturating_sub(1);
        }
    }

    /// Reads what a worker says.
    fn hear(&mut self, id: u32) {
        let Some((slot, _)) = self.find(id) else { return };
        for _ in 0..BATCH {
            let Some(Some(worker)) = self.workers.get(slot) else { return };
            let Some((note, socket)) = worker.hear() else { return };
            let retired = worker.retired;
            match (note.kind, socket) {
                (NoteKind::Ready, _) if !retired => {
                    if let Some(listener) = self.listeners.get_mut(&note.server) {
                        listener.add(slot);
                        self.rearm(monotonic_nanos());
                    }
                }
                (NoteKind::Leave, _) => {
                    if let Some(listener) = self.listeners.get_mut(&note.server) {
                        listener.remove(slot);
                        self.rearm(monotonic_nanos());
                    }
                }
                (NoteKind::Return, Some(socket)) => self.deliver_again(note, socket, slot, 1),
                _ => {}
            }
        }
    }

    /// Gives a connection `from` a worker to another.
    fn deliver_again(&mut self, note: Note, socket: OwnedFd, from: Slot, hop: u32) {
        let sticky = self.listeners.get(&note.server).is_some_and(|listener| listener.kind == Kind::Sticky);
        let client = if sticky { socket::peer_address(&socket) } else { None };
        let not_to = (hop > 0).then_some(from);
        let hops = note.hops.saturating_add(hop);
        self.deliver(monotonic_nanos(), Connection { socket, client, server: note.server, hops, not_to });
    }

    /// Gives what a worker has not read to others.
    fn take_back(&mut self, slot: Slot) {
        // Counted beforehand: under `sticky` a connection may come back to the worker it was taken from.
        let Some(Some(worker)) = self.workers.get(slot) else { return };
        let mut left = Vec::new();
        while let Some(connection) = worker.take_back() {
            left.push(connection);
        }
        for (note, socket) in left {
            self.deliver_again(note, socket, slot, 0);
        }
    }

    /// Looks after workers with unread connections, and gives those of stalled ones to others that are not.
    fn relieve_stalled(&mut self, now: u64) {
        for slot in 0..self.workers.len() {
            let Some(Some(worker)) = self.workers.get_mut(slot) else { continue };
            let pulse = worker.pulse();
            if pulse.waiting == 0 || !worker.health.observe(now, pulse) {
                continue;
            }
            let elsewhere = |other: &Slot| {
                let worker = self.workers.get(*other).and_then(Option::as_ref);
                worker.is_some_and(|worker| matches!(worker.state(now, false), State::Free(_)))
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

    /// Has the kernel report new connections exactly where somebody can take them: elsewhere they wait in the backlog.
    fn rearm(&mut self, now: u64) {
        for (&number, listener) in &mut self.listeners {
            let wanted = !listener.workers.is_empty() && listener.waiting == 0 && now >= listener.resting_until;
            if wanted != listener.armed
                && self.epoll.arm(&listener.socket, Source::Listener(number).token(), wanted).is_ok()
            {
                listener.armed = wanted;
            }
        }
    }
}
