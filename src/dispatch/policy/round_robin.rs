//! `round-robin`: each worker in turn, the busy ones passed over.

use super::{Choice, Policy, Ring, Slot, State};
use std::net::IpAddr;

/// Each worker in turn, whatever it has open.
#[derive(Debug, Default)]
pub struct RoundRobin {
    ring: Ring,
}

impl Policy for RoundRobin {
    fn add(&mut self, worker: Slot) {
        self.ring.add(worker);
    }

    fn remove(&mut self, worker: Slot) {
        self.ring.remove(worker);
    }

    fn pick(&mut self, _client: Option<IpAddr>, state: &dyn Fn(Slot) -> State) -> Choice {
        let free = self.ring.round().find(|&worker| matches!(state(worker), State::Free(_)));
        match free {
            Some(worker) => {
                self.ring.took(worker);
                Choice::Worker(worker)
            }
            None => Choice::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_in_turn_whatever_it_has_open() {
        let mut policy = RoundRobin::default();
        (0..3).for_each(|worker| policy.add(worker));
        let state = |worker: Slot| State::Free(worker as u32 * 100);
        let picks: Vec<_> = (0..4).map(|_| policy.pick(None, &state)).collect();
        assert_eq!(picks, [0, 1, 2, 0].map(Choice::Worker));
    }

    #[test]
    fn the_busy_are_passed_over() {
        let mut policy = RoundRobin::default();
        (0..3).for_each(|worker| policy.add(worker));
        let state = |worker: Slot| if worker == 1 { State::Busy } else { State::Free(0) };
        let picks: Vec<_> = (0..4).map(|_| policy.pick(None, &state)).collect();
        assert_eq!(picks, [0, 2, 0, 2].map(Choice::Worker));
    }
}
