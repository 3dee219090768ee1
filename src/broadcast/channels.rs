//! How many messages each channel has had, so that a reader that missed some can say how many.
//!
//! A table of fixed size. A channel that finds no place takes that of the one whose count is lowest among eight; counts
//! begin at the head of the moment, which no count ever passes, so a channel's numbers never repeat.

use super::layout::{self, CHANNELS};
use super::ring::{Guard, Ring};
use std::sync::atomic::Ordering;

/// Places a channel may take.
const PROBES: usize = 8;
/// Names longer than this travel as their digest.
const LONGEST_NAME: usize = 255;

/// A channel as records name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Of the name; never 0.
    pub hash: u64,
    /// The name, or its digest when that is shorter.
    pub name: Box<[u8]>,
}

impl Key {
    /// The key of a name.
    pub fn new(name: &str) -> Self {
        let name: Box<[u8]> = if name.len() <= LONGEST_NAME {
            name.as_bytes().into()
        } else {
            // One byte longer than any name may be followed by a digest: no name is mistaken for one.
            use sha2::Digest;
            [&[0xff; LONGEST_NAME + 1 - 32], &sha2::Sha256::digest(name.as_bytes())[..]].concat().into()
        };
        // FNV-1a. Who collides shares a count at worst: records carry the name itself.
        let hash = name
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self { hash: hash.max(1), name }
    }
}

/// The channel's place in the table; `last` is where it was last time.
pub fn entry(guard: &Guard<'_>, ring: &Ring, hash: u64, last: usize) -> usize {
    let hash_at = |index: usize| ring.u64(layout::channel(index, layout::HASH)).load(Ordering::Relaxed);
    if hash_at(last % CHANNELS) == hash {
        return last % CHANNELS;
    }
    let places = || (0..PROBES).map(|probe| (hash as usize).wrapping_add(probe) % CHANNELS);
    if let Some(index) = places().find(|&index| hash_at(index) == hash) {
        return index;
    }
    let count_at = |index: usize| ring.u64(layout::channel(index, layout::COUNT)).load(Ordering::Relaxed);
    let free = places().find(|&index| hash_at(index) == 0);
    let index = free.or_else(|| places().min_by_key(|&index| count_at(index))).unwrap_or_default();
    create(guard, ring, index, hash);
    index
}

/// In an order in which a death leaves at worst a free place.
fn create(_guard: &Guard<'_>, ring: &Ring, index: usize, hash: u64) {
    ring.u64(layout::channel(index, layout::HASH)).store(0, Ordering::Release);
    ring.u64(layout::channel(index, layout::COUNT)).store(ring.head(), Ordering::Release);
    ring.u64(layout::channel(index, layout::HASH)).store(hash, Ordering::Release);
}

/// The number of the channel's next message.
pub fn count(guard: &Guard<'_>, ring: &Ring, hash: u64) -> u64 {
    let index = entry(guard, ring, hash, hash as usize);
    ring.u64(layout::channel(index, layout::COUNT)).load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::Duration;

    #[test]
    fn every_channel_has_a_place_and_keeps_it() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        let guard = ring.lock(Duration::ZERO).unwrap();
        let keys: Vec<_> = (0..500).map(|n| Key::new(&format!("channel {n}"))).collect();
        let places: HashSet<_> = keys.iter().map(|key| entry(&guard, &ring, key.hash, 0)).collect();
        assert_eq!(places.len(), 500);
        for key in &keys {
            assert!(places.contains(&entry(&guard, &ring, key.hash, 0)));
        }
    }

    #[test]
    fn a_full_table_takes_the_place_of_the_least_used() {
        let ring = Ring::create(layout::SMALLEST).unwrap();
        let guard = ring.lock(Duration::ZERO).unwrap();
        for n in 1..=CHANNELS as u64 * 2 {
            let before = ring.head();
            let place = entry(&guard, &ring, n, 0);
            let number = guard.count(place);
            assert!(number >= before, "numbers never go back");
            guard.commit(ring.head() + 64);
        }
    }

    #[test]
    fn long_names_are_told_apart() {
        let (one, two) = (Key::new(&"a".repeat(300)), Key::new(&format!("{}b", "a".repeat(300))));
        assert_ne!(one, two);
        assert_eq!(one.name.len(), 256);
        assert_eq!(&*Key::new("news").name, b"news");
    }
}
