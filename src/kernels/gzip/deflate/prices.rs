//! What literals and matches are likely to cost, so that short matches are taken only where they save something.

use super::header::Lengths;
use super::rows::Match;
use super::tables::{DISTANCES, END, LENGTH_EXTRA, LENGTH_SLOT, distance_extra, distance_slot};

/// What a symbol is taken to cost that the last block did not have.
const UNSEEN: u8 = 12;

/// Bits that each symbol costs, extra bits included.
pub(super) struct Prices {
    literals: [u8; 256],
    cheapest: u8,
    /// By length - 3.
    lengths: [u8; 256],
    distances: [u8; DISTANCES],
}

impl Prices {
    /// A guess before the first block of what begins with `data`: the fewer kinds of bytes, the cheaper a literal.
    pub(super) fn guess(data: &[u8]) -> Self {
        let mut seen = [false; 256];
        for &byte in &data[..data.len().min(4096)] {
            seen[usize::from(byte)] = true;
        }
        let literal = match seen.iter().filter(|&&seen| seen).count() {
            0..=4 => 2,
            5..=8 => 3,
            9..=16 => 4,
            17..=44 => 5,
            45..=76 => 6,
            _ => 8,
        };
        Self::new([literal; 256], [7; 29], [5; DISTANCES])
    }

    /// From the codes of the block before.
    pub(super) fn learn(&mut self, codes: &Lengths) {
        let price = |&length: &u8| if length == 0 { UNSEEN } else { length };
        let litlen = codes.litlen.each_ref().map(price);
        let (literals, lengths) = (litlen.first_chunk(), litlen[END + 1..].first_chunk());
        let (literals, lengths) = (literals.expect("256 literals"), lengths.expect("29 lengths"));
        *self = Self::new(*literals, *lengths, codes.distances.each_ref().map(price));
    }

    fn new(literals: [u8; 256], lengths: [u8; 29], distances: [u8; DISTANCES]) -> Self {
        let lengths = std::array::from_fn(|over| {
            let slot = usize::from(LENGTH_SLOT[over]);
            lengths[slot] + LENGTH_EXTRA[slot]
        });
        let distances = std::array::from_fn(|slot| distances[slot] + distance_extra(slot) as u8);
        let cheapest = literals.iter().copied().min().unwrap_or_default();
        Self { literals, cheapest, lengths, distances }
    }

    /// Whether `found` costs less than the bytes from `data[0]` on that it stands for.
    #[inline(always)]
    pub(super) fn is_worth(&self, found: Match, data: &[u8]) -> bool {
        let slot = distance_slot(found.distance as u16);
        let price = usize::from(self.lengths[(found.length - 3) & 255]) + usize::from(self.distances[slot]);
        // Nearly always decided without a look at the bytes.
        found.length * usize::from(self.cheapest) > price
            || data[..found.length].iter().map(|&byte| usize::from(self.literals[usize::from(byte)])).sum::<usize>()
                > price
    }
}
