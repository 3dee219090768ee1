//! The worker's end: takes connections from the primary and tells it where more are welcome.

use super::hub::Load;
use super::note::{self, Kind, Note};
use crate::shared::segment::{Segment, Slot};
use crate::sys::clock::monotonic_nanos;
use crate::sys::{message, process, progress};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Descriptors that are not for connections, of a large table.
const RESERVE: u64 = 64;

/// A worker that has this many connections unread is about to run out of them: less than [`ENOUGH`] by as many as it
/// serves while the primary's thread wakes up.
pub const FEW: u64 = 1;
/// When every worker has this many connections unread, the primary lets further ones wait in the kernel's backlog: there
/// any worker can still get them, and they are accepted many at a time.
pub const ENOUGH: u64 = 8;

/// What [`Channel::take`] found.
#[derive(Debug)]
pub enum Taken {
    /// A connection.
    Connection {
        /// The connection.
        socket: OwnedFd,
        /// The listening socket, by the primary's number.
        server: u32,
        /// What is known of it.
        past: Past,
    },
    /// A listening socket to accept from, by the primary's number.
    Listener {
        /// The socket.
        socket: OwnedFd,
        /// Its number.
        server: u32,
    },
    /// There is none.
    Empty,
    /// This process has no room for another descriptor: try again later.
    Full,
    /// The primary is gone.
    Closed,
}

/// What has become of a connection before.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// How many workers have sent it back because they could not take it.
    pub hops: u32,
    /// For how many milliseconds more it may stay idle; see [`Note::idle`].
    pub idle: u32,
}

/// A worker's channel to its primary. Any thread may use it.
#[derive(Debug)]
pub struct Channel {
    fd: Arc<OwnedFd>,
    slot: Slot,
    /// From this descriptor on the table may be full: a message read then loses its connection.
    careful: i64,
    /// The highest descriptor a connection ever had.
    highest: AtomicI32,
}

