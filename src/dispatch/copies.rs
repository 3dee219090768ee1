//! Copies the primary keeps of connections it has handed to a worker, for as long as the worker may not have touched
//! them: it dies, and what it had taken without reading a byte goes to another.
//!
//! Nobody tells when a worker reads; the kernel knows. A copy costs no system call beyond one question, put once the
//! request has most likely been read, and the closing, which is only put off. While a copy is open a worker's bare
//! close(2) does not reach the client (shutdown(2) does), so it is not kept for long; of a connection that the worker
//! closes untouched it says so.

use crate::sys::process::descriptor_limit;
use crate::sys::progress;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::LazyLock;

/// When a copy is first looked at, in nanoseconds after it was handed over; each look after that comes after twice the time.
const FIRST: u64 = 5_000_000;
/// The longest time between two looks, in nanoseconds.
const PERIOD: u64 = 100_000_000;
/// How long the copy of a silent connection is kept, in nanoseconds; longer only where the worker's loop has not turned
/// since.
const SILENT: u64 = 1_000_000_000;
/// Copies kept of one worker's connections: they take up room in the primary's descriptor table, which may be small.
static MOST: LazyLock<usize> = LazyLock::new(|| usize::try_from(descriptor_limit() / 32).unwrap_or(256).min(256));

/// A connection that was handed to a worker.
#[derive(Debug)]
pub struct Handed {
    /// The primary's own descriptor of it.
    pub socket: OwnedFd,
    /// The client's address where it is known.
    pub client: Option<IpAddr>,
    /// The listening socket it came by.
    pub server: u32,
    /// For how many milliseconds it may stay idle, see [`super::note::Note::idle`].
    pub idle: u32,
    /// What had been read of it before it was handed over, of one that has had another worker before.
    pub read_before: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    handed: Handed,
    since: u64,
    look_at: u64,
    /// [`progress::identity`], once somebody has asked.
    identity: Option<u64>,
}

/// The copies of one worker's connections, the oldest first.
#[derive(Debug, Default)]
pub struct Copies {
    entries: VecDeque<Entry>,
    /// No copy is to be looked at before.
    due: u64,
    /// The heartbeat at which the worker was last asked to turn: one that hangs is not asked over and over.
    asked: u64,
}

impl Copies {
    /// Keeps a copy of what was handed over at `now`.
    pub fn keep(&mut self, now: u64, handed: Handed) {
        if self.entries.len() >= *MOST {
            self.entries.pop_front();
        }
        let look_at = now + FIRST;
        self.due = if self.entries.is_empty() { look_at } else { self.due.min(look_at) };
        self.entries.push_back(Entry { handed, since: now, look_at, identity: None });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When to [`look`](Self::look) again, in nanoseconds of the monotonic clock.
    pub fn due(&self) -> Option<u64> {
        (!self.entries.is_empty()).then_some(self.due)
    }

    /// Closes the copies of connections that have been touched, or were silent for long. `untaken`: how many the worker
    /// has not even taken, the last ones; `heartbeat`: when its loop last turned, 0 where it cannot tell. Returns whether
    /// the worker should be asked to turn its loop, since only then it can be told whether it hangs.
    pub fn look(&mut self, now: u64, untaken: u64, heartbeat: u64) -> bool {
        if self.entries.is_empty() || now < self.due {
            return false;
        }
        let taken = self.entries.len().saturating_sub(usize::try_from(untaken).unwrap_or(usize::MAX));
        let (mut index, mut due, mut ask) = (0, u64::MAX, false);
        self.entries.retain_mut(|entry| {
            index += 1;
            if entry.look_at <= now && index <= taken {
                let turned = heartbeat == 0 || heartbeat > entry.since + SILENT;
                let silent = now.saturating_sub(entry.since) > SILENT;
                if (silent && turned) || !entry.is_untouched() {
                    return false;
                }
                ask |= silent;
            }
            if entry.look_at <= now {
                entry.look_at = now + now.saturating_sub(entry.since).clamp(FIRST, PERIOD);
            }
            due = due.min(entry.look_at);
            true
        });
        self.due = due;
        ask &= heartbeat != self.asked;
        if ask {
            self.asked = heartbeat;
        }
        ask
    }

    /// The connection is elsewhere by now: back in the primary, or about to be closed by the worker that had not touched it.
    pub fn forget(&mut self, identity: u64) {
        let found = self.entries.iter_mut().position(|entry| entry.identity() == Some(identity));
        if let Some(index) = found {
            self.entries.remove(index);
        }
    }

    /// Whether there is a copy of the connection.
    pub fn has(&mut self, identity: u64) -> bool {
        self.entries.iter_mut().any(|entry| entry.identity() == Some(identity))
    }

    /// As [`forget`](Self::forget), of a descriptor of the same connection.
    pub fn forget_socket(&mut self, socket: impl AsFd) {
        if self.entries.is_empty() {
            return;
        }
        match progress::identity(socket) {
            Ok(identity) => self.forget(identity),
            // Better one lost than one given to two.
            Err(_) => self.clear(),
        }
    }

    /// Closes all copies.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The worker has ended: the connections it has not touched, oldest first. The others end with it.
    pub fn rescue(&mut self, now: u64) -> Vec<Handed> {
        let left = std::mem::take(&mut self.entries).into_iter().filter(Entry::is_untouched);
        left.map(|entry| entry.handed_on(now)).collect()
    }
}

impl Entry {
    fn is_untouched(&self) -> bool {
        progress::is_untouched(&self.handed.socket, self.handed.read_before).unwrap_or(false)
    }

