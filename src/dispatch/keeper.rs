//! Where a worker keeps connections it has accepted by itself for as long as it may not have touched them: it dies, and
//! the primary gives them to others.
//!
//! A descriptor under way in a channel is open, whoever else closes it. So the worker sends each connection to itself, by
//! a channel whose reading end the primary has as well, and takes it out once it is closed or was read. The primary does
//! nothing until the worker has ended, and then finds there what is left.

use super::note::{self, Kind, Note};
use crate::sys::{message, process, progress};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

/// After how long a connection that is still open is first asked about, in nanoseconds; after that after twice the time.
const FIRST: u64 = 5_000_000;
/// The longest time between two questions, in nanoseconds.
const PERIOD: u64 = 100_000_000;
/// For how long a silent connection is kept, in nanoseconds.
const SILENT: u64 = 1_000_000_000;
/// A connection that lasts less is a short one, in nanoseconds.
const SHORT: u64 = 20_000_000;
/// Connections kept at once: the kernel limits what a user has under way.
const MOST: usize = 128;
/// Descriptors that have a mark of their own, a power of two. Where two share one, a connection may be let go of early.
const MARKS: usize = 1 << 14;

/// By descriptor modulo their number: which connection it stands for, 0 once that is closed. JavaScript writes the 0.
pub struct Marks(Box<[AtomicU32]>);

impl Marks {
    /// All closed.
    pub fn new() -> Rc<Self> {
        Rc::new(Self((0..MARKS).map(|_| AtomicU32::new(0)).collect()))
    }

    /// The words.
    pub fn words(&self) -> &[AtomicU32] {
        &self.0
    }

    fn of(&self, fd: RawFd) -> &AtomicU32 {
        &self.0[fd as usize % MARKS]
    }

    /// The connection is closed, or has left this process.
    pub fn clear(&self, fd: RawFd) {
        self.of(fd).store(0, Ordering::Relaxed);
    }

    fn is_open(&self, Kept { fd, mark, .. }: &Kept) -> bool {
        self.of(*fd).load(Ordering::Relaxed) == *mark
    }
}

struct Kept {
    fd: RawFd,
    mark: u32,
    since: u64,
    look_at: u64,
}

/// Connections that have ended since a moment.
#[derive(Debug, Default, Clone, Copy)]
struct Ended {
    since: u64,
    count: u32,
}

impl Ended {
    /// The same a while later: half of them each time [`FIRST`] has passed.
    fn at(self, now: u64) -> Self {
        match now.saturating_sub(self.since) / FIRST {
            0 => self,
            times => Self { since: now, count: self.count.checked_shr(times.min(32) as u32).unwrap_or(0) },
        }
    }
}

/// What one worker keeps, oldest first. It belongs to the event loop's thread.
pub struct Keeper {
    tail: OwnedFd,
    head: OwnedFd,
    marks: Rc<Marks>,
    kept: RefCell<VecDeque<Kept>>,
    last: Cell<u32>,
    ended: Cell<Ended>,
    /// The time, as last told.
    now: Cell<u64>,
}

impl Keeper {
    /// Keeps nothing yet. The primary needs a duplicate of [`head`](Self::head).
    ///
    /// # Errors
    /// What socketpair(2) answers: EMFILE, ENFILE, ENOMEM.
    pub fn new(marks: Rc<Marks>) -> io::Result<Self> {
        let (tail, head) = message::pair()?;
        Ok(Self {
            tail,
            head,
            marks,
            kept: RefCell::default(),
            last: Cell::new(0),
            ended: Cell::default(),
            now: Cell::new(0),
        })
    }

    /// The end that is read.
    pub fn head(&self) -> &OwnedFd {
        &self.head
    }

    /// How many connections have ended of late that were short.
    pub fn ended(&self, now: u64) -> u32 {
        self.now.set(now);
        self.ended.get().at(now).count
    }

