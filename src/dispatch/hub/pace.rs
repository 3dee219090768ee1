//! How far the primary accepts ahead of its workers.
//!
//! A connection that lies in a worker's channel waits for that worker, one in the kernel's backlog for whoever is first;
//! and a thread that is woken for each connection costs more than one that accepts many at once. So workers are kept
//! supplied, no more: once all have [`ENOUGH`] unread the sockets rest, until the first worker that has read most says so.

use super::{Hub, Source};
use crate::dispatch::channel::{ENOUGH, FEW};
use crate::dispatch::health::Verdict;
use crate::dispatch::listener::Listener;
use crate::dispatch::policy::{Kind, State};
use crate::dispatch::worker::Worker;

impl Hub {
    /// Has the kernel report new connections exactly where somebody can take them: elsewhere they wait in the backlog.
    pub(super) fn rearm(&mut self, now: u64) {
        for (&number, listener) in &mut self.listeners {
            let open = listener.is_open(now) && !is_to_rest(&self.workers, listener, now);
            for socket in &mut listener.sockets {
                let wanted = open && socket.owner.is_none();
                if wanted != socket.armed
                    && self.epoll.arm(&socket.fd, Source::Listener(number).token(), wanted).is_ok()
                {
                    socket.armed = wanted;
                }
            }
        }
    }

    /// Whether all who can take connections from this socket are supplied.
    pub(super) fn is_sated(&self, now: u64, number: u32) -> bool {
        self.listeners.get(&number).is_some_and(|listener| is_sated(&self.workers, listener, now))
    }
}

/// The workers a socket's connections may go to now.
fn free<'a>(
    workers: &'a [Option<Worker>],
    listener: &'a Listener,
    now: u64,
) -> impl Iterator<Item = &'a Worker> + Clone {
    let known = listener.workers.iter().filter_map(|&slot| workers.get(slot)?.as_ref());
    known.filter(move |worker| matches!(worker.state(now, Verdict::Well), State::Free(_)))
}

fn is_sated(workers: &[Option<Worker>], listener: &Listener, now: u64) -> bool {
    // Under `sticky` it is known only after accepting whose a connection is.
    let mut able = free(workers, listener, now).peekable();
    listener.kind != Kind::Sticky && able.peek().is_some() && able.all(|worker| worker.slot.waiting() >= ENOUGH)
}

/// As [`is_sated`]; and has the workers say when that ends.
fn is_to_rest(workers: &[Option<Worker>], listener: &Listener, now: u64) -> bool {
    if !is_sated(workers, listener, now) {
        return false;
    }
    let able = free(workers, listener, now);
    able.clone().for_each(|worker| worker.slot.set_awaited(true));
    // Looked at again: one that had read most before it was awaited has not said so.
    let rest = able.clone().all(|worker| worker.slot.waiting() > FEW);
    if !rest {
        able.for_each(|worker| worker.slot.set_awaited(false));
    }
    rest
}
