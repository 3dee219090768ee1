//! One listening address of the primary: a socket all workers are served from or, under `kernel`, one for each of them.

use super::policy::{Kind, Policy, Slot};
use crate::sys::ending;
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

/// A listening socket of the primary.
#[derive(Debug)]
pub struct Socket {
    /// The socket.
    pub fd: OwnedFd,
    /// The worker that accepts from it, by the hub's number; `None`: the accept thread does.
    pub owner: Option<u32>,
    /// Whether new connections are reported to the accept thread.
    pub armed: bool,
}

/// The accept thread was told of a connection and leaves it to workers that accept by themselves: it looks whether they do.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// When to look again, in nanoseconds of the monotonic clock.
    pub look_at: u64,
    /// What they had taken when last looked at.
    pub taken: u64,
}

/// The sockets of one address, and the workers that listen on it.
#[derive(Debug)]
pub struct Listener {
    /// One; under `kernel` as many as workers ever listened at once.
    pub sockets: Vec<Socket>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What its policy is called.
    pub kind: Kind,
    /// Who gets the next connection.
    pub policy: Box<dyn Policy>,
    /// The workers that listen.
    pub workers: Vec<Slot>,
    /// Those of them that accept by themselves.
    pub invited: Vec<Slot>,
    /// Since when the accept thread leaves new connections to them; see [`super::hub`].
    pub guard: Option<Guard>,
    /// Accepted connections nobody can take now.
    pub waiting: usize,
    /// No accepting until then, in nanoseconds of the monotonic clock: there was no room for another descriptor.
    pub resting_until: u64,
    options: Listen,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    /// What bind(2) and listen(2) answer; EINVAL for an address that is none.
    pub fn open(wanted: &Wanted) -> io::Result<Self> {
        let (fd, mut options) = bind(wanted)?;
        let address = socket::local_address(&fd)?;
        options.address = address;
        Ok(Self {
            sockets: vec![Socket { fd, owner: None, armed: false }],
            address,
            kind: wanted.policy,
            policy: wanted.policy.build(),
            workers: Vec::new(),
            invited: Vec::new(),
            guard: None,
            waiting: 0,
            resting_until: 0,
            options,
        })
    }

    /// Listens no more, whoever holds a duplicate; under `kernel` workers do, and would take it for an error.
    pub fn end(&self) {
        if self.kind != Kind::Kernel {
            self.sockets.iter().for_each(|socket| ending::unlisten(&socket.fd));
        }
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
        self.invited.retain(|&known| known != worker);
        self.policy.remove(worker);
    }

    /// Gives worker `id` a socket of its own: one nobody accepts from, with all that waits in it, or a new one. Returns
    /// the socket's place, and a duplicate for the worker.
    ///
    /// # Errors
    /// What bind(2), listen(2) and fcntl(2) answer.
    pub fn join(&mut self, id: u32) -> io::Result<(usize, OwnedFd)> {
        if let Some(place) = self.sockets.iter().position(|socket| socket.owner.is_none()) {
            let socket = &mut self.sockets[place];
            let duplicate = socket.fd.try_clone()?;
            socket.owner = Some(id);
            return Ok((place, duplicate));
        }
        let fd = socket::listen(&self.options)?;
        let duplicate = fd.try_clone()?;
        self.sockets.push(Socket { fd, owner: Some(id), armed: false });
        Ok((self.sockets.len() - 1, duplicate))
    }

    /// Worker `id` accepts no more: its socket stays in the kernel's group, and the accept thread empties it.
    pub fn part(&mut self, id: u32) {
        for socket in self.sockets.iter_mut().filter(|socket| socket.owner == Some(id)) {
            socket.owner = None;
        }
    }

    /// Takes one connection from any socket the accept thread looks after.
    ///
    /// # Errors
    /// As [`socket::accept`].
    pub fn accept(&self) -> io::Result<(OwnedFd, Option<IpAddr>)> {
        for socket in self.sockets.iter().filter(|socket| socket.armed) {
            match socket::accept(&socket.fd) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
        Err(io::Error::from_raw_os_error(libc::EAGAIN))
    }

    /// Whether every worker accepts by itself.
    pub fn is_self_served(&self) -> bool {
        !self.workers.is_empty() && self.workers.iter().all(|worker| self.invited.contains(worker))
    }

    /// Whether the accept thread should hear of new connections now.
    pub fn is_open(&self, now: u64) -> bool {
        !self.workers.is_empty() && self.waiting == 0 && now >= self.resting_until && self.guard.is_none()
    }
}

fn bind(wanted: &Wanted) -> io::Result<(OwnedFd, Listen)> {
    let listen = |address: SocketAddr| {
        let reuse_port = wanted.policy == Kind::Kernel;
        let options = Listen { address, ipv6_only: wanted.ipv6_only, reuse_port, backlog: wanted.backlog };
        socket::listen(&options).map(|fd| (fd, options))
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

    fn wanted(address: Option<&str>, policy: Kind) -> Wanted {
        Wanted { address: address.map(str::to_owned), port: 0, ipv6_only: false, backlog: 128, policy }
    }

    #[test]
    fn without_an_address_it_listens_everywhere() {
        let listener = Listener::open(&wanted(None, Kind::RoundRobin)).unwrap();
        assert!(listener.address.ip().is_unspecified());
        std::net::TcpStream::connect(("127.0.0.1", listener.address.port())).unwrap();
    }

    #[test]
    fn nonsense_is_refused() {
        let error = Listener::open(&wanted(Some("nowhere"), Kind::Sticky)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn a_worker_is_known_once() {
        let mut listener = Listener::open(&wanted(Some("127.0.0.1"), Kind::Sticky)).unwrap();
        listener.add(1);
        listener.add(1);
        assert_eq!(listener.workers, [1]);
        assert!(listener.is_open(0));
        listener.remove(1);
        assert!(!listener.is_open(0));
    }

    #[test]
    fn a_socket_without_its_worker_is_emptied_here_and_taken_over_by_the_next() {
        let mut listener = Listener::open(&wanted(Some("127.0.0.1"), Kind::Kernel)).unwrap();
        let (first, _one) = listener.join(1).unwrap();
        let (second, _two) = listener.join(2).unwrap();
        assert_eq!((first, second), (0, 1));
        let _clients: Vec<_> = (0..32).map(|_| std::net::TcpStream::connect(listener.address).unwrap()).collect();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "both have a worker");
        listener.part(2);
        listener.sockets[1].armed = true;
        let mut accepted = 0;
        while listener.accept().is_ok() {
            accepted += 1;
        }
        assert!(accepted > 0 && accepted < 32, "the second's share: {accepted}");
        assert_eq!(listener.join(3).unwrap().0, 1);
    }
}
