//! TCP sockets with the options `std::net` does not offer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// How a listening socket is made.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// Address and port; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// An IPv6 socket that takes no IPv4 connections.
    pub ipv6_only: bool,
    /// Whether other sockets of this user may listen on the same port.
    pub reuse_port: bool,
    /// Connections the kernel keeps until they are accepted.
    pub backlog: i32,
}

/// A listening socket: non-blocking and closed on exec, from the start.
///
/// # Errors
/// What socket(2), setsockopt(2), bind(2) and listen(2) answer: EADDRINUSE, EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, ...
pub fn listen(options: &Listen) -> io::Result<OwnedFd> {
    let family = if options.address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let socket = stream(family)?;
    set_flag(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, true)?;
    if options.reuse_port {
        set_flag(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, true)?;
    }
    if options.address.is_ipv6() {
        set_flag(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, options.ipv6_only)?;
    }
    bind(&socket, &options.address)?;
    // SAFETY: the socket is open; the call takes plain integers.
    check(unsafe { libc::listen(socket.as_raw_fd(), options.backlog) })?;
    Ok(socket)
}

/// A TCP socket that is neither bound nor connected, closed on exec.
///
/// # Errors
/// What socket(2) answers: EMFILE, ENFILE, ENOBUFS, EAFNOSUPPORT.
pub fn unconnected() -> io::Result<OwnedFd> {
    stream(libc::AF_INET).or_else(|_| stream(libc::AF_INET6))
}

/// Takes a connection: its socket, non-blocking and closed on exec, and the client's address where the kernel tells.
///
/// # Errors
/// What accept4(2) answers: `WouldBlock` when none is waiting, ECONNABORTED when it has gone again, EMFILE, ENFILE,
/// ENOBUFS and ENOMEM when there is no room.
pub fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<IpAddr>)> {
    // SAFETY: all zero is a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let place = (&raw mut storage).cast::<libc::sockaddr>();
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: `storage` is live and as long as `length` says.
    let fd = unsafe { libc::accept4(listener.as_fd().as_raw_fd(), place, &raw mut length, flags) };
    check(fd)?;
    // SAFETY: the call above has just made `fd` and nothing else knows it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((socket, address_of(&storage).map(|address| address.ip())))
}

/// Whether there is something to read, or to accept.
pub fn is_readable(socket: impl AsFd) -> bool {
    let mut wanted = libc::pollfd { fd: socket.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one live entry; returns at once.
    unsafe { libc::poll(&raw mut wanted, 1, 0) > 0 }
}

/// The address a socket is bound to.
///
/// # Errors
/// What getsockname(2) answers; `InvalidData` for a socket that is neither IPv4 nor IPv6.
pub fn local_address(socket: impl AsFd) -> io::Result<SocketAddr> {
    // SAFETY: all zero is a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let place = (&raw mut storage).cast::<libc::sockaddr>();
    // SAFETY: `storage` is live and as long as `length` says.
    check(unsafe { libc::getsockname(socket.as_fd().as_raw_fd(), place, &raw mut length) })?;
    address_of(&storage).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The address a connected socket's client has, `None` once it is gone.
pub fn peer_address(socket: impl AsFd) -> Option<IpAddr> {
    // SAFETY: all zero is a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let place = (&raw mut storage).cast::<libc::sockaddr>();
    // SAFETY: `storage` is live and as long as `length` says.
    check(unsafe { libc::getpeername(socket.as_fd().as_raw_fd(), place, &raw mut length) }).ok()?;
    address_of(&storage).map(|address| address.ip())
}

/// Reads an address as Node writes it: an IPv4 or IPv6 literal, the latter with an optional `%interface`.
pub fn parse_address(text: &str, port: u16) -> Option<SocketAddr> {
    let Some((address, zone)) = text.split_once('%') else {
        return Some(SocketAddr::new(text.parse().ok()?, port));
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let scope = zone.parse().ok().or_else(|| interface_index(zone))?;
    Some(SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope)))
}

fn interface_index(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: `name` is a live C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

fn stream(family: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes plain integers.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    check(fd)?;
    // SAFETY: the call above has just made `fd` and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_flag(socket: &OwnedFd, level: libc::c_int, name: libc::c_int, on: bool) -> io::Result<()> {
    let value = libc::c_int::from(on);
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` is live and as long as `size` says.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size) })
}

fn bind(socket: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(v4) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*v4.ip()).to_be() },
                sin_zero: [0; 8],
            };
            let size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            // SAFETY: `name` is live and as long as `size` says.
            check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), size) })
        }
        SocketAddr::V6(v6) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            let size = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            // SAFETY: `name` is live and as long as `size` says.
            check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), size) })
        }
    }
}

fn address_of(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a sockaddr_in, which is shorter and less aligned.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::new(ip.into(), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for a sockaddr_in6.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn check(status: libc::c_int) -> io::Result<()> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn options(address: &str) -> Listen {
        let address = parse_address(address, 0).unwrap();
        Listen { address, ipv6_only: false, reuse_port: false, backlog: 16 }
    }

    #[test]
    fn a_client_is_accepted_with_its_address() {
        for host in ["127.0.0.1", "::1"] {
            let listener = listen(&options(host)).unwrap();
            let address = local_address(&listener).unwrap();
            assert_ne!(address.port(), 0);
            assert_eq!(accept(&listener).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            let client = TcpStream::connect(address).unwrap();
            let (socket, from) = accept(&listener).unwrap();
            assert_eq!(from, Some(client.local_addr().unwrap().ip()));
            assert_eq!(peer_address(&socket), from);
        }
    }

    #[test]
    fn a_port_in_use_is_refused_unless_it_is_shared() {
        let mut wanted = Listen { reuse_port: true, ..options("127.0.0.1") };
        let first = listen(&wanted).unwrap();
        wanted.address = local_address(&first).unwrap();
        let _second = listen(&wanted).unwrap();
        wanted.reuse_port = false;
        assert_eq!(listen(&wanted).unwrap_err().raw_os_error(), Some(libc::EADDRINUSE));
    }

    #[test]
    fn ipv6_only_leaves_the_port_to_ipv4() {
        let v6 = listen(&Listen { ipv6_only: true, ..options("::") }).unwrap();
        let port = local_address(&v6).unwrap().port();
        let v4 = Listen { address: parse_address("0.0.0.0", port).unwrap(), ..options("0.0.0.0") };
        listen(&v4).unwrap();
    }

    #[test]
    fn addresses_are_read_as_node_writes_them() {
        assert_eq!(parse_address("127.0.0.1", 80), Some("127.0.0.1:80".parse().unwrap()));
        assert_eq!(parse_address("fe80::1%3", 80), Some("[fe80::1%3]:80".parse().unwrap()));
        assert!(matches!(parse_address("fe80::1%lo", 80), Some(SocketAddr::V6(v6)) if v6.scope_id() > 0));
        assert_eq!(parse_address("fe80::1%none-such", 80), None);
        assert_eq!(parse_address("example.org", 80), None);
    }
}
