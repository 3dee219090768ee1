//! One bell for all processes: whoever rings it wakes every event loop that listens.
//!
//! An eventfd that nobody ever reads. Each listener has an epoll set of its own in which the eventfd is registered
//! edge-triggered; the set's descriptor is readable from a ring until the listener has looked. So one system call wakes
//! any number of sleepers, and a process inherits two descriptors however many others there are.
//! Who has nothing to hear, for it only sends, mutes its own ear: its loop would wake for every ring of its own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;

/// The bell.
#[derive(Debug)]
pub struct Bell {
    fd: OwnedFd,
}

impl Bell {
    /// A bell nobody has rung, closed on exec.
    ///
    /// # Errors
    /// What eventfd(2) answers: EMFILE, ENFILE, ENOMEM.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes plain integers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
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

/// One listener.
#[derive(Debug)]
pub struct Ear {
    set: Arc<OwnedFd>,
}

impl Ear {
    /// An ear for `bell`, muted.
    ///
    /// # Errors
    /// What epoll_create1(2) and epoll_ctl(2) answer: EMFILE, ENFILE, ENOMEM, ENOSPC.
    pub fn new(bell: &Bell) -> io::Result<Self> {
        // SAFETY: takes a plain integer.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above has just made `fd` and nothing else knows it.
        let set = unsafe { OwnedFd::from_raw_fd(fd) };
        let ear = Self { set: Arc::new(set) };
        // Registered once and for all, so that nothing can fail later.
        ear.control(bell, libc::EPOLL_CTL_ADD, 0)?;
        Ok(ear)
    }

    /// Hears the bell from now on; its descriptor is readable at once if the bell has ever been rung.
    ///
    /// # Errors
    /// None that is known: what epoll_ctl(2) answers.
    pub fn open(&self, bell: &Bell) -> io::Result<()> {
        self.control(bell, libc::EPOLL_CTL_MOD, libc::EPOLLIN | libc::EPOLLET)
    }

    /// Hears nothing any more.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn mute(&self, bell: &Bell) -> io::Result<()> {
        self.control(bell, libc::EPOLL_CTL_MOD, 0)
    }

    fn control(&self, bell: &Bell, operation: libc::c_int, events: libc::c_int) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: 0 };
        // SAFETY: both descriptors are open, and `event` is live for the length of the call.
        match unsafe { libc::epoll_ctl(self.set.as_raw_fd(), operation, bell.fd.as_raw_fd(), &raw mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Has looked: the descriptor is silent until the next ring. Answers whether the bell had been rung.
    pub fn clear(&self) -> bool {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for the one event asked for; returns at once.
        unsafe { libc::epoll_wait(self.set.as_raw_fd(), &raw mut event, 1, 0) > 0 }
    }

    /// The descriptor to wait on.
    pub fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::epoll::{Epoll, Events, wait};
    use std::time::Duration;

    #[test]
    fn one_ring_is_heard_by_all_once() {
        let bell = Bell::new().unwrap();
        let ears = [Ear::new(&bell).unwrap(), Ear::new(&bell).unwrap()];
        for ear in &ears {
            ear.open(&bell).unwrap();
        }
        bell.ring();
        bell.ring();
        assert_eq!(ears.each_ref().map(Ear::clear), [true, true]);
        assert_eq!(ears.each_ref().map(Ear::clear), [false, false]);
        bell.ring();
        assert_eq!(ears.each_ref().map(Ear::clear), [true, true]);
    }

    #[test]
    fn a_muted_ear_hears_nothing_and_misses_nothing() {
        let bell = Bell::new().unwrap();
        let ear = Ear::new(&bell).unwrap();
        bell.ring();
        assert!(!ear.clear());
        ear.open(&bell).unwrap();
        assert!(ear.clear(), "it was rung before");
        ear.mute(&bell).unwrap();
        bell.ring();
        assert!(!ear.clear());
        ear.open(&bell).unwrap();
        assert!(ear.clear());
        bell.ring();
        assert!(ear.clear());
    }

    #[test]
    fn an_ear_can_be_waited_on() {
        let bell = Bell::new().unwrap();
        let ear = Ear::new(&bell).unwrap();
        ear.open(&bell).unwrap();
        let (epoll, mut events) = (Epoll::new().unwrap(), Events::with_capacity(1));
        epoll.add(ear.descriptor(), 1, true).unwrap();
        let set = epoll.try_clone().unwrap();
        wait(set.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
        bell.ring();
        wait(set.as_fd(), &mut events, None).unwrap();
        assert_eq!(events.tokens().count(), 1);
    }
}
