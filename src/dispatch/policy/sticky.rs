//! `sticky`: a client address always meets the same worker, as long as that worker listens.
//!
//! Rendezvous hashing: each worker scores each address, the highest score wins. A worker that comes takes its share
//! from all others evenly, one that goes leaves its share to them evenly, and nobody else's clients move.

use super::{Choice, Policy, Slot, State};
use std::net::IpAddr;

/// For Socket.IO's long polling and for sessions kept in a worker's memory.
#[derive(Debug, Default)]
pub struct Sticky {
    workers: Vec<Slot>,
}

impl Policy for Sticky {
    fn add(&mut self, worker: Slot) {
        if !self.workers.contains(&worker) {
            self.workers.push(worker);
        }
    }

    fn remove(&mut self, worker: Slot) {
        self.workers.retain(|&known| known != worker);
    }

    fn pick(&mut self, client: Option<IpAddr>, state: &dyn Fn(Slot) -> State) -> Choice {
        let client = hash(client);
        let listening = self.workers.iter().filter(|&&worker| state(worker) != State::Gone);
        match listening.max_by_key(|&&worker| mix(client ^ mix(worker as u64 + 1))) {
            // A busy worker is waited for: sent elsewhere, the client would find its session missing.
            Some(&worker) if state(worker) != State::Busy => Choice::Worker(worker),
            _ => Choice::Wait,
        }
    }
}

/// An IPv4 client counts the same on an IPv4 and on a dual-stack socket.
fn hash(client: Option<IpAddr>) -> u64 {
    match client.map(|address| address.to_canonical()) {
        None => 0,
        Some(IpAddr::V4(v4)) => mix(u64::from(u32::from(v4))),
        Some(IpAddr::V6(v6)) => {
            let bits = u128::from(v6);
            mix(mix((bits >> 64) as u64) ^ bits as u64)
        }
    }
}

/// Spreads every bit of the input over the output (the finaliser of splitmix64).
fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const CLIENTS: u32 = 10_000;

    fn client(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(0x7f00_0001 + number).into())
    }

    fn policy(workers: usize) -> Sticky {
        let mut policy = Sticky::default();
        (0..workers).for_each(|worker| policy.add(worker));
        policy
    }

    fn assign(policy: &mut Sticky) -> Vec<Slot> {
        let pick = |number| match policy.pick(client(number), &|_| State::Free(0)) {
            Choice::Worker(worker) => worker,
            Choice::Wait => panic!("all are free"),
        };
        (0..CLIENTS).map(pick).collect()
    }

    #[test]
    fn addresses_spread_within_ten_percent() {
        for workers in [2, 3, 4, 8] {
            let assigned = assign(&mut policy(workers));
            let share = CLIENTS as usize / workers;
            for worker in 0..workers {
                let count = assigned.iter().filter(|&&chosen| chosen == worker).count();
                assert!(count.abs_diff(share) * 10 <= share, "{count} of {share} with {workers}");
            }
        }
    }

    #[test]
    fn a_new_worker_moves_its_share_and_no_more() {
        for workers in [2, 4, 8] {
            let before = assign(&mut policy(workers));
            let after = assign(&mut policy(workers + 1));
            let moved: Vec<_> = before.iter().zip(&after).filter(|(old, new)| old != new).collect();
            assert!(moved.len() * workers * 10 <= CLIENTS as usize * 12, "{} moved with {workers}", moved.len());
            assert!(moved.iter().all(|&(_, &new)| new == workers), "all go to the new one");
        }
    }

    #[test]
    fn a_replacement_finds_its_clients_again() {
        let mut policy = policy(4);
        let before = assign(&mut policy);
        policy.remove(2);
        assert!(assign(&mut policy).iter().zip(&before).all(|(new, old)| new == old || *old == 2));
        policy.add(2);
        assert_eq!(assign(&mut policy), before);
    }

    #[test]
    fn a_busy_worker_is_waited_for_and_a_gone_one_is_not() {
        let mut policy = policy(2);
        let Choice::Worker(home) = policy.pick(client(1), &|_| State::Free(0)) else { panic!() };
        let with = |state: State| move |worker: Slot| if worker == home { state } else { State::Free(0) };
        assert_eq!(policy.pick(client(1), &with(State::Busy)), Choice::Wait);
        assert_eq!(policy.pick(client(1), &with(State::Gone)), Choice::Worker(1 - home));
    }

    #[test]
    fn a_client_is_the_same_on_a_dual_stack_socket() {
        let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(hash(Some(mapped)), hash(Some(Ipv4Addr::LOCALHOST.into())));
    }
}
