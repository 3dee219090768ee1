//! Waiting for many descriptors at once, and being woken from another thread.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// What [`wait`] reports: the token a descriptor was added with.
pub type Token = u64;

/// A set of descriptors one thread waits for. Any thread may change the set meanwhile.
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
}

/// Where [`wait`] puts what is ready, kept between calls.
pub struct Events {
    list: Vec<libc::epoll_event>,
}

impl Events {
    /// Room for `count` events a call.
    pub fn with_capacity(count: usize) -> Self {
        Self { list: Vec::with_capacity(count.max(1)) }
    }

    /// The tokens of the last wait.
    pub fn tokens(&self) -> impl Iterator<Item = Token> + '_ {
        self.list.iter().map(|event| event.u64)
    }
}

impl Epoll {
    /// An empty set, closed on exec.
    ///
    /// # Errors
    /// What epoll_create1(2) answers: EMFILE, ENFILE, ENOMEM.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes a plain integer.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above has just made `fd` and nothing else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Adds a descriptor; `armed` says whether its being readable is reported (level-triggered). A hang-up always is.
    ///
    /// # Errors
    /// What epoll_ctl(2) answers: ENOMEM, ENOSPC.
    pub fn add(&self, fd: impl AsFd, token: Token, armed: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, armed)
    }

    /// Arms or disarms a descriptor of the set.
    ///
    /// # Errors
    /// What epoll_ctl(2) answers.
    pub fn arm(&self, fd: impl AsFd, token: Token, armed: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, armed)
    }

    /// Takes a descriptor out. Closing does it too, unless the descriptor has duplicates.
    ///
    /// # Errors
    /// What epoll_ctl(2) answers.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, false)
    }

    /// Another descriptor of the same set, for [`wait`].
    ///
    /// # Errors
    /// What fcntl(2) answers: EMFILE.
    pub fn try_clone(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    fn control(&self, operation: libc::c_int, fd: impl AsFd, token: Token, armed: bool) -> io::Result<()> {
        let events = if armed { libc::EPOLLIN as u32 } else { 0 };
        let mut event = libc::epoll_event { events, u64: token };
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: both descriptors are open while borrowed, and `event` is live for the length of the call.
        let status = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, fd, &raw mut event) };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Waits until something in a set is ready, for at most `timeout` (rounded up to milliseconds; `None`: for ever).
///
/// # Errors
/// What epoll_wait(2) answers; an interrupted wait is a wait that found nothing.
pub fn wait(set: BorrowedFd<'_>, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    let millis = timeout
        .map_or(-1, |limit| libc::c_int::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX));
    events.list.clear();
    let room = libc::c_int::try_from(events.list.capacity()).unwrap_or(libc::c_int::MAX);
    // SAFETY: the list has room for `room` events, and the kernel writes that many at most.
    let count = unsafe { libc::epoll_wait(set.as_raw_fd(), events.list.as_mut_ptr(), room, millis) };
    if count < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
    }
    // SAFETY: the kernel has just written `count` events, which is no more than the capacity.
    unsafe { events.list.set_len(count as usize) };
    Ok(())
}

/// Wakes a thread that waits in [`wait`].
#[derive(Debug)]
pub struct Waker {
    fd: OwnedFd,
}

impl Waker {
    /// A waker nobody has used, closed on exec.
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

    /// Makes the descriptor readable until [`clear`](Self::clear).
    pub fn wake(&self) {
        let one = 1u64;
        // SAFETY: eight live bytes, as an eventfd wants. It fails only when the counter is full: then it is awake.
        unsafe { libc::write(self.fd.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
    }

    /// Takes the wake-up back.
    pub fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: eight live bytes for the kernel to fill. It fails only when there was no wake-up.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_is_reported_until_it_is_cleared() {
        let (epoll, waker, mut events) = (Epoll::new().unwrap(), Waker::new().unwrap(), Events::with_capacity(4));
        epoll.add(&waker, 7, true).unwrap();
        wait(epoll.fd.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
        waker.wake();
        waker.wake();
        wait(epoll.fd.as_fd(), &mut events, None).unwrap();
        assert_eq!(events.tokens().collect::<Vec<_>>(), [7]);
        waker.clear();
        wait(epoll.fd.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
    }

    #[test]
    fn a_disarmed_descriptor_is_silent() {
        let (epoll, waker, mut events) = (Epoll::new().unwrap(), Waker::new().unwrap(), Events::with_capacity(4));
        epoll.add(&waker, 1, false).unwrap();
        waker.wake();
        wait(epoll.fd.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
        epoll.arm(&waker, 2, true).unwrap();
        wait(epoll.fd.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().collect::<Vec<_>>(), [2]);
        epoll.remove(&waker).unwrap();
        wait(epoll.fd.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
    }
}
