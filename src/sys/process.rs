//! Other processes, and what this one may hold open.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A descriptor that becomes readable when process `pid` has ended; closed on exec.
///
/// The process must not have been waited for yet, else the number may by now belong to another.
///
/// # Errors
/// What pidfd_open(2) answers: ENOSYS before Linux 5.3, ESRCH, EMFILE.
pub fn watch(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes plain integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) };
    let fd = RawFd::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has just made `fd` and nothing else knows it; it is born closed on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// How many descriptors this process may have open (the soft limit), `u64::MAX` for no limit.
pub fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is live for the call to fill.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if status == 0 { limit.rlim_cur } else { u64::MAX }
}

/// Whether this process can open `count` more descriptors now.
pub fn has_free_descriptors(like: BorrowedFd<'_>, count: usize) -> bool {
    let held = |fd: OwnedFd| {
        let rest = has_free_descriptors(like, count - 1);
        drop(fd);
        rest
    };
    count == 0 || like.try_clone_to_owned().is_ok_and(held)
}

/// Has the kernel kill this process the moment the thread of `parent` that started it ends, whatever it is doing then;
/// false when `parent` has ended already.
///
/// # Errors
/// What prctl(2) answers.
pub fn die_with(parent: u32) -> io::Result<bool> {
    // SAFETY: takes plain integers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Asked afterwards: a parent that ended before the call sends nothing any more, and then this is another's child.
    // SAFETY: takes nothing and cannot fail.
    Ok(u32::try_from(unsafe { libc::getppid() }) == Ok(parent))
}

/// Takes children that have ended out of the process table, up to one that is in `known`: somebody else in this
/// process waits for that one. Returns whether such a one was met.
pub fn reap(known: &[u32]) -> bool {
    loop {
        // SAFETY: all zero is a valid siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: `info` is live for the call to fill.
        if unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, options) } != 0 {
            return false;
        }
        // SAFETY: filled by the call above, which found a child or left zeroes.
        let pid = unsafe { info.si_pid() };
        match u32::try_from(pid) {
            Ok(0) | Err(_) => return false,
            Ok(child) if known.contains(&child) => return true,
            Ok(_) => {
                // SAFETY: a null status pointer asks for none; the child has ended, so this does not wait.
                unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
            }
        }
    }
}

/// Whether a process with this id exists. One that may not be signalled does.
pub fn is_alive(pid: u32) -> bool {
    // SAFETY: signal 0 is never delivered: the call only asks.
    let status = unsafe { libc::kill(pid as libc::pid_t, 0) };
    status == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// Takes over a descriptor this process has inherited, or that another part of it has given away by number.
///
/// # Errors
/// EBADF when it is not open.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: takes plain integers; marks it, so that programs this process starts do not inherit it.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open by the call above, and the caller hands it over.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lends a descriptor that somebody else in this process keeps open, for the length of `act`.
///
/// # Errors
/// EBADF when it is not open, else what `act` answers.
pub fn borrow<T>(fd: RawFd, act: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
    // SAFETY: takes plain integers.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is open by the call above, and its owner, the event loop on this very thread, does not run meanwhile.
    act(unsafe { BorrowedFd::borrow_raw(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::epoll::{Epoll, Events, wait};
    use std::os::fd::AsFd;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn the_end_of_a_process_is_seen() {
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        let watcher = watch(child.id()).unwrap();
        let (epoll, mut events) = (Epoll::new().unwrap(), Events::with_capacity(1));
        epoll.add(&watcher, 1, true).unwrap();
        let set = epoll.try_clone().unwrap();
        wait(set.as_fd(), &mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.tokens().count(), 0);
        child.kill().unwrap();
        wait(set.as_fd(), &mut events, Some(Duration::from_secs(10))).unwrap();
        assert_eq!(events.tokens().count(), 1);
        child.wait().unwrap();
    }

    #[test]
    fn a_child_somebody_waits_for_is_left_alone() {
        let mut child = Command::new("true").spawn().unwrap();
        let watcher = watch(child.id()).unwrap();
        let (epoll, mut events) = (Epoll::new().unwrap(), Events::with_capacity(1));
        epoll.add(&watcher, 1, true).unwrap();
        wait(epoll.try_clone().unwrap().as_fd(), &mut events, Some(Duration::from_secs(10))).unwrap();
        // Other tests' children are theirs; only this one is known to have ended.
        let others: Vec<u32> = (1..=child.id()).collect();
        assert!(reap(&others));
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn what_is_not_open_cannot_be_adopted() {
        assert_eq!(adopt(-1).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(adopt(1 << 20).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}
