//! The hub with real sockets and channels, and workers that are only their ends of them.

mod death;
mod guard;

use super::{Hub, Source};
use crate::dispatch::channel::{Channel, ENOUGH, FEW, Past, Taken};
use crate::dispatch::health::Pulse;
use crate::dispatch::listener::Wanted;
use crate::dispatch::note::{FOREVER, FRESH};
use crate::dispatch::policy::Kind;
use crate::sys::clock::monotonic_nanos;
use crate::sys::message;
use crate::sys::process::adopt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

/// After how long a worker that does not turn counts as hanging, in nanoseconds: these never do, and must not seem to where
/// a test has to wait for the CPU.
const LIMIT: u64 = 600_000_000_000;

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
    let mut hub = Hub::new(LIMIT).unwrap();
    let address = Some("127.0.0.1".to_owned());
    let wanted = Wanted { address, port: 0, ipv6_only: false, backlog: 128, policy };
    let (server, address) = hub.listen(&wanted).unwrap();
    let mut cluster = Cluster { hub, server, address, workers: Vec::new() };
    (0..count).for_each(|_| cluster.join());
    cluster
}

impl Cluster {
    /// One worker more.
    fn join(&mut self) {
        let seat = self.hub.add_worker().unwrap();
        let channel = Channel::open(inherit(seat.channel), inherit(seat.memory), seat.slot).unwrap();
        self.hub.worker_started(seat.id, seat.id * 10, 0);
        channel.ready(self.server, false).unwrap();
        self.hub.handle(Source::Channel(seat.id));
        self.workers.push((seat.id, channel));
    }

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
    let Taken::Connection { socket, server, past } = first.take() else { panic!("two are waiting") };
    assert_eq!((server, past), (cluster.server, Past::default()));
    drop(socket);
    first.closed();
    assert_eq!(cluster.active(), [1, 2]);
    let _more = cluster.connect(1);
    assert_eq!(cluster.active(), [2, 2]);
    let names: Vec<_> = cluster.hub.connections().iter().map(|load| load.id).collect();
    assert_eq!(names, [10, 20]);
}

#[test]
fn once_all_are_supplied_the_rest_waits_in_the_backlog_until_one_has_read_most() {
    for policy in [Kind::LeastConnections, Kind::RoundRobin] {
        let mut cluster = cluster(policy, 2);
        let enough = u32::try_from(ENOUGH).unwrap();
        let _clients = cluster.connect(40);
        cluster.hub.tick();
        assert_eq!(cluster.active(), [enough, enough], "{policy:?}");
        cluster.hub.handle(Source::Listener(cluster.server));
        assert_eq!(cluster.active(), [enough, enough], "the socket rests");
        let (id, worker) = &cluster.workers[1];
        for left in (FEW..ENOUGH).rev() {
            assert!(worker.words().waiting() == left + 1 && matches!(worker.take(), Taken::Connection { .. }));
        }
        cluster.hub.handle(Source::Channel(*id));
        cluster.hub.tick();
        cluster.hub.handle(Source::Listener(cluster.server));
        assert!(cluster.active().iter().sum::<u32>() > 2 * enough);
        assert!(cluster.hub.workers.iter().flatten().all(|worker| worker.slot.waiting() >= ENOUGH));
    }
}

#[test]
fn under_sticky_and_with_nobody_well_nothing_rests() {
    let mut sticky = cluster(Kind::Sticky, 2);
    let _clients = sticky.connect(40);
    sticky.hub.tick();
    assert_eq!(sticky.active().iter().sum::<u32>(), 40);
    let mut one = cluster(Kind::LeastConnections, 1);
    let _first = one.connect(20);
    let [Some(worker)] = &mut one.hub.workers[..] else { panic!("there is one") };
    worker.health.suspect(monotonic_nanos(), worker.pulse());
    one.hub.handle(Source::Listener(one.server));
    assert_eq!(one.active(), [20]);
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
fn a_held_worker_gets_none_until_it_is_released() {
    let mut cluster = cluster(Kind::RoundRobin, 2);
    let _clients = cluster.connect(4);
    let (first, _) = cluster.workers[0];
    cluster.hub.hold_worker(first);
    cluster.hub.hold_worker(first);
    assert_eq!(cluster.active(), [0, 4], "what it has not read is taken back");
    let _more = cluster.connect(2);
    assert_eq!(cluster.active(), [0, 6]);
    cluster.hub.release_worker(first);
    cluster.hub.release_worker(first);
    let _last = cluster.connect(2);
    assert_eq!(cluster.active(), [1, 7]);
}

#[test]
fn a_worker_that_is_held_from_birth_listens_without_being_given_any() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let seat = cluster.hub.add_worker().unwrap();
    cluster.hub.hold_worker(seat.id);
    let spare = Channel::open(inherit(seat.channel), inherit(seat.memory), seat.slot).unwrap();
    spare.ready(cluster.server, false).unwrap();
    cluster.hub.handle(Source::Channel(seat.id));
    let _clients = cluster.connect(2);
    assert_eq!(cluster.active(), [2, 0]);
    let (first, _) = cluster.workers[0];
    cluster.hub.release_worker(seat.id);
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.active(), [2], "the spare has what the dead one had not read");
}

