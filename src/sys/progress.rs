//! How far a TCP connection has come, as the kernel knows it: whoever reads or writes it, in whatever process.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd};

/// The beginning of `struct tcp_info` (linux/tcp.h), which only ever grows at its end.
#[repr(C)]
#[derive(Default)]
struct Info {
    state: u8,
    _flags: [u8; 7],
    _words: [u32; 24],
    _pacing: [u64; 2],
    _acked: u64,
    /// Bytes that have come, in order; a FIN counts as one.
    received: u64,
    _segments: [u32; 2],
    /// Bytes written and not sent yet.
    not_sent: u32,
    _rtt: u32,
    _segments_in: u32,
    /// Segments with data that have been sent.
    segments_out: u32,
}

const ESTABLISHED: u8 = 1;
const CLOSE_WAIT: u8 = 8;

impl Info {
    fn of(fd: libc::c_int) -> io::Result<Self> {
        let mut info = Self::default();
        let mut length = size_of::<Self>() as libc::socklen_t;
        let place = (&raw mut info).cast();
        // SAFETY: `info` is live, as long as `length` says, and any bytes are a valid `Info`.
        if unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, place, &raw mut length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let whole = offset_of!(Self, segments_out) + size_of::<u32>();
        if (length as usize) < whole { Err(io::ErrorKind::Unsupported.into()) } else { Ok(info) }
    }

    /// Bytes that have come.
    fn arrived(&self) -> u64 {
        // Of a connection that has come to an end on the other side the last one is its FIN.
        self.received.saturating_sub(u64::from(self.state != ESTABLISHED))
    }

    /// Whether it can still be served: neither reset nor shut down on this side.
    fn is_open(&self) -> bool {
        matches!(self.state, ESTABLISHED | CLOSE_WAIT)
    }
}

/// How many bytes somebody has read from a connection since it was made.
///
/// # Errors
/// What getsockopt(2) and ioctl(2) answer; EOPNOTSUPP for a socket that is not TCP; `Unsupported` before Linux 4.6.
pub fn bytes_read(socket: impl AsFd) -> io::Result<u64> {
    let fd = socket.as_fd().as_raw_fd();
    read_by(fd, Info::of(fd)?)
}

/// Whether nobody has read from a connection or written to it, since it was made or, with `before`, since so many bytes
/// had been read (what was written then may be sent again, so only reading counts). False for one that has ended.
///
/// # Errors
/// As [`bytes_read`].
pub fn is_untouched(socket: impl AsFd, before: Option<u64>) -> io::Result<bool> {
    let fd = socket.as_fd().as_raw_fd();
    let info = Info::of(fd)?;
    if !info.is_open() || (before.is_none() && (info.segments_out > 0 || info.not_sent > 0)) {
        return Ok(false);
    }
    Ok(read_by(fd, info)? == before.unwrap_or(0))
}

fn read_by(fd: libc::c_int, mut info: Info) -> io::Result<u64> {
    loop {
        let arrived = info.arrived();
        if arrived == 0 {
            return Ok(0);
        }
        let unread = unread(fd)?;
        if unread == 0 {
            return Ok(arrived);
        }
        // What came between the two questions would hide that as much had been read.
        info = Info::of(fd)?;
        if info.arrived() == arrived {
            return Ok(arrived.saturating_sub(unread));
        }
    }
}

fn unread(fd: libc::c_int) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: `count` is live for the call to fill.
    if unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut count) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A number that no other open socket of this machine has.
///
/// # Errors
/// What fstat(2) answers.
pub fn identity(socket: impl AsFd) -> io::Result<u64> {
    // SAFETY: all zero is a valid stat.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `status` is live for the call to fill.
    if unsafe { libc::fstat(socket.as_fd().as_raw_fd(), &raw mut status) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(status.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn what_has_come_and_was_not_read_is_untouched() {
        let (mut client, mut server) = pair();
        assert!(is_untouched(&server, None).unwrap());
        client.write_all(b"hello").unwrap();
        assert!(is_untouched(&server, None).unwrap());
        // Looked at is not read.
        server.peek(&mut [0; 5]).unwrap();
        assert!(is_untouched(&server, None).unwrap());
        server.read_exact(&mut [0; 2]).unwrap();
        assert!(!is_untouched(&server, None).unwrap());
        assert_eq!(bytes_read(&server).unwrap(), 2);
        assert!(is_untouched(&server, Some(2)).unwrap());
        server.read_exact(&mut [0; 3]).unwrap();
        assert!(!is_untouched(&server, Some(2)).unwrap());
    }

    #[test]
    fn a_client_that_says_no_more_has_not_been_read() {
        let (mut client, server) = pair();
        client.write_all(b"all I have to say").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert!(is_untouched(&server, None).unwrap());
        let (client, server) = pair();
        client.shutdown(Shutdown::Write).unwrap();
        assert!(is_untouched(&server, None).unwrap());
    }

    #[test]
    fn what_the_server_says_first_and_its_end_count() {
        let (mut client, mut server) = pair();
        server.write_all(b"220 welcome").unwrap();
        assert!(!is_untouched(&server, None).unwrap());
        assert!(is_untouched(&server, Some(0)).unwrap(), "of one that is moved only reading counts");
        client.write_all(b"x").unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        assert!(!is_untouched(&server, Some(0)).unwrap());
    }

    #[test]
    fn duplicates_are_one_connection() {
        let (client, server) = pair();
        let twin = server.try_clone().unwrap();
        assert_eq!(identity(&twin).unwrap(), identity(&server).unwrap());
        assert_ne!(identity(&client).unwrap(), identity(&server).unwrap());
        assert!(bytes_read(std::os::unix::net::UnixStream::pair().unwrap().0).is_err());
    }
}
