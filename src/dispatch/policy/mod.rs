//! Which worker gets the next connection. One file a policy, each with `add`, `remove` and `pick` and no I/O.

mod least_connections;
mod round_robin;
mod sticky;

pub use least_connections::LeastConnections;
pub use round_robin::RoundRobin;
pub use sticky::Sticky;

use std::fmt;
use std::net::IpAddr;

/// A worker, by its slot in the shared segment: the lowest free one, so that a replacement takes its forerunner's.
pub type Slot = usize;

/// What a policy is told about a worker when it picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can take a connection, and has this many open.
    Free(u32),
    /// Its loop is stalled, or its channel full: it will be back.
    Busy,
    /// It must not get this connection.
    Gone,
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This worker.
    Worker(Slot),
    /// Keep the connection until a worker can take it.
    Wait,
}

/// Chooses among the workers that listen on one socket.
pub trait Policy: fmt::Debug + Send {
    /// A worker listens. Adding one twice changes nothing.
    fn add(&mut self, worker: Slot);
    /// A worker listens no more.
    fn remove(&mut self, worker: Slot);
    /// The worker for a connection from `client` (`None`: not known).
    fn pick(&mut self, client: Option<IpAddr>, state: &dyn Fn(Slot) -> State) -> Choice;
}

/// The policies by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The worker with the fewest open connections; ties in turn.
    LeastConnections,
    /// Each worker in turn.
    RoundRobin,
    /// A client address always meets the same worker.
    Sticky,
    /// The kernel spreads connections over one listening socket a worker; see [`super::kernel`].
    Kernel,
}

impl Kind {
    /// The policy JavaScript calls `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "least-connections" => Self::LeastConnections,
            "round-robin" => Self::RoundRobin,
            "sticky" => Self::Sticky,
            "kernel" => Self::Kernel,
            _ => return None,
        })
    }

    /// A policy of this kind with no workers. Under `kernel` the primary only deals out what a dead worker's socket
    /// still receives: the least busy gets it.
    pub fn build(self) -> Box<dyn Policy> {
        match self {
            Self::LeastConnections | Self::Kernel => Box::new(LeastConnections::default()),
            Self::RoundRobin => Box::new(RoundRobin::default()),
            Self::Sticky => Box::new(Sticky::default()),
        }
    }
}

/// Workers in ascending order, and whose turn it is: what the first two policies share.
#[derive(Debug, Default)]
struct Ring {
    workers: Vec<Slot>,
    /// The slot at or after which the next round starts.
    turn: Slot,
}

impl Ring {
    fn add(&mut self, worker: Slot) {
        if let Err(place) = self.workers.binary_search(&worker) {
            self.workers.insert(place, worker);
        }
    }

    fn remove(&mut self, worker: Slot) {
        if let Ok(place) = self.workers.binary_search(&worker) {
            self.workers.remove(place);
        }
    }

    /// All workers, beginning with the one whose turn it is.
    fn round(&self) -> impl Iterator<Item = Slot> + '_ {
        let start = self.workers.partition_point(|&worker| worker < self.turn);
        self.workers[start..].iter().chain(&self.workers[..start]).copied()
    }

    /// The turn passes to the one after `worker`.
    fn took(&mut self, worker: Slot) {
        self.turn = worker + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known() {
        for name in ["least-connections", "round-robin", "sticky", "kernel"] {
            assert_eq!(Kind::parse(name).unwrap().build().pick(None, &|_| State::Free(0)), Choice::Wait);
        }
        assert_eq!(Kind::parse("random"), None);
    }

    #[test]
    fn the_round_goes_on_when_workers_come_and_go() {
        let mut ring = Ring::default();
        for worker in [2, 0, 1, 1] {
            ring.add(worker);
        }
        ring.took(0);
        assert_eq!(ring.round().collect::<Vec<_>>(), [1, 2, 0]);
        ring.remove(1);
        assert_eq!(ring.round().collect::<Vec<_>>(), [2, 0]);
        ring.took(2);
        assert_eq!(ring.round().collect::<Vec<_>>(), [0, 2]);
    }
}