impl Channel {
    /// Takes over what the primary had this worker inherit: the channel, the shared memory and the slot in it.
    ///
    /// # Errors
    /// EBADF, or `InvalidData` when the memory is not a segment of this version or has no such slot.
    pub fn open(channel: RawFd, memory: RawFd, slot: usize) -> io::Result<Self> {
        let (fd, memory) = (process::adopt(channel)?, process::adopt(memory)?);
        let slot = Segment::open(&memory)?.slot(slot).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::new(fd, slot))
    }

    /// A connection has this descriptor.
    pub(super) fn note_descriptor(&self, fd: RawFd) {
        self.highest.fetch_max(fd, Ordering::Relaxed);
    }

    fn new(fd: OwnedFd, slot: Slot) -> Self {
        // Low enough that an app which opens files between two connections does not fill the table unseen.
        let limit = process::descriptor_limit();
        let careful = i64::try_from(limit / 4 * 3).unwrap_or(i64::MAX);
        // The rest is the app's, for its files.
        slot.set_room(u32::try_from(limit - RESERVE.min(limit / 4)).unwrap_or(u32::MAX));
        Self { fd: Arc::new(fd), slot, careful, highest: AtomicI32::new(0) }
    }

    /// The descriptor to wait on.
    pub fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.fd
    }

    /// Takes one connection, if there is one.
    pub fn take(&self) -> Taken {
        if i64::from(self.highest.load(Ordering::Relaxed)) >= self.careful
            && !process::has_free_descriptors(self.fd.as_fd(), 1)
        {
            return Taken::Full;
        }
        let mut bytes = [0; note::BYTES];
        let received = match message::receive(&*self.fd, &mut bytes) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Taken::Empty,
            Err(_) => return Taken::Closed,
        };
        if received.length == 0 {
            return Taken::Closed;
        }
        if received.length == note::PING.len() {
            return Taken::Empty;
        }
        let note = Note::decode(&bytes[..received.length]);
        if let Some(Note { kind: Kind::Listener, server, .. }) = note {
            return received.descriptor.map_or(Taken::Empty, |socket| Taken::Listener { socket, server });
        }
        self.slot.note_taken();
        if self.slot.is_awaited(FEW) {
            // Where the primary has not read what was said before, it is awake, or will be told by others.
            let _ = self.tell(Kind::Drained, 0);
        }
        match (note, received.descriptor) {
            (Some(Note { kind: Kind::Connection, server, hops, idle }), Some(socket)) => {
                self.note_descriptor(socket.as_raw_fd());
                Taken::Connection { socket, server, past: Past { hops, idle } }
            }
            _ => {
                self.slot.note_closed();
                // Most likely the descriptor table was full after all.
                self.highest.store(i32::MAX, Ordering::Relaxed);
                Taken::Empty
            }
        }
    }

    /// Tells the primary that server `server` listens; `accepts`: this worker can accept by itself.
    ///
    /// # Errors
    /// EPIPE when the primary is gone, EAGAIN when it has stopped reading.
    pub fn ready(&self, server: u32, accepts: bool) -> io::Result<()> {
        let note = Note { kind: Kind::Ready, server, hops: u32::from(accepts), idle: note::FRESH };
        message::send(&*self.fd, &note.encode(), None)
    }

    /// Tells the primary that server `server` takes no more connections.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn leave(&self, server: u32) -> io::Result<()> {
        self.tell(Kind::Leave, server)
    }

    /// Sends a connection back for another worker, with the `past` it came with. It is closed here either way; on an
    /// error its client is lost.
    ///
    /// # Errors
    /// As [`ready`](Self::ready), and ETOOMANYREFS.
    pub fn give_back(&self, socket: OwnedFd, server: u32, Past { hops, idle }: Past) -> io::Result<()> {
        self.slot.note_closed();
        let note = Note { kind: Kind::Return, server, hops, idle };
        message::send(&*self.fd, &note.encode(), Some(socket.as_fd()))
    }

    /// Passes a connection this worker has served on to any worker, with what it may still stay idle (see
    /// [`Note::idle`]). On success the caller closes its own descriptor, and does not count that by
    /// [`closed`](Self::closed); on an error nothing has changed.
    ///
    /// # Errors
    /// As [`give_back`](Self::give_back). EAGAIN and ETOOMANYREFS pass.
    pub fn pass_on(&self, socket: BorrowedFd<'_>, server: u32, idle: u32) -> io::Result<()> {
        // Counted first: the primary may pick by the count before the next line.
        self.slot.note_closed();
        let note = Note { kind: Kind::Move, server, hops: 0, idle };
        let sent = message::send(&*self.fd, &note.encode(), Some(socket));
        match sent {
            Ok(()) => self.slot.note_moved(),
            Err(_) => self.slot.note_opened(),
        }
        sent
    }

    /// A connection is about to be closed of which this worker has read nothing: the primary need not keep its copy for
    /// the case that the worker dies. The copy goes by itself where this cannot be said.
    pub fn untouched(&self, socket: BorrowedFd<'_>) {
        if let Ok(identity) = progress::identity(socket) {
            let _ = message::send(&*self.fd, &Note::about(identity).encode(), None);
        }
    }

    /// A connection came by another way than this channel.
    pub fn opened(&self) {
        self.slot.note_opened();
    }

    /// This worker's words in the shared memory.
    pub fn words(&self) -> &Slot {
        &self.slot
    }

    /// What this worker has open.
    pub fn load(&self) -> Load {
        Load::new(&self.slot, false)
    }

    /// A connection of this worker was closed.
    pub fn closed(&self) {
        self.slot.note_closed();
    }

    /// The loop turns; returns when, in nanoseconds of the monotonic clock.
    pub fn beat(&self) -> u64 {
        let now = monotonic_nanos();
        self.slot.heartbeat().store(now, Ordering::Relaxed);
        now
    }

    fn tell(&self, kind: Kind, server: u32) -> io::Result<()> {
        message::send(&*self.fd, &Note { kind, server, hops: 0, idle: note::FRESH }.encode(), None)
    }
}