#[test]
fn one_that_is_asked_to_turn_reads_no_connection() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let (id, _) = cluster.workers[0];
    assert_eq!(cluster.hub.heartbeat(id), None, "it has never turned");
    let _client = cluster.connect(1);
    cluster.hub.ask(id);
    let (_, worker) = &cluster.workers[0];
    worker.beat();
    assert!(matches!(worker.take(), Taken::Connection { .. }));
    assert!(matches!(worker.take(), Taken::Empty));
    assert!(cluster.hub.heartbeat(id).is_some());
    // And one that has died with both unread loses neither, nor the one it had read and not touched.
    let _client = cluster.connect(1);
    cluster.hub.ask(id);
    let _other = cluster.connect(1);
    cluster.hub.remove_worker(id);
    assert_eq!(cluster.hub.waiting(), 3);
}

#[test]
fn without_a_worker_they_wait_for_one() {
    let mut cluster = cluster(Kind::Sticky, 1);
    let _clients = cluster.connect(3);
    let (first, _) = cluster.workers[0];
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.hub.waiting(), 3);
    cluster.join();
    assert!(cluster.hub.tick().is_some(), "they are to be looked after");
    assert_eq!((cluster.hub.waiting(), cluster.active()), (0, vec![3]));
}

#[test]
fn a_hanging_workers_connections_go_to_one_that_was_suspected_for_nothing() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    cluster.workers.iter().for_each(|(_, channel)| _ = channel.beat());
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
        let Taken::Connection { socket, server, past } = worker.take() else { panic!("hop {hop}") };
        assert_eq!(past.hops as usize, hop);
        worker.give_back(socket, server, past).unwrap();
        cluster.hub.handle(Source::Channel(*id));
    }
    assert_eq!((cluster.hub.waiting(), cluster.active()), (1, vec![0, 0]));
    assert!(cluster.hub.tick().is_none_or(|pause| pause >= Duration::from_millis(1)));
    assert_eq!(cluster.hub.waiting(), 0, "they are asked again, only later");
}

/// Takes all that waits for a worker, as its receiver would.
fn take_all(worker: &Channel) -> Vec<OwnedFd> {
    let take = || match worker.take() {
        Taken::Connection { socket, .. } => Some(socket),
        _ => None,
    };
    std::iter::from_fn(take).collect()
}

#[test]
fn a_live_worker_passes_connections_on_to_the_least_busy() {
    for policy in [Kind::LeastConnections, Kind::RoundRobin, Kind::Kernel] {
        let mut cluster = cluster(policy, 1);
        let _clients = cluster.connect(8);
        let (first, server) = (cluster.workers[0].0, cluster.server);
        let sockets = take_all(&cluster.workers[0].1);
        cluster.join();
        for socket in &sockets[..4] {
            cluster.workers[0].1.pass_on(socket.as_fd(), server, 1234).unwrap();
        }
        assert!(cluster.hub.hear_out(first));
        assert_eq!(cluster.active(), [4, 4], "{policy:?}");
        let Taken::Connection { past, .. } = cluster.workers[1].1.take() else { panic!("four are waiting") };
        assert_eq!(past, Past { hops: 0, idle: 1234 });
        assert_eq!(cluster.hub.connections()[0].moved, 4);
    }
}

#[test]
fn under_sticky_a_connection_passed_on_stays_with_its_worker_or_goes_to_the_one_it_would_meet_next() {
    let mut cluster = cluster(Kind::Sticky, 2);
    let _clients = cluster.connect(1);
    let home = cluster.workers.iter().position(|(_, worker)| worker.load().active == 1).unwrap();
    let pass = |cluster: &Cluster| {
        let (id, worker) = &cluster.workers[home];
        let Taken::Connection { socket, server, .. } = worker.take() else { panic!("it is here") };
        worker.pass_on(socket.as_fd(), server, FOREVER).unwrap();
        *id
    };
    let id = pass(&cluster);
    cluster.hub.hear_out(id);
    assert_eq!(cluster.active()[home], 1);
    let id = pass(&cluster);
    cluster.hub.retire_worker(id);
    cluster.hub.hear_out(id);
    assert_eq!(cluster.active()[1 - home], 1);
}

#[test]
fn a_worker_without_room_gets_nothing() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    cluster.hub.workers[0].as_ref().unwrap().slot.set_room(3);
    let _clients = cluster.connect(10);
    assert_eq!(cluster.active(), [3, 7]);
}

#[test]
fn a_closed_server_closes_what_waits_for_it() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let mut clients = cluster.connect(1);
    clients[0].write_all(b"GET /").unwrap();
    let (first, _) = cluster.workers[0];
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.hub.waiting(), 1);
    cluster.hub.unlisten(cluster.server);
    assert_eq!(cluster.hub.waiting(), 0);
    clients[0].set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(clients[0].read(&mut [0]).unwrap(), 0, "it reads the end, and is not reset");
    assert!(TcpStream::connect(cluster.address).is_err());
}

#[test]
fn who_is_connected_when_the_sockets_close_is_served() {
    for policy in [Kind::LeastConnections, Kind::Kernel] {
        let mut cluster = cluster(policy, 1);
        if policy == Kind::Kernel {
            drop(cluster.hub.join(cluster.server, cluster.workers[0].0).unwrap());
        }
        let _clients: Vec<_> = (0..100).map(|_| TcpStream::connect(cluster.address).unwrap()).collect();
        cluster.hub.stop_listening();
        assert!(TcpStream::connect(cluster.address).is_err());
        assert_eq!(cluster.hub.untaken(), 100);
        assert_eq!(take_all(&cluster.workers[0].1).len(), 100, "{policy:?}");
        assert_eq!(cluster.hub.untaken(), 0);
    }
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
