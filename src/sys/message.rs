//! Datagrams between processes that can carry one open descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Room for one descriptor beside a message, aligned as the kernel wants it: CMSG_SPACE(4) is 24 bytes on 64 bits.
#[repr(C, align(8))]
struct Ancillary([u8; 32]);

/// What [`receive`] found.
#[derive(Debug)]
pub struct Received {
    /// Bytes written into the caller's buffer; 0 when every sender is gone.
    pub length: usize,
    /// The descriptor that came along, closed on exec.
    pub descriptor: Option<OwnedFd>,
    /// The kernel had to drop the descriptor: this process has no room for another.
    pub lost: bool,
}

/// Two ends of a channel that keeps messages apart: non-blocking and closed on exec, from the start.
///
/// # Errors
/// What socketpair(2) answers: EMFILE, ENFILE, ENOMEM.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: `ends` has room for the two descriptors.
    if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has just made the descriptor and nothing else knows it.
    let one = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above.
    let two = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    Ok((one, two))
}

/// Sends `bytes` as one message, with a duplicate of `descriptor`; the caller keeps its own.
///
/// # Errors
/// What sendmsg(2) answers: EAGAIN when the channel is full, ETOOMANYREFS when the user has as many descriptors under
/// way as it may have open, EPIPE or ECONNRESET when the other end is gone.
pub fn send(channel: impl AsFd, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut ancillary = Ancillary([0; 32]);
    // SAFETY: all zero is a valid msghdr: no name, no parts, no ancillary data.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    if let Some(descriptor) = descriptor {
        header.msg_control = (&raw mut ancillary).cast();
        // SAFETY: arithmetic only.
        header.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<libc::c_int>() as u32) } as _;
        // SAFETY: the header's ancillary buffer is live and has room for one descriptor, so this is not null.
        let slot = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
        // SAFETY: as just said; nothing else refers to the buffer.
        let slot = unsafe { &mut *slot };
        slot.cmsg_level = libc::SOL_SOCKET;
        slot.cmsg_type = libc::SCM_RIGHTS;
        // SAFETY: arithmetic only.
        slot.cmsg_len = unsafe { libc::CMSG_LEN(size_of::<libc::c_int>() as u32) } as _;
        // SAFETY: the data of `slot` lies behind its header, inside the ancillary buffer.
        let data = unsafe { libc::CMSG_DATA(slot) };
        // SAFETY: room for one descriptor, which need not be aligned.
        unsafe { data.cast::<libc::c_int>().write_unaligned(descriptor.as_raw_fd()) };
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    loop {
        // SAFETY: the header points at live memory; the kernel only reads it.
        if unsafe { libc::sendmsg(channel.as_fd().as_raw_fd(), &raw const header, flags) } >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Takes one message, whose bytes beyond `buffer` are cut off, and the descriptor it carries.
///
/// # Errors
/// What recvmsg(2) answers: EAGAIN (`WouldBlock`) when there is none.
pub fn receive(channel: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut ancillary = Ancillary([0; 32]);
    // SAFETY: all zero is a valid msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut ancillary).cast();
    // SAFETY: arithmetic only. Room for one descriptor: a message that carries more loses the rest here.
    header.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<libc::c_int>() as u32) } as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    let length = loop {
        // SAFETY: the header points at live memory with the lengths it states.
        let count = unsafe { libc::recvmsg(channel.as_fd().as_raw_fd(), &raw mut header, flags) };
        if count >= 0 {
            break count as usize;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    let lost = header.msg_flags & libc::MSG_CTRUNC != 0;
    Ok(Received { length, descriptor: descriptor_of(&header), lost })
}

/// Takes one message and throws it away, with the descriptor it carries.
pub fn discard(channel: impl AsFd) {
    let mut byte = 0u8;
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: room for one byte. Without room for ancillary data the kernel closes what a message carries (unix(7)).
    unsafe { libc::recv(channel.as_fd().as_raw_fd(), (&raw mut byte).cast(), 1, flags) };
}

/// The descriptor recvmsg(2) has put beside a message.
fn descriptor_of(header: &libc::msghdr) -> Option<OwnedFd> {
    // SAFETY: the kernel has filled the header's ancillary buffer, which is still live; null when there is nothing.
    let slot = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: as just said.
    let slot = unsafe { slot.as_ref() }?;
    // SAFETY: arithmetic only.
    let wanted = unsafe { libc::CMSG_LEN(size_of::<libc::c_int>() as u32) } as usize;
    if slot.cmsg_level != libc::SOL_SOCKET || slot.cmsg_type != libc::SCM_RIGHTS || (slot.cmsg_len as usize) < wanted {
        return None;
    }
    // SAFETY: the slot's data lies behind its header.
    let data = unsafe { libc::CMSG_DATA(slot) };
    // SAFETY: by `cmsg_len` it holds a descriptor, not necessarily aligned.
    let number = unsafe { data.cast::<libc::c_int>().read_unaligned() };
    // SAFETY: the kernel has just installed this descriptor for us.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_message_arrives_whole_with_its_descriptor() {
        let (one, two) = pair().unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        send(&one, b"first", Some(far.as_fd())).unwrap();
        send(&one, b"second", None).unwrap();
        drop(far);
        let mut buffer = [0; 16];
        let first = receive(&two, &mut buffer).unwrap();
        assert_eq!(&buffer[..first.length], b"first");
        let mut far = UnixStream::from(first.descriptor.unwrap());
        far.write_all(b"x").unwrap();
        let mut byte = [0];
        near.read_exact(&mut byte).unwrap();
        let second = receive(&two, &mut buffer).unwrap();
        assert_eq!(&buffer[..second.length], b"second");
        assert!(second.descriptor.is_none() && !second.lost);
        assert_eq!(receive(&two, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn what_one_reader_leaves_another_takes_through_a_duplicate() {
        let (one, two) = pair().unwrap();
        let duplicate = two.try_clone().unwrap();
        let (_near, far) = UnixStream::pair().unwrap();
        send(&one, b"a", Some(far.as_fd())).unwrap();
        drop(two);
        let mut buffer = [0; 4];
        assert!(receive(&duplicate, &mut buffer).unwrap().descriptor.is_some());
        drop(one);
        assert_eq!(receive(&duplicate, &mut buffer).unwrap().length, 0);
    }

    #[test]
    fn a_full_channel_says_so() {
        let (one, _two) = pair().unwrap();
        let refused = loop {
            if let Err(error) = send(&one, &[0; 32], None) {
                break error;
            }
        };
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    }
}
