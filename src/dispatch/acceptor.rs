//! A worker that is awake takes connections from the listening socket by itself: nobody need be woken to hand them over.
//!
//! It does so under `least-connections`, while no other worker has clearly fewer; else the connection goes the way through
//! the primary, to the one that has the fewest. Where connections end as fast as they come, numbers say little and even
//! out by themselves: then a worker may be ahead by as many as it has just seen end.

use super::channel::Channel;
use super::note::{self, Kind, Note};
use crate::sys::{message, socket};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How many connections more than the least busy worker one may have and still take the next itself: 64 that stay open
/// come to lie 15 to 17 on each of four workers.
const SLACK: u32 = 1;
/// The same at most, where connections end quickly.
const MOST: u32 = 64;

/// What [`Channel::accept`] found.
#[derive(Debug)]
pub enum Accepted {
    /// A connection for this worker.
    Connection(OwnedFd),
    /// A connection that was handed to the primary, for another worker.
    Passed,
    /// There is none.
    Empty,
    /// This process has no room for another descriptor: try again later.
    Full,
    /// The worker accepts from this socket no more.
    Over,
}

impl Channel {
    /// Takes one connection from `listener`, the primary's socket `server`. `ended`: how many that it had taken so have ended
    /// in the last milliseconds.
    pub fn accept(&self, listener: &OwnedFd, server: u32, ended: u32) -> Accepted {
        let words = self.words();
        if !words.may_accept(server) {
            return Accepted::Over;
        }
        if words.is_full() {
            return Accepted::Full;
        }
        let connection = match socket::accept(listener) {
            Ok((connection, _)) => connection,
            Err(error) => {
                return match error.raw_os_error() {
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Accepted::Full,
                    // It listens no more.
                    Some(libc::EINVAL | libc::EBADF) => Accepted::Over,
                    // There is none, or it was gone before it was accepted (accept(2), "Error handling").
                    _ => Accepted::Empty,
                };
            }
        };
        let most = words.fewest_of_others(server).saturating_add(SLACK + ended.min(MOST));
        if words.active() > most && self.hand_over(&connection, server).is_ok() {
            return Accepted::Passed;
        }
        self.note_descriptor(connection.as_raw_fd());
        words.note_accepted();
        Accepted::Connection(connection)
    }

    fn hand_over(&self, connection: &OwnedFd, server: u32) -> io::Result<()> {
        let note = Note { kind: Kind::Move, server, hops: 0, idle: note::FRESH };
        message::send(self.descriptor(), &note.encode(), Some(connection.as_fd()))
    }

    /// Tells the primary where this worker keeps connections it has accepted, see [`super::keeper`].
    ///
    /// # Errors
    /// As [`Channel::ready`], and ETOOMANYREFS.
    pub fn show_keeper(&self, head: &OwnedFd) -> io::Result<()> {
        let note = Note { kind: Kind::Keeper, server: 0, hops: 0, idle: note::FRESH };
        message::send(self.descriptor(), &note.encode(), Some(head.as_fd()))
    }
}
