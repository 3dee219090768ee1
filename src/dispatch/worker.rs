//! A worker as the primary sees it: its channel, its words in the shared segment, its health.

use super::channel::Past;
use super::copies::Copies;
use super::health::{Health, Pulse, Verdict};
use super::note::{self, Kind, Note};
use super::policy::State;
use crate::shared::segment::Slot;
use crate::sys::{message, process};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;

/// Connections a worker may have unread: what the kernel's socket buffer would hold, kept below the number of
/// descriptors a user may have under way by default (1024).
const UNREAD: u64 = 200;
/// How long a worker whose channel was full is left alone, in nanoseconds.
const FULL: u64 = 2_000_000;

/// One worker process.
#[derive(Debug)]
pub struct Worker {
    /// The hub's number for it.
    pub id: u32,
    /// Its words in the shared segment.
    pub slot: Slot,
    /// The primary's end of the channel.
    pub near: OwnedFd,
    /// The worker's end: inherited by the worker, and read here to take connections back.
    pub far: OwnedFd,
    /// Becomes readable when the process has ended.
    pub watcher: Option<OwnedFd>,
    /// The kernel's line about the worker's main thread.
    stat: Option<File>,
    /// Whether it hangs.
    pub health: Health,
    /// It is not listened to, for want of a descriptor that what it says may carry.
    pub deaf: bool,
    /// It gets nothing any more: it is draining or dead.
    pub retired: bool,
    /// Its process has ended.
    pub gone: bool,
    /// Connections it has been handed and may not have touched.
    pub copies: Copies,
    /// It can accept connections by itself.
    pub accepts: bool,
    /// Where it keeps those it has accepted by itself and may not have touched, see [`super::keeper`].
    pub keeper: Option<OwnedFd>,
    /// The heartbeat at which it was last asked to turn its loop, and when.
    asked: (u64, u64),
    /// Its channel is full until then, in nanoseconds of the monotonic clock.
    full_until: u64,
}

/// What became of a connection that was to be handed over.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    /// The worker will read it.
    Yes,
    /// Not now: the worker, or the kernel, has too much under way.
    Later,
    /// This worker will never take one.
    Never,
}

impl Worker {
    /// A worker that has not been started yet.
    pub fn new(id: u32, health: Health, slot: Slot, near: OwnedFd, far: OwnedFd) -> Self {
        let (deaf, retired, gone) = (false, false, false);
        Self {
            id,
            slot,
            near,
            far,
            watcher: None,
            stat: None,
            health,
            deaf,
            retired,
            gone,
            copies: Copies::default(),
            accepts: false,
            keeper: None,
            asked: (0, 0),
            full_until: 0,
        }
    }

    /// It runs as process `pid`, and is `name` in node:cluster.
    pub fn started(&mut self, name: u32, pid: u32) {
        self.slot.set_worker_id(name);
        if pid == 0 {
            return;
        }
        self.slot.pid().store(pid, Ordering::Relaxed);
        // Both are refinements: an old kernel or a container without /proc does without.
        self.watcher = process::watch(pid).ok();
        self.stat = File::open(format!("/proc/{pid}/task/{pid}/stat")).ok();
    }

    /// What it has written.
    pub fn pulse(&self) -> Pulse {
        let (taken, waiting) = (self.slot.taken(), self.slot.waiting());
        Pulse { taken, waiting, heartbeat: self.slot.heartbeat().load(Ordering::Relaxed) }
    }

    /// What a policy is told when workers in a state of up to `worst` may be picked.
    pub fn state(&self, now: u64, worst: Verdict) -> State {
        if self.retired {
            State::Gone
        } else if now < self.full_until || self.slot.is_full() || self.health.verdict() > worst {
            State::Busy
        } else {
            State::Free(self.slot.active())
        }
    }

