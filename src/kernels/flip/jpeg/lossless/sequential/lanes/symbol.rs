//! One symbol by itself: those that steps do not know.
#![forbid(unsafe_code)]

use super::super::super::entropy::load_bits;
use super::super::parse::Coder;

/// A symbol that was taken.
pub(super) struct Symbol {
    /// The bits of its code and its value.
    pub bits: u32,
    /// The zigzag position behind it, 64 at the end of the block.
    pub k: u32,
}

/// Takes the symbol at a bit of `code`, a DC difference at position 0, and complements its value bits if `negated` has
/// bit 63 - k for its position k. None where the bits are no code, or none that may stand there.
pub(super) fn take(coder: &Coder, negated: u64, code: &mut [u8], at: u32, k: u32) -> Option<Symbol> {
    let window = load_bits(code, at);
    if k == 0 {
        let (bits, _) = coder.dc.get(window)?;
        return Some(Symbol { bits, k: 1 });
    }
    let (length, symbol) = coder.ac.get(window)?;
    let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
    let position = k + run;
    match (run, size) {
        (0, 0) => return Some(Symbol { bits: length, k: 64 }),
        (15, 0) if position < 64 => {}
        (_, 0) => return None,
        _ if position > 63 => return None,
        _ if (negated << position) >> 63 == 1 => {
            // 31 bits from any bit of a byte on lie within eight bytes.
            let mask = ((!(!0_u64 >> size) >> length) >> (at % 8)).to_be_bytes();
            let first = (at / 8) as usize;
            code.iter_mut().skip(first).zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        }
        _ => {}
    }
    Some(Symbol { bits: length + size, k: position + 1 })
}
