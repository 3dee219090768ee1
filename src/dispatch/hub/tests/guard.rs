//! Workers that accept by themselves.

use super::*;
use crate::dispatch::acceptor::Accepted;
use crate::dispatch::keeper::{Keeper, Marks};

/// A cluster whose workers accept by themselves, and the listening socket as each of them has it.
fn self_served(count: usize) -> (Cluster, Vec<OwnedFd>) {
    let mut cluster = cluster(Kind::LeastConnections, 0);
    let sockets = (0..count).map(|_| join(&mut cluster)).collect();
    (cluster, sockets)
}

fn join(cluster: &mut Cluster) -> OwnedFd {
    let seat = cluster.hub.add_worker().unwrap();
    let channel = Channel::open(inherit(seat.channel), inherit(seat.memory), seat.slot).unwrap();
    cluster.hub.worker_started(seat.id, seat.id * 10, 0);
    channel.ready(cluster.server, true).unwrap();
    cluster.hub.handle(Source::Channel(seat.id));
    let Taken::Listener { socket, server } = channel.take() else { panic!("it is invited") };
    assert_eq!(server, cluster.server);
    cluster.workers.push((seat.id, channel));
    socket
}

/// Clients that connect without anybody being told.
fn clients(cluster: &Cluster, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(cluster.address).unwrap()).collect()
}

fn accept(cluster: &Cluster, worker: usize, listener: &OwnedFd) -> Accepted {
    cluster.workers[worker].1.accept(listener, cluster.server, 0)
}

/// The time at which the hub looks again is now.
fn look(cluster: &mut Cluster) {
    let listener = cluster.hub.listeners.get_mut(&cluster.server).unwrap();
    listener.guard.as_mut().expect("it is looked after").look_at = 0;
    cluster.hub.tick();
}

#[test]
fn a_worker_takes_what_comes_until_another_has_clearly_fewer() {
    let (mut cluster, sockets) = self_served(2);
    let _clients = clients(&cluster, 4);
    for _ in 0..2 {
        assert!(matches!(accept(&cluster, 0, &sockets[0]), Accepted::Connection(_)));
    }
    assert!(matches!(accept(&cluster, 0, &sockets[0]), Accepted::Passed));
    let (first, _) = cluster.workers[0];
    cluster.hub.handle(Source::Channel(first));
    assert_eq!(cluster.active(), [2, 1]);
    assert_eq!(cluster.workers[0].1.load().total, 2);
    // Where connections end quickly numbers do not matter.
    assert!(matches!(cluster.workers[0].1.accept(&sockets[0], cluster.server, 9), Accepted::Connection(_)));
    assert!(matches!(accept(&cluster, 1, &sockets[1]), Accepted::Empty));
}

#[test]
fn one_that_drains_is_held_or_has_closed_its_server_takes_nothing() {
    let (mut cluster, sockets) = self_served(3);
    let ids: Vec<_> = cluster.workers.iter().map(|(id, _)| *id).collect();
    let _clients = clients(&cluster, 1);
    cluster.hub.retire_worker(ids[0]);
    cluster.hub.hold_worker(ids[1]);
    cluster.workers[2].1.leave(cluster.server).unwrap();
    cluster.hub.handle(Source::Channel(ids[2]));
    for (worker, socket) in sockets.iter().enumerate() {
        assert!(matches!(accept(&cluster, worker, socket), Accepted::Over), "{worker}");
    }
    cluster.hub.release_worker(ids[1]);
    let Taken::Listener { socket, .. } = cluster.workers[1].1.take() else { panic!("it is invited again") };
    assert!(matches!(accept(&cluster, 1, &socket), Accepted::Connection(_)));
}

#[test]
fn what_workers_do_not_take_is_handed_to_them() {
    let (mut cluster, _sockets) = self_served(2);
    let _clients = clients(&cluster, 3);
    cluster.hub.handle(Source::Listener(cluster.server));
    assert_eq!(cluster.active(), [0, 0], "it is left to them");
    look(&mut cluster);
    assert_eq!(cluster.active(), [2, 1]);
}

