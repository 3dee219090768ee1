//! `least-connections`: the worker with the fewest open connections, ties in turn.

use super::{Choice, Policy, Ring, Slot, State};
use std::net::IpAddr;

/// The default: slow requests and long-lived connections even out by themselves.
#[derive(Debug, Default)]
pub struct LeastConnections {
    ring: Ring,
}

impl Policy for LeastConnections {
    fn add(&mut self, worker: Slot) {
        self.ring.add(worker);
    }

    fn remove(&mut self, worker: Slot) {
        self.ring.remove(worker);
    }

    // The first of equals: `round` begins with the one whose turn it is.
    fn pick(&mut self, _client: Option<IpAddr>, state: &dyn Fn(Slot) -> State) -> Choice {
        let choice = Self::choose(self.ring.round(), state);
        if let Choice::Worker(worker) = choice {
            self.ring.took(worker);
        }
        choice
    }
}

impl LeastConnections {
    /// The first of those among `workers` with the fewest open connections.
    pub fn choose(workers: impl Iterator<Item = Slot>, state: &dyn Fn(Slot) -> State) -> Choice {
        let free = workers.filter_map(|worker| match state(worker) {
            State::Free(open) => Some((worker, open)),
            State::Busy | State::Gone => None,
        });
        free.min_by_key(|&(_, open)| open).map_or(Choice::Wait, |(worker, _)| Choice::Worker(worker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn policy(workers: usize) -> LeastConnections {
        let mut policy = LeastConnections::default();
        (0..workers).for_each(|worker| policy.add(worker));
        policy
    }

    #[test]
    fn the_idlest_gets_it() {
        let open = [3, 1, 2];
        assert_eq!(policy(3).pick(None, &|worker| State::Free(open[worker])), Choice::Worker(1));
    }

    #[test]
    fn connections_that_stay_open_spread_evenly() {
        let mut policy = policy(4);
        let open = RefCell::new([0u32; 4]);
        for _ in 0..64 {
            let Choice::Worker(worker) = policy.pick(None, &|worker| State::Free(open.borrow()[worker])) else {
                panic!("all are free");
            };
            open.borrow_mut()[worker] += 1;
        }
        assert_eq!(open.into_inner(), [16; 4]);
    }

    #[test]
    fn equals_take_turns() {
        let mut policy = policy(3);
        let picks: Vec<_> = (0..6).map(|_| policy.pick(None, &|_| State::Free(0))).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2].map(Choice::Worker));
    }

    #[test]
    fn the_busy_and_the_gone_get_none() {
        let states = [State::Busy, State::Gone, State::Free(99)];
        let mut policy = policy(3);
        assert_eq!(policy.pick(None, &|worker| states[worker]), Choice::Worker(2));
        policy.remove(2);
        assert_eq!(policy.pick(None, &|worker| states[worker]), Choice::Wait);
    }
}