    /// Looks whether a worker that was not well has come back.
    pub fn refresh(&mut self, now: u64) {
        if self.health.verdict() != Verdict::Well {
            self.health.observe(now, self.pulse());
        }
    }

    /// Looks whether the loop of a worker that is handed nothing turns: one that has not for a while is asked to, and hangs
    /// when it does not.
    pub fn probe(&mut self, now: u64) {
        let pulse = self.pulse();
        self.health.observe(now, pulse);
        let limit = self.health.limit();
        if self.accepts && pulse.heartbeat != 0 && now.saturating_sub(pulse.heartbeat) > limit {
            let (heartbeat, asked_at) = self.asked;
            if heartbeat != pulse.heartbeat {
                self.asked = (pulse.heartbeat, now);
                // A full channel wakes it just as well.
                let _ = message::send(&self.near, &note::PING, None);
            } else if now.saturating_sub(asked_at) >= limit {
                self.health.hangs(now, pulse);
            }
        }
        self.slot.set_stalled(self.health.verdict() == Verdict::Stalled);
    }

    /// Looks whether the worker can take a connection now. Marks it suspect when its loop has not turned for a while
    /// although its main thread is computing: an idle loop sleeps.
    pub fn check(&mut self, now: u64) -> bool {
        let pulse = self.pulse();
        if self.health.observe(now, pulse) != Verdict::Well {
            return false;
        }
        // One with unread connections has just been woken, and `observe` tells what comes of it.
        let quiet =
            pulse.heartbeat != 0 && pulse.waiting == 0 && now.saturating_sub(pulse.heartbeat) > self.health.limit();
        // Nor is one suspected that a connection may have woken unseen, unless it was asked to turn a while ago.
        let (heartbeat, asked_at) = self.asked;
        let asked = heartbeat == pulse.heartbeat && now.saturating_sub(asked_at) > self.health.limit() / 4;
        if quiet && (!self.accepts || asked) && self.is_running() {
            self.health.suspect(now, pulse);
            return false;
        }
        true
    }

    /// Lets it accept connections from listening socket `server` by itself; false where it cannot be told to.
    pub fn invite(&self, server: u32, socket: BorrowedFd<'_>) -> bool {
        if !self.accepts || self.retired {
            return false;
        }
        self.slot.set_may_accept(server, true);
        let note = Note { kind: Kind::Listener, server, hops: 0, idle: note::FRESH };
        let told = message::send(&self.near, &note.encode(), Some(socket)).is_ok();
        if !told {
            self.slot.set_may_accept(server, false);
        }
        told
    }

    /// One connection that the worker, which has ended, had accepted by itself and may not have touched.
    pub fn take_kept(&self) -> Option<(Note, OwnedFd)> {
        loop {
            if let (note, Some(connection)) = receive(self.keeper.as_ref()?).ok()?? {
                return Some((note, connection));
            }
        }
    }

    /// Hands a connection over.
    pub fn send(&mut self, now: u64, server: u32, past: Past, connection: BorrowedFd<'_>) -> Sent {
        let pulse = self.pulse();
        if pulse.waiting >= UNREAD {
            self.full_until = now + FULL;
            return Sent::Later;
        }
        self.health.expect(now, pulse);
        // Counted first: the worker may read and close it before the next line.
        self.slot.note_sent();
        let Past { hops, idle } = past;
        let note = Note { kind: Kind::Connection, server, hops, idle };
        let Err(error) = message::send(&self.near, &note.encode(), Some(connection)) else { return Sent::Yes };
        self.slot.note_taken_back();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::ETOOMANYREFS | libc::ENOBUFS | libc::ENOMEM) => {
                self.full_until = now + FULL;
                Sent::Later
            }
            _ => Sent::Never,
        }
    }

    /// Takes back one connection the worker has not read. None is risked when this process has no room for another
    /// descriptor.
    pub fn take_back(&mut self) -> Option<(Note, OwnedFd)> {
        while process::has_free_descriptors(self.far.as_fd(), 1) {
            let (note, connection) = receive(&self.far).ok()??;
            if note.kind != Kind::Connection {
                continue;
            }
            self.slot.note_taken_back();
            if let Some(connection) = connection {
                self.copies.forget_socket(&connection);
                return Some((note, connection));
            }
        }
        None
    }

    /// Reads what the worker says; the caller has made sure that there is room for a descriptor.
    pub fn hear(&self) -> Option<(Note, Option<OwnedFd>)> {
        receive(&self.near).ok()?
    }

    /// Whether the main thread is on a processor or waits for one; `false` where that cannot be told.
    fn is_running(&self) -> bool {
        let mut line = [0; 128];
        let length = self.stat.as_ref().and_then(|stat| stat.read_at(&mut line, 0).ok()).unwrap_or(0);
        // The name, the second field, is in parentheses and may hold any character; it has 15 bytes at most.
        let state = line[..length].iter().rposition(|&byte| byte == b')').and_then(|end| line.get(end + 2));
        state == Some(&b'R')
    }
}

