//! The hub with real sockets and channels, and workers that are only their ends of them.

use super::{Hub, Source};
use crate::dispatch::channel::{Channel, Taken};
use crate::dispatch::health::Pulse;
use crate::dispatch::listener::Wanted;
use crate::dispatch::policy::Kind;
use crate::sys::clock::monotonic_nanos;
use crate::sys::process::adopt;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::time::Duration;

struct Cluster {
    hub: Hub,
    server: u32,
    address: SocketAddr,
    workers: Vec<(u32, Channel)>,
}

/// A duplicate, as a child process would inherit it.
fn inherit(fd: i32) -> i32 {
    let borrowed = std::mem::ManuallyDrop::new(adopt(fd).unwrap());
    borrowed.try_clone().unwrap().into_raw_fd()
}

fn cluster(policy: Kind, count: usize) -> Cluster {
    let mut hub = Hub::new().unwrap();
    let address = Some("127.0.0.1".to_owned());
    let wanted = Wanted { address, port: 0, ipv6_only: false, backlog: 128, policy };
    let (server, address) = hub.listen(&wanted).unwrap();
    let mut workers = Vec::new();
    for _ in 0..count {
        let seat = hub.add_worker().unwrap();
        let channel = Channel::open(inherit(seat.channel), inherit(seat.memory), seat.slot).unwrap();
        hub.worker_started(seat.id, seat.id * 10, 0);
        channel.ready(server).unwrap();
        hub.handle(Source::Channel(seat.id));
        workers.push((seat.id, channel));
    }
    Cluster { hub, server, address, workers }
}

impl Cluster {
    /// Connects so many clients and has the hub accept them.
    fn connect(&mut self, count: usize) -> Vec<TcpStream> {
        let clients = (0..count).map(|_| TcpStream::connect(self.address).unwrap()).collect();
        self.hub.handle(Source::Listener(self.server));
        clients
    }

    fn active(&mut self) -> Vec<u32> {
        self.hub.connections().iter().map(|load| load.active).collect()
    }
}

#[test]
fn connections_go_to_the_least_busy_and_are_counted_down() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    let _clients = cluster.connect(4);
    assert_eq!(cluster.active(), [2, 2]);
    let (_, first) = &cluster.workers[0];
    let Taken::Connection { socket, server, hops } = first.take() else { panic!("two are waiting") };
    assert_eq!((server, hops), (cluster.server, 0));
    drop(socket);
    first.closed();
    assert_eq!(cluster.active(), [1, 2]);
    let _more = cluster.connect(1);
    assert_eq!(cluster.active(), [2, 2]);
    let names: Vec<_> = cluster.hub.connections().iter().map(|load| load.id).collect();
    assert_eq!(names, [10, 20]);
}

#[test]
fn what_a_worker_has_not_taken_goes_to_another() {
    let mut cluster = cluster(Kind::RoundRobin, 2);
    let _clients = cluster.connect(6);
    let (first, _) = cluster.workers[0];
    cluster.hub.retire_worker(first);
    assert_eq!(cluster.active(), [0, 6]);
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.active(), [6]);
    let again = cluster.hub.add_worker().unwrap();
    assert_eq!(again.slot, 0, "a replacement takes the free slot");
}

#[test]
fn without_a_worker_they_wait_for_one() {
    let mut cluster = cluster(Kind::Sticky, 1);
    let _clients = cluster.connect(3);
    let (first, _) = cluster.workers[0];
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.hub.waiting(), 3);
    let seat = cluster.hub.add_worker().unwrap();
    let channel = Channel::open(inherit(seat.channel), inherit(seat.memory), seat.slot).unwrap();
    channel.ready(cluster.server).unwrap();
    cluster.hub.handle(Source::Channel(seat.id));
    assert!(cluster.hub.tick().is_some(), "they are to be looked after");
    assert_eq!((cluster.hub.waiting(), cluster.active()), (0, vec![3]));
}

#[test]
fn a_hanging_workers_connections_go_to_one_that_was_suspected_for_nothing() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    cluster.workers.iter().for_each(|(_, channel)| channel.beat());
    let _clients = cluster.connect(1);
    assert_eq!(cluster.active(), [1, 0]);
    let [Some(first), Some(second)] = &mut cluster.hub.workers[..] else { panic!("there are two") };
    // The first was given it long ago; the second was seen computing, and has turned its loop since.
    first.health.expect(0, Pulse { waiting: 0, ..first.pulse() });
    second.health.suspect(monotonic_nanos(), second.pulse());
    cluster.workers[1].1.beat();
    cluster.hub.tick();
    assert_eq!(cluster.active(), [0, 1]);
}

#[test]
fn a_worker_under_suspicion_is_better_than_one_that_hangs() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    let [Some(first), Some(second)] = &mut cluster.hub.workers[..] else { panic!("there are two") };
    first.health.expect(0, Pulse { waiting: 0, ..first.pulse() });
    first.health.observe(monotonic_nanos(), Pulse { waiting: 1, ..first.pulse() });
    second.health.suspect(monotonic_nanos(), second.pulse());
    let _clients = cluster.connect(2);
    assert_eq!(cluster.active(), [0, 2]);
}

#[test]
fn one_that_is_sent_back_goes_to_another_and_does_not_come_round_for_ever() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    let _clients = cluster.connect(1);
    for hop in 0..2 {
        let (id, worker) = &cluster.workers[hop];
        let Taken::Connection { socket, server, hops } = worker.take() else { panic!("hop {hop}") };
        assert_eq!(hops as usize, hop);
        worker.give_back(socket, server, hops).unwrap();
        cluster.hub.handle(Source::Channel(*id));
    }
    assert_eq!((cluster.hub.waiting(), cluster.active()), (1, vec![0, 0]));
    assert!(cluster.hub.tick().is_none_or(|pause| pause >= Duration::from_millis(1)));
    assert_eq!(cluster.hub.waiting(), 0, "they are asked again, only later");
}

#[test]
fn a_closed_server_closes_what_waits_for_it() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let mut clients = cluster.connect(1);
    let (first, _) = cluster.workers[0];
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.hub.waiting(), 1);
    cluster.hub.unlisten(cluster.server);
    assert_eq!(cluster.hub.waiting(), 0);
    clients[0].set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(matches!(clients[0].read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(cluster.address).is_err());
}

#[test]
fn late_events_find_nobody() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    for source in [Source::Waker, Source::Listener(99), Source::Channel(99), Source::Death(99)] {
        assert_eq!(Source::from_token(source.token()), source);
        cluster.hub.handle(source);
    }
    assert!(cluster.hub.join(99, 1).is_err());
    assert!(cluster.hub.epoll().try_clone().unwrap().as_raw_fd() > 0);
}