    /// Keeps a connection that was accepted from `server`. Where that cannot be done it goes with this process.
    pub fn keep(&self, socket: &OwnedFd, server: u32) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= MOST {
            kept.pop_front();
            message::discard(&self.head);
        }
        let fd = socket.as_raw_fd();
        let mark = self.last.get().wrapping_add(1).max(1);
        self.last.set(mark);
        let now = self.now.get();
        if self.send(socket, server).is_ok() {
            self.marks.of(fd).store(mark, Ordering::Relaxed);
            kept.push_back(Kept { fd, mark, since: now, look_at: now + FIRST });
        }
    }

    fn send(&self, socket: &OwnedFd, server: u32) -> io::Result<()> {
        let note = Note { kind: Kind::Connection, server, hops: 0, idle: note::FRESH };
        message::send(&self.tail, &note.encode(), Some(socket.as_fd()))
    }

    /// The loop turns: lets go of what is closed or was touched, oldest first.
    pub fn turn(&self, now: u64) {
        self.now.set(now);
        let mut kept = self.kept.borrow_mut();
        let mut ended = self.ended.get().at(now);
        for _ in 0..kept.len() {
            let Some(first) = kept.front() else { break };
            if self.marks.is_open(first) {
                if first.look_at > now {
                    break;
                }
                let age = now.saturating_sub(first.since);
                let untouched = process::borrow(first.fd, |socket| progress::is_untouched(socket, None));
                if age < SILENT && untouched.unwrap_or(false) {
                    let look_at = now + age.clamp(FIRST, PERIOD);
                    self.rotate(&mut kept, look_at);
                    continue;
                }
            } else if now.saturating_sub(first.since) < SHORT {
                ended.count += 1;
            }
            kept.pop_front();
            message::discard(&self.head);
        }
        self.ended.set(ended);
    }

    /// The connection of descriptor `fd` is about to be closed in a way that its client only sees once nobody has it open.
    pub fn release(&self, fd: RawFd) {
        let mut kept = self.kept.borrow_mut();
        let mark = self.marks.of(fd).swap(0, Ordering::Relaxed);
        if !kept.iter().any(|one| one.fd == fd && one.mark == mark) {
            return;
        }
        for _ in 0..kept.len() {
            let Some(first) = kept.front() else { return };
            if self.marks.is_open(first) {
                let look_at = first.look_at;
                self.rotate(&mut kept, look_at);
            } else {
                kept.pop_front();
                message::discard(&self.head);
            }
        }
    }

    /// Puts the first behind the last.
    fn rotate(&self, kept: &mut VecDeque<Kept>, look_at: u64) {
        let Some(first) = kept.pop_front() else { return };
        let mut bytes = [0; note::BYTES];
        // Without room for a descriptor it is lost here: the worker has its own.
        let Ok(message::Received { descriptor: Some(socket), .. }) = message::receive(&self.head, &mut bytes) else {
            return;
        };
        let Some(Note { server, .. }) = Note::decode(&bytes) else { return };
        if self.send(&socket, server).is_ok() {
            kept.push_back(Kept { look_at, ..first });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};

    fn connection() -> (TcpStream, OwnedFd) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0.into())
    }

    fn keeper() -> (Keeper, Rc<Marks>) {
        let marks = Marks::new();
        (Keeper::new(Rc::clone(&marks)).unwrap(), marks)
    }

    /// Closes the worker's own descriptor as JavaScript does.
    fn close(socket: OwnedFd, marks: &Marks) {
        marks.clear(socket.as_raw_fd());
        drop(socket);
    }

    /// Whether nobody has the other end open any more.
    fn has_ended(client: &mut TcpStream) -> bool {
        client.set_nonblocking(true).unwrap();
        !matches!(client.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    fn held(keeper: &Keeper) -> usize {
        keeper.kept.borrow().len()
    }

    #[test]
    fn what_is_kept_outlives_its_worker_with_all_that_was_sent() {
        let (keeper, _marks) = keeper();
        let (mut client, socket) = connection();
        client.write_all(b"hello").unwrap();
        keeper.keep(&socket, 7);
        let head = keeper.head().try_clone().unwrap();
        drop((keeper, socket));
        let mut bytes = [0; note::BYTES];
        let received = message::receive(&head, &mut bytes).unwrap();
        assert_eq!(Note::decode(&bytes).unwrap().server, 7);
        let mut text = [0; 5];
        TcpStream::from(received.descriptor.unwrap()).read_exact(&mut text).unwrap();
        assert_eq!(&text, b"hello");
    }

    #[test]
    fn what_is_closed_is_let_go_of_at_the_end_of_the_turn_and_counted_if_it_was_short() {
        let (keeper, marks) = keeper();
        keeper.turn(1);
        let (mut client, socket) = connection();
        keeper.keep(&socket, 1);
        keeper.turn(2);
        assert_eq!((held(&keeper), keeper.ended(2)), (1, 0));
        close(socket, &marks);
        assert!(!has_ended(&mut client));
        keeper.turn(3);
        assert!(has_ended(&mut client));
        assert_eq!((held(&keeper), keeper.ended(3)), (0, 1));
        assert_eq!(keeper.ended(3 + 40 * FIRST), 0, "that is long ago");
        let (_client, socket) = connection();
        keeper.keep(&socket, 1);
        close(socket, &marks);
        keeper.turn(3 + 40 * FIRST + SHORT);
        assert_eq!((held(&keeper), keeper.ended(3 + 40 * FIRST + SHORT)), (0, 0), "it was not short");
    }

    #[test]
    fn what_was_read_is_let_go_of_and_what_is_silent_is_kept_for_a_while() {
        let (keeper, _marks) = keeper();
        let [(mut talks, one), (_silent, other)] = [connection(), connection()];
        talks.write_all(b"x").unwrap();
        keeper.keep(&other, 1);
        keeper.keep(&one, 1);
        let mut one = TcpStream::from(one);
        one.read_exact(&mut [0]).unwrap();
        keeper.turn(FIRST - 1);
        assert_eq!(held(&keeper), 2);
        keeper.turn(FIRST);
        assert_eq!(held(&keeper), 1);
        keeper.turn(SILENT - 1);
        assert_eq!(held(&keeper), 1);
        keeper.turn(2 * SILENT);
        assert_eq!(held(&keeper), 0);
    }

    #[test]
    fn one_in_the_middle_can_be_let_go_of_at_once() {
        let (keeper, _marks) = keeper();
        let mut all: Vec<_> = (0..3).map(|_| connection()).collect();
        all.iter().for_each(|(_, socket)| keeper.keep(socket, 1));
        let (mut client, socket) = all.remove(1);
        keeper.release(socket.as_raw_fd());
        drop(socket);
        assert!(has_ended(&mut client));
        assert_eq!(held(&keeper), 2);
        let fds: Vec<_> = keeper.kept.borrow().iter().map(|one| one.fd).collect();
        assert_eq!(fds, all.iter().map(|(_, socket)| socket.as_raw_fd()).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_than_some_are_kept() {
        let (keeper, _marks) = keeper();
        let (_client, socket) = connection();
        (0..MOST + 5).for_each(|_| keeper.keep(&socket, 1));
        assert_eq!(held(&keeper), MOST);
    }
}