#[test]
fn what_workers_take_is_left_to_them() {
    let (mut cluster, sockets) = self_served(2);
    let _clients = clients(&cluster, 2);
    cluster.hub.handle(Source::Listener(cluster.server));
    assert!(matches!(accept(&cluster, 0, &sockets[0]), Accepted::Connection(_)));
    look(&mut cluster);
    assert_eq!(cluster.active(), [1, 0]);
    assert!(matches!(accept(&cluster, 1, &sockets[1]), Accepted::Connection(_)));
    look(&mut cluster);
    look(&mut cluster);
    assert_eq!(cluster.active(), [1, 1]);
    assert!(cluster.hub.listeners[&cluster.server].guard.is_none(), "it comes to rest");
    assert!(cluster.hub.listeners[&cluster.server].sockets[0].armed);
}

#[test]
fn with_one_that_cannot_accept_the_thread_does() {
    let (mut cluster, _sockets) = self_served(1);
    cluster.join();
    let _clients = cluster.connect(2);
    assert_eq!(cluster.active(), [1, 1]);
}

#[test]
fn what_a_dead_worker_had_accepted_and_not_read_goes_to_another() {
    let (mut cluster, sockets) = self_served(2);
    let (first, _) = cluster.workers[0];
    let keeper = Keeper::new(Marks::new()).unwrap();
    cluster.workers[0].1.show_keeper(keeper.head()).unwrap();
    let mut clients = clients(&cluster, 2);
    for client in &mut clients {
        client.write_all(b"x").unwrap();
        let Accepted::Connection(socket) = accept(&cluster, 0, &sockets[0]) else { panic!("it waits") };
        keeper.keep(&socket, cluster.server);
        if cluster.workers[0].1.load().active == 2 {
            std::net::TcpStream::from(socket).read_exact(&mut [0]).unwrap();
        }
    }
    drop(keeper);
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.active(), [1], "one was read");
    let Taken::Connection { socket, .. } = cluster.workers[1].1.take() else { panic!("it is handed over") };
    let mut byte = [0];
    TcpStream::from(socket).read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"x");
}

#[test]
fn one_that_was_given_back_is_not_given_to_two() {
    let (mut cluster, sockets) = self_served(2);
    let (first, _) = cluster.workers[0];
    let keeper = Keeper::new(Marks::new()).unwrap();
    cluster.workers[0].1.show_keeper(keeper.head()).unwrap();
    let _clients = clients(&cluster, 1);
    let Accepted::Connection(socket) = accept(&cluster, 0, &sockets[0]) else { panic!("it waits") };
    keeper.keep(&socket, cluster.server);
    cluster.workers[0].1.give_back(socket, cluster.server, Past::default()).unwrap();
    cluster.hub.handle(Source::Channel(first));
    assert_eq!(cluster.active(), [0, 1]);
    drop(keeper);
    cluster.hub.remove_worker(first);
    assert_eq!(cluster.active(), [1]);
}

#[test]
fn one_that_does_not_turn_when_it_is_asked_hangs() {
    let (mut cluster, _sockets) = self_served(2);
    for (_, channel) in &cluster.workers {
        // Long ago.
        channel.words().heartbeat().store(1, std::sync::atomic::Ordering::Relaxed);
    }
    let now = monotonic_nanos();
    for worker in cluster.hub.workers.iter_mut().flatten() {
        worker.probe(now);
    }
    cluster.workers[1].1.beat();
    for worker in cluster.hub.workers.iter_mut().flatten() {
        worker.probe(now + LIMIT);
    }
    let stalled: Vec<_> = cluster.hub.connections().iter().map(|load| load.stalled).collect();
    assert_eq!(stalled, [true, false]);
    assert_eq!(cluster.workers[1].1.words().fewest_of_others(cluster.server), u32::MAX, "it is not waited for");
}
