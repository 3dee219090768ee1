//! One listening socket of the primary.

use super::policy::{Kind, Policy, Slot};
use crate::sys::socket::{self, Listen};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// What JavaScript asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// `None`: all addresses, IPv6 and IPv4 where there is IPv6.
    pub address: Option<String>,
    /// 0: the kernel chooses.
    pub port: u16,
    /// No IPv4 on an IPv6 socket.
    pub ipv6_only: bool,
    /// Connections the kernel keeps until they are accepted.
    pub backlog: i32,
    /// How connections are spread.
    pub policy: Kind,
}

/// A socket, and the workers that listen on it.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: OwnedFd,
    /// Where it listens.
    pub address: SocketAddr,
    /// What its policy is called.
    pub kind: Kind,
    /// Who gets the next connection.
    pub policy: Box<dyn Policy>,
    /// The workers that listen.
    pub workers: Vec<Slot>,
    /// Accepted connections nobody can take now.
    pub waiting: usize,
    /// Whether new connections are reported.
    pub armed: bool,
    /// No accepting until then, in nanoseconds of the monotonic clock: there was no room for another descriptor.
    pub resting_until: u64,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    /// What bind(2) and listen(2) answer; EINVAL for an address that is none.
    pub fn open(wanted: &Wanted) -> io::Result<Self> {
        let socket = bind(wanted)?;
        let address = socket::local_address(&socket)?;
        let (kind, policy) = (wanted.policy, wanted.policy.build());
        Ok(Self { socket, address, kind, policy, workers: Vec::new(), waiting: 0, armed: false, resting_until: 0 })
    }

    /// A worker listens.
    pub fn add(&mut self, worker: Slot) {
        if !self.workers.contains(&worker) {
            self.workers.push(worker);
            self.policy.add(worker);
        }
    }

    /// A worker listens no more.
    pub fn remove(&mut self, worker: Slot) {
        self.workers.retain(|&known| known != worker);
        self.policy.remove(worker);
    }

    /// Takes one waiting connection.
    ///
    /// # Errors
    /// As [`socket::accept`].
    pub fn accept(&self) -> io::Result<(OwnedFd, Option<IpAddr>)> {
        socket::accept(&self.socket)
    }
}

fn bind(wanted: &Wanted) -> io::Result<OwnedFd> {
    let listen = |address: SocketAddr| {
        let Wanted { ipv6_only, backlog, .. } = *wanted;
        socket::listen(&Listen { address, ipv6_only, reuse_port: false, backlog })
    };
    let Some(text) = &wanted.address else {
        // As Node does it: where IPv6 fails, for whatever reason, IPv4 decides.
        return listen(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), wanted.port))
            .or_else(|_| listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), wanted.port)));
    };
    let address = socket::parse_address(text, wanted.port);
    listen(address.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(address: Option<&str>) -> Wanted {
        let address = address.map(str::to_owned);
        Wanted { address, port: 0, ipv6_only: false, backlog: 8, policy: Kind::RoundRobin }
    }

    #[test]
    fn without_an_address_it_listens_everywhere() {
        let listener = Listener::open(&wanted(None)).unwrap();
        assert!(listener.address.ip().is_unspecified());
        std::net::TcpStream::connect(("127.0.0.1", listener.address.port())).unwrap();
    }

    #[test]
    fn nonsense_is_refused() {
        let error = Listener::open(&wanted(Some("nowhere"))).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn a_worker_is_known_once() {
        let mut listener = Listener::open(&wanted(Some("127.0.0.1"))).unwrap();
        listener.add(1);
        listener.add(1);
        assert_eq!(listener.workers, [1]);
        listener.remove(1);
        assert!(listener.workers.is_empty());
    }
}
