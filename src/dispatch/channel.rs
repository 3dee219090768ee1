//! The worker's end: takes connections from the primary and tells it where more are welcome.

use super::hub::Load;
use super::note::{self, Kind, Note};
use crate::shared::segment::{Segment, Slot};
use crate::sys::clock::monotonic_nanos;
use crate::sys::{message, process};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// What [`Channel::take`] found.
#[derive(Debug)]
pub enum Taken {
    /// A connection for the server of that number, and how many workers have sent it back before.
    Connection {
        /// The connection.
        socket: OwnedFd,
        /// The listening socket, by the primary's number.
        server: u32,
        /// How many workers have sent it back.
        hops: u32,
    },
    /// There is none.
    Empty,
    /// This process has no room for another descriptor: try again later.
    Full,
    /// The primary is gone.
    Closed,
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

    fn new(fd: OwnedFd, slot: Slot) -> Self {
        // Low enough that an app which opens files between two connections does not fill the table unseen.
        let careful = i64::try_from(process::descriptor_limit() / 4 * 3).unwrap_or(i64::MAX);
        Self { fd: Arc::new(fd), slot, careful, highest: AtomicI32::new(0) }
    }

    /// The descriptor to wait on.
    pub fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.fd
    }

    /// Takes one connection, if there is one.
    pub fn take(&self) -> Taken {
        if i64::from(self.highest.load(Ordering::Relaxed)) >= self.careful
            && !process::has_free_descriptor(self.fd.as_fd())
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
        self.slot.note_taken();
        match (Note::decode(&bytes[..received.length]), received.descriptor) {
            (Some(Note { kind: Kind::Connection, server, hops }), Some(socket)) => {
                self.highest.fetch_max(socket.as_raw_fd(), Ordering::Relaxed);
                Taken::Connection { socket, server, hops }
            }
            _ => {
                self.slot.note_closed();
                // Most likely the descriptor table was full after all.
                self.highest.store(i32::MAX, Ordering::Relaxed);
                Taken::Empty
            }
        }
    }

    /// Tells the primary that server `server` listens.
    ///
    /// # Errors
    /// EPIPE when the primary is gone, EAGAIN when it has stopped reading.
    pub fn ready(&self, server: u32) -> io::Result<()> {
        self.tell(Kind::Ready, server)
    }

    /// Tells the primary that server `server` takes no more connections.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn leave(&self, server: u32) -> io::Result<()> {
        self.tell(Kind::Leave, server)
    }

    /// Sends a connection back for another worker, with the `hops` it came with. It is closed here either way; on an
    /// error its client is lost.
    ///
    /// # Errors
    /// As [`ready`](Self::ready), and ETOOMANYREFS.
    pub fn give_back(&self, socket: OwnedFd, server: u32, hops: u32) -> io::Result<()> {
        self.slot.note_closed();
        let note = Note { kind: Kind::Return, server, hops };
        message::send(&*self.fd, &note.encode(), Some(socket.as_fd()))
    }

    /// A connection came by another way than this channel.
    pub fn opened(&self) {
        self.slot.note_opened();
    }

    /// What this worker has open.
    pub fn load(&self) -> Load {
        Load::new(&self.slot, false)
    }

    /// A connection of this worker was closed.
    pub fn closed(&self) {
        self.slot.note_closed();
    }

    /// The loop turns.
    pub fn beat(&self) {
        self.slot.heartbeat().store(monotonic_nanos(), Ordering::Relaxed);
    }

    fn tell(&self, kind: Kind, server: u32) -> io::Result<()> {
        message::send(&*self.fd, &Note { kind, server, hops: 0 }.encode(), None)
    }
}