    fn identity(&mut self) -> Option<u64> {
        if self.identity.is_none() {
            self.identity = progress::identity(&self.handed.socket).ok();
        }
        self.identity
    }

    fn handed_on(self, now: u64) -> Handed {
        let passed = u32::try_from(now.saturating_sub(self.since) / 1_000_000).unwrap_or(u32::MAX);
        let idle = match self.handed.idle {
            limit @ (super::note::FRESH | super::note::FOREVER) => limit,
            left => left.saturating_sub(passed).max(1),
        };
        Handed { idle, ..self.handed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::note::FRESH;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// A client, the worker's end, and the copy of it.
    fn connection() -> (TcpStream, TcpStream, Handed) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let socket = server.try_clone().unwrap().into();
        (client, server, Handed { socket, client: None, server: 1, idle: FRESH, read_before: None })
    }

    #[test]
    fn a_copy_is_closed_once_the_request_is_read() {
        let (mut client, mut server, handed) = connection();
        let mut copies = Copies::default();
        copies.keep(0, handed);
        client.write_all(b"GET /").unwrap();
        copies.look(FIRST, 0, 1);
        assert_eq!(copies.due(), Some(2 * FIRST), "not read yet");
        server.read_exact(&mut [0; 5]).unwrap();
        copies.look(2 * FIRST - 1, 0, 1);
        assert!(!copies.is_empty(), "not due");
        copies.look(2 * FIRST, 0, 1);
        assert!(copies.is_empty());
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "its end reaches the client");
    }

    #[test]
    fn a_dead_workers_untouched_connections_are_what_is_left() {
        let (mut one, mut first, touched) = connection();
        let (_two, second, untouched) = connection();
        let mut copies = Copies::default();
        copies.keep(0, touched);
        copies.keep(0, Handed { idle: 1000, server: 7, ..untouched });
        one.write_all(b"x").unwrap();
        first.read_exact(&mut [0]).unwrap();
        drop((first, second));
        let left = copies.rescue(400_000_000);
        assert_eq!(left.iter().map(|handed| (handed.server, handed.idle)).collect::<Vec<_>>(), [(7, 600)]);
        assert_eq!(one.read(&mut [0]).unwrap(), 0, "the other has ended with it");
    }

    #[test]
    fn one_that_has_spoken_to_another_worker_is_untouched_until_it_speaks_again() {
        let (mut client, mut server, handed) = connection();
        client.write_all(b"GET /").unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"answer").unwrap();
        let mut copies = Copies::default();
        copies.keep(0, Handed { read_before: Some(5), ..handed });
        client.write_all(b"GET /").unwrap();
        copies.look(FIRST, 0, 1);
        assert!(!copies.is_empty());
        server.read_exact(&mut [0; 1]).unwrap();
        assert!(copies.rescue(FIRST).is_empty());
    }

    #[test]
    fn silent_ones_are_kept_for_a_while_and_longer_where_the_worker_hangs() {
        let (_client, _server, handed) = connection();
        let mut copies = Copies::default();
        copies.keep(0, handed);
        let mut now = 0;
        let mut asked = 0;
        while now <= 2 * SILENT {
            now = copies.due().unwrap();
            asked += u32::from(copies.look(now, 0, 1));
        }
        assert_eq!(asked, 1, "it is to show whether it turns");
        copies.look(copies.due().unwrap(), 0, now);
        assert!(copies.is_empty());
    }

    #[test]
    fn what_is_not_taken_yet_is_not_asked_about() {
        // Of a socket that is not TCP the answer would be that it is no use to keep it.
        let (one, _two) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut copies = Copies::default();
        let handed = Handed { socket: one.into(), client: None, server: 1, idle: FRESH, read_before: None };
        copies.keep(0, handed);
        copies.look(FIRST, 1, 1);
        assert!(!copies.is_empty());
        copies.look(copies.due().unwrap(), 0, 1);
        assert!(copies.is_empty());
    }

    #[test]
    fn one_that_is_elsewhere_is_forgotten_and_the_oldest_go_when_there_are_too_many() {
        let all: Vec<_> = (0..=*MOST).map(|_| connection()).collect();
        let mut copies = Copies::default();
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        for (client, server, handed) in all {
            copies.keep(0, handed);
            clients.push(client);
            servers.push(server);
        }
        assert_eq!(copies.entries.len(), *MOST);
        copies.forget_socket(&servers[0]);
        assert_eq!(copies.entries.len(), *MOST, "it was the oldest");
        copies.forget_socket(&servers[9]);
        copies.forget(progress::identity(&servers[11]).unwrap());
        assert_eq!(copies.entries.len(), *MOST - 2);
        let last = servers.pop().unwrap();
        assert_eq!(
            copies.rescue(0).last().map(|handed| progress::identity(&handed.socket).unwrap()),
            progress::identity(&last).ok()
        );
    }
}
