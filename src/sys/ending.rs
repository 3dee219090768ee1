//! Ends of sockets that leave no client with a reset.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Offset of the flags in a TCP header, and the one that begins a connection (RFC 9293, section 3.1).
const FLAGS: u32 = 13;
const SYN: u32 = 2;

/// Lets nobody begin to connect to a listening socket any more, by a filter that drops what would begin a connection;
/// those under way are completed. The socket can then be emptied and closed: closing one that still gets connections would
/// reset those that come in between. Clients try again, and are refused once it is closed.
///
/// # Errors
/// What setsockopt(2) answers.
pub fn refuse_new(listener: impl AsFd) -> io::Result<()> {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut program = [
        step(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, FLAGS),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, SYN),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
    ];
    let filter = libc::sock_fprog { len: program.len() as libc::c_ushort, filter: program.as_mut_ptr() };
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    let (fd, place) = (listener.as_fd().as_raw_fd(), (&raw const filter).cast());
    // SAFETY: `filter` is live and as long as `size` says, and so is the program it points at; the kernel copies both.
    let status = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, place, size) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends a listening socket, whoever else has it open: clients are refused from now on, and who waits to be accepted is
/// reset.
pub fn unlisten(listener: impl AsFd) {
    // SAFETY: takes plain integers. Of a listening socket Linux ends the listening, tcp_disconnect() in inet_shutdown().
    unsafe { libc::shutdown(listener.as_fd().as_raw_fd(), libc::SHUT_RD) };
}

/// Throws away what has come and was not read: a connection that is closed with unread bytes is reset.
pub fn discard(connection: impl AsFd) {
    let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
    // SAFETY: with MSG_TRUNC the kernel writes nothing to the buffer of a TCP socket (tcp(7)), so it need not be there.
    while unsafe { libc::recv(connection.as_fd().as_raw_fd(), std::ptr::null_mut(), 1 << 30, flags) } > 0 {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    #[test]
    fn who_was_there_is_accepted_and_who_comes_later_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut early = TcpStream::connect(address).unwrap();
        refuse_new(&listener).unwrap();
        assert!(TcpStream::connect_timeout(&address, Duration::from_millis(50)).is_err());
        early.write_all(b"hello").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        drop(listener);
        server.write_all(b"x").unwrap();
        early.read_exact(&mut [0]).unwrap();
    }

    #[test]
    fn a_duplicate_listens_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let twin = listener.try_clone().unwrap();
        unlisten(&listener);
        assert_eq!(twin.accept().unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn unread_bytes_do_not_reset_the_client() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.write_all(&[b'x'; 10_000]).unwrap();
        discard(&server);
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
