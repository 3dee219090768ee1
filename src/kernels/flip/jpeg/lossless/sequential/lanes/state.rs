//! Where the lanes are, as plain data: what vector code and all else agree upon.
#![forbid(unsafe_code)]

use super::entry::K_BIAS;

/// Registers' worth of lanes that take their steps in turns, so that one's table look-ups hide the other's.
pub(super) const GROUPS: usize = 2;

/// One value of each lane.
pub(super) type Row = [[u64; 8]; GROUPS];

/// All lanes. [`Reader`](super::super::super::reader::Reader) has the same fields and explains them better.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Lanes {
    /// The next bits, flushed left.
    pub next: Row,
    /// The eight bytes at `base`, complemented as far as the lane has walked.
    pub word: Row,
    /// The eight bytes behind those.
    pub ahead: Row,
    /// Offset in the code of a byte at or before the position.
    pub base: Row,
    /// The same in bits, and the track's number less [`K_BIAS`](super::entry::K_BIAS) above 32 bits.
    pub bits: Row,
    /// How many bits from there on are dealt with, from bit 32 the zigzag position, biased.
    pub state: Row,
    /// Which table's turn it is: twice the number of the block in the MCU, and one more behind the DC difference (4), and
    /// from bit 11 on that table's number.
    pub node: Row,
    /// The bit, with the track's number above it, from which on it begins no other block.
    pub limit: Row,
}

/// The order of tables in an MCU.
pub(super) struct Nodes {
    /// The first one, as [`Lanes::node`] has it.
    pub first: u64,
    /// Which one follows each.
    pub next: [u64; 16],
}

/// Why the lanes stopped.
#[derive(Default)]
pub(super) struct Stop {
    /// How many marks they left in the log.
    pub logged: usize,
    /// Lanes at a symbol that no step knows.
    pub slow: [u8; GROUPS],
    /// Lanes at their limits.
    pub done: [u8; GROUPS],
}

impl Lanes {
    /// All lanes at byte `at`, where eight bytes are `word`, with steps that lead nowhere.
    pub fn parked(at: usize, word: u64, steps: usize) -> Self {
        let row = |value: usize| [[value as u64; 8]; GROUPS];
        Self {
            next: row(0),
            word: row(word as usize),
            ahead: row(0),
            base: row(at),
            bits: row((8 * at).wrapping_sub((K_BIAS as usize) << 32)),
            // At the first AC coefficient, where a step of nothing may stand.
            state: row((K_BIAS as usize + 1) << 32),
            node: row(steps),
            limit: [[u64::MAX; 8]; GROUPS],
        }
    }

    /// Copies one lane.
    pub fn copy_lane(&mut self, from: &Self, group: usize, lane: usize) {
        let copy = |to: &mut Row, from: &Row| to[group][lane] = from[group][lane];
        copy(&mut self.next, &from.next);
        copy(&mut self.word, &from.word);
        copy(&mut self.ahead, &from.ahead);
        copy(&mut self.base, &from.base);
        copy(&mut self.bits, &from.bits);
        copy(&mut self.state, &from.state);
        copy(&mut self.node, &from.node);
        copy(&mut self.limit, &from.limit);
    }
}
