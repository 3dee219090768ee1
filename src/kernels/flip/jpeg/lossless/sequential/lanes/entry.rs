//! What one step of a lane holds: an entry of [`Steps`](super::super::super::lookup::Steps), arranged for vectors.
//!
//! | bits | |
//! |---|---|
//! | 0-7 | how many bits it takes |
//! | 8-23 | which of the bits 2 to 17 from the top are the second coefficient's value bits |
//! | 24-31 | how far behind the step's first position the second coefficient stands |
//! | 32-39 | how far the position moves, see below |
//! | 40-55, 56-63 | the same two of the first coefficient |
//!
//! A lane keeps its zigzag position k as k + [`K_BIAS`] in eight bits, so that one bit of the sum, [`KEPT`], tells which
//! steps may stand: 1 to 63 become 64 to 126 and 64, the end of a block without EOB, 127. EOB adds 129, which makes it 193 to
//! 255. All that runs over 64 coefficients, and a step that is none, lacks the bit.
#![forbid(unsafe_code)]

use super::super::super::lookup::END;

/// Added to zigzag positions.
pub(super) const K_BIAS: u64 = 63;

/// The bit of a biased position that is set behind every legal step.
pub(super) const KEPT: u64 = 64;

/// The value bits of both coefficients.
pub(super) const FIELDS: u64 = 0x00FF_FF00_00FF_FF00;

/// What takes the bit [`KEPT`] from every position of AC coefficients, 1 to 63, and from position 0.
const SLOW_AC: u64 = 64;
const SLOW_DC: u64 = 65;

/// Whether `steps`, of one table, all have a place in entries: a value behind a code of one bit, the first of a table, has
/// none.
pub(super) fn fit(steps: &[u64]) -> bool {
    steps.first().is_none_or(|first| first >> 62 == 0)
}

/// The entry for a step at AC coefficients (`ac`) or a DC difference.
pub(super) fn of(step: u64, ac: bool) -> u64 {
    let slow = if ac { SLOW_AC } else { SLOW_DC } << 32;
    let (taken, advance) = (step & 63, step >> 8 & 0xFF);
    let (first, second) = (step >> 46, step >> 28 & 0x3_FFFF);
    let end = u64::from(END);
    if advance >= end + 64 || (first | second) >> 16 != 0 {
        return slow;
    }
    let advance = if advance >= end { advance + 1 } else { advance };
    let field = |shift: u64, bits: u64| (step >> shift & 63) << 16 | bits;
    field(16, first) << 40 | advance << 32 | field(22, second) << 8 | taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_is_kept_by_legal_steps_alone() {
        let biased = |k: u64, step: u64| (k + K_BIAS + (of(step, k > 0) >> 32)) & 0xFF;
        for k in 0..64 {
            assert_eq!(biased(k, 192 << 8) & KEPT, 0, "slow at {k}");
            for coefficients in 1..=32 {
                let (sum, behind) = (biased(k, coefficients << 8), k + coefficients);
                assert_eq!(sum & KEPT != 0, behind <= 64, "{k} and {coefficients}");
                assert_eq!((K_BIAS + 64..).contains(&sum), behind >= 64, "{k} and {coefficients}");
            }
            for coefficients in u64::from(k == 0)..=32 {
                let (sum, behind) = (biased(k, (coefficients + 128) << 8), k + coefficients);
                assert_eq!(sum & KEPT != 0, behind <= 63, "{k}, {coefficients} and EOB");
                assert!(behind > 63 || sum >= K_BIAS + 64, "{k}, {coefficients} and EOB");
            }
        }
    }
}
