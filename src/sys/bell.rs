//! One bell for all processes: whoever rings it wakes every event loop that listens.
//!
//! An eventfd that nobody ever reads. Each event loop has it in its epoll set, reported at its edges: every ring is one, so
//! one system call wakes any number of sleepers, and a process inherits two descriptors however many others there are.
//! Who has nothing to hear, for it only sends, has nothing reported: its loop would wake for every ring of its own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;

/// The bell.
#[derive(Debug)]
pub struct Bell {
    fd: OwnedFd,
}

impl Bell {
    /// A bell, closed on exec. It counts as rung from the start, so that whoever begins to listen is called once.
    ///
    /// # Errors
    /// What eventfd(2) answers: EMFILE, ENFILE, ENOMEM.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes plain integers.
        let fd = unsafe { libc::eventfd(1, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above has just made `fd` and nothing else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// The bell of another process, by the descriptor inherited from it.
    pub fn adopt(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// A descriptor to listen by, one for each listener: an event loop cannot have the same number twice.
    ///
    /// # Errors
    /// What dup(2) answers: EMFILE.
    pub fn ear(&self) -> io::Result<Arc<OwnedFd>> {
        self.fd.try_clone().map(Arc::new)
    }

    /// Wakes all who listen.
    pub fn ring(&self) {
        let one = 1u64;
        // SAFETY: eight live bytes, as an eventfd wants. It can fail only after 2^64 rings.
        unsafe { libc::write(self.fd.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a set that has the descriptor reported at its edges: whether there was one.
    fn hears(set: &OwnedFd) -> bool {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for the one event asked for; returns at once.
        unsafe { libc::epoll_wait(set.as_raw_fd(), &raw mut event, 1, 0) > 0 }
    }

    fn set_with(ear: &OwnedFd) -> OwnedFd {
        // SAFETY: takes a plain integer.
        let set = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        // SAFETY: the call above has just made `set` and nothing else knows it.
        let set = unsafe { OwnedFd::from_raw_fd(set) };
        let mut event = libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0 };
        // SAFETY: both descriptors are open, and `event` is live for the length of the call.
        let done = unsafe { libc::epoll_ctl(set.as_raw_fd(), libc::EPOLL_CTL_ADD, ear.as_raw_fd(), &raw mut event) };
        assert_eq!(done, 0);
        set
    }

    #[test]
    fn one_ring_is_heard_by_all_once() {
        let bell = Bell::new().unwrap();
        let ears = [bell.ear().unwrap(), bell.ear().unwrap()];
        let sets = ears.each_ref().map(|ear| set_with(ear));
        assert_eq!(sets.each_ref().map(hears), [true, true], "who begins to listen looks once");
        assert_eq!(sets.each_ref().map(hears), [false, false]);
        bell.ring();
        bell.ring();
        assert_eq!(sets.each_ref().map(hears), [true, true]);
        assert_eq!(sets.each_ref().map(hears), [false, false]);
        bell.ring();
        assert_eq!(sets.each_ref().map(hears), [true, true]);
    }
}