/// Reads one message: `Ok(None)` when the other end is gone or talks nonsense.
fn receive(channel: &OwnedFd) -> io::Result<Option<(Note, Option<OwnedFd>)>> {
    let mut bytes = [0; note::BYTES];
    let mut received = message::receive(channel, &mut bytes)?;
    while received.length == note::PING.len() {
        received = message::receive(channel, &mut bytes)?;
    }
    Ok(Note::decode(&bytes[..received.length]).map(|note| (note, received.descriptor)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::health::STALL;
    use crate::shared::segment::Segment;
    use std::os::unix::net::UnixStream;

    fn worker() -> Worker {
        let (segment, _) = Segment::create().unwrap();
        let slot = segment.slot(0).unwrap();
        slot.reset(1);
        let (near, far) = message::pair().unwrap();
        Worker::new(1, Health::new(STALL), slot, near, far)
    }

    #[test]
    fn what_is_sent_can_be_taken_back() {
        let mut worker = worker();
        let (connection, _client) = UnixStream::pair().unwrap();
        assert_eq!(worker.send(0, 5, Past { hops: 2, idle: 9 }, connection.as_fd()), Sent::Yes);
        assert_eq!((worker.slot.active(), worker.slot.waiting()), (1, 1));
        let (note, _) = worker.take_back().unwrap();
        assert_eq!((note.kind, note.server, note.hops, note.idle), (Kind::Connection, 5, 2, 9));
        assert_eq!((worker.slot.active(), worker.slot.waiting()), (0, 0));
        assert!(worker.take_back().is_none());
    }

    #[test]
    fn a_full_worker_is_busy_for_a_while() {
        let mut worker = worker();
        let (connection, _client) = UnixStream::pair().unwrap();
        let sent = (0..).find(|_| worker.send(0, 5, Past::default(), connection.as_fd()) != Sent::Yes).unwrap();
        assert!(sent <= UNREAD && sent > 0);
        assert_eq!(worker.state(0, Verdict::Stalled), State::Busy);
        assert_eq!(worker.state(FULL, Verdict::Well), State::Free(sent as u32));
    }

    #[test]
    fn a_computing_thread_whose_loop_is_still_is_suspect() {
        let mut worker = worker();
        worker.slot.heartbeat().store(1, Ordering::Relaxed);
        assert!(worker.check(10 * STALL), "not started: nothing is known");
        // This very thread computes while it reads about itself.
        worker.stat = File::open("/proc/thread-self/stat").ok();
        assert!(!worker.check(10 * STALL));
        assert_eq!(worker.state(0, Verdict::Well), State::Busy);
        assert_eq!(worker.state(0, Verdict::Suspect), State::Free(0));
        worker.slot.heartbeat().store(2, Ordering::Relaxed);
        worker.stat = None;
        assert!(worker.check(10 * STALL));
    }
}
