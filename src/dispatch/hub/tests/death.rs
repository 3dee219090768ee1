//! What becomes of a worker's connections when it dies, or closes them unread.

use super::*;

#[test]
fn what_a_worker_passed_on_before_it_died_is_not_lost() {
    let mut cluster = cluster(Kind::LeastConnections, 2);
    let (mut clients, mut sockets, mut others) = (Vec::new(), Vec::new(), Vec::new());
    while sockets.len() < 100 {
        clients.extend(cluster.connect(8));
        sockets.extend(take_all(&cluster.workers[0].1));
        others.extend(take_all(&cluster.workers[1].1));
    }
    let (first, worker) = &cluster.workers[0];
    for socket in sockets {
        worker.pass_on(socket.as_fd(), cluster.server, 0).unwrap();
    }
    cluster.hub.remove_worker(*first);
    assert_eq!((cluster.active(), cluster.hub.waiting()), (vec![clients.len() as u32], 0));
}

/// Takes what waits for a worker off its channel as it does, but dies before a single line of its own has seen it.
fn take_unseen(worker: &Channel) -> OwnedFd {
    let received = message::receive(&**worker.descriptor(), &mut [0; 64]).unwrap();
    received.descriptor.unwrap()
}

#[test]
fn what_a_worker_has_taken_and_not_touched_when_it_dies_goes_to_another() {
    for seen in [false, true] {
        for death in [Hub::remove_worker, |hub: &mut Hub, id| hub.handle(Source::Death(id))] {
            let mut cluster = cluster(Kind::RoundRobin, 2);
            let mut clients = cluster.connect(4);
            let (first, worker) = &cluster.workers[0];
            let Taken::Connection { socket, .. } = worker.take() else { panic!("two are waiting") };
            let mut touched = TcpStream::from(socket);
            clients[0].write_all(b"x").unwrap();
            touched.read_exact(&mut [0]).unwrap();
            let untouched = if seen { take_all(worker).pop().unwrap() } else { take_unseen(worker) };
            clients[2].write_all(b"GET /").unwrap();
            drop((touched, untouched));
            death(&mut cluster.hub, *first);
            assert_eq!(cluster.active().last(), Some(&3), "seen: {seen}");
            assert_eq!(clients[0].read(&mut [0]).unwrap(), 0, "what it was serving ends");
            let mut last = TcpStream::from(take_all(&cluster.workers[1].1).pop().unwrap());
            let mut request = [0; 5];
            last.read_exact(&mut request).unwrap();
            assert_eq!(&request, b"GET /");
        }
    }
}

#[test]
fn what_a_worker_has_passed_on_is_not_delivered_again_when_it_dies() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let _clients = cluster.connect(3);
    let (first, worker) = &cluster.workers[0];
    let server = cluster.server;
    let sockets = take_all(worker);
    worker.pass_on(sockets[0].as_fd(), server, FRESH).unwrap();
    worker.untouched(sockets[1].as_fd());
    let first = *first;
    cluster.join();
    drop(sockets);
    cluster.hub.handle(Source::Death(first));
    assert_eq!((cluster.hub.waiting(), cluster.active()[1]), (0, 2));
}

#[test]
fn the_end_of_a_connection_that_was_closed_untouched_reaches_its_client() {
    let mut cluster = cluster(Kind::LeastConnections, 1);
    let mut clients = cluster.connect(1);
    let (first, worker) = &cluster.workers[0];
    let socket = take_all(worker).pop().unwrap();
    worker.untouched(socket.as_fd());
    drop(socket);
    cluster.hub.handle(Source::Channel(*first));
    assert_eq!(clients[0].read(&mut [0]).unwrap(), 0);
}
