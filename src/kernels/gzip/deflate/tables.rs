//! The tables of RFC 1951, section 3.2: what its symbols stand for, and the codes it fixes.

/// Symbols of the literal and length alphabet, the two that cannot occur included.
pub const LITLEN: usize = 288;
/// Symbols of the distance alphabet that can occur.
pub(super) const DISTANCES: usize = 30;
/// The symbol that ends a block.
pub(super) const END: usize = 256;
/// The longest match.
pub(super) const MAX_LENGTH: usize = 258;
/// How far back a match may lie.
pub const WINDOW: usize = 32 * 1024;

/// The least length of length symbol 257 + index (section 3.2.5).
pub(super) const LENGTH_BASE: [u16; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
/// Its extra bits.
pub const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// In which order the code lengths of the code length alphabet come (section 3.2.7).
pub const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The code lengths of literals and lengths where a block brings none along (section 3.2.6), and that of any distance.
pub const FIXED: [u8; LITLEN] = {
    let mut lengths = [8; LITLEN];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};
pub const FIXED_DISTANCE: u8 = 5;

/// Length - 3 -> symbol - 257.
pub(super) const LENGTH_SLOT: [u8; 256] = {
    let mut slots = [0; 256];
    let mut slot = 0;
    while slot < 29 {
        let mut length = LENGTH_BASE[slot] as usize;
        let end = length + (1 << LENGTH_EXTRA[slot]);
        while length < end && length <= MAX_LENGTH {
            slots[length - 3] = slot as u8;
            length += 1;
        }
        slot += 1;
    }
    slots
};

/// The symbol of a distance from 1 to 32,768, which is also that of its logarithm: two symbols to a power of two.
#[inline(always)]
pub(super) fn distance_slot(distance: u16) -> usize {
    let before = u32::from(distance) - 1;
    if before < 4 {
        return before as usize;
    }
    let log = before.ilog2();
    (2 * log + (before >> (log - 1) & 1)) as usize
}

/// The extra bits of distance symbol `slot`.
#[inline(always)]
pub const fn distance_extra(slot: usize) -> u32 {
    if slot < 4 { 0 } else { slot as u32 / 2 - 1 }
}

/// The least distance of symbol `slot`.
#[inline(always)]
pub(super) const fn distance_base(slot: usize) -> u32 {
    if slot < 4 { slot as u32 + 1 } else { ((2 + (slot as u32 & 1)) << (slot as u32 / 2 - 1)) + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_distance_has_the_symbol_of_the_rfc() {
        for length in 3..=MAX_LENGTH {
            let slot = usize::from(LENGTH_SLOT[length - 3]);
            let over = length - usize::from(LENGTH_BASE[slot]);
            assert!(over < 1 << LENGTH_EXTRA[slot], "{length}");
        }
        assert_eq!(LENGTH_SLOT[255], 28, "258 has a symbol of its own");
        for distance in 1..=WINDOW as u32 {
            let slot = distance_slot(distance as u16);
            assert!(distance - distance_base(slot) < 1 << distance_extra(slot), "{distance}");
        }
        let bases = [(0, 1), (4, 5), (5, 7), (10, 33), (28, 16385), (29, 24577)];
        assert!(bases.iter().all(|&(slot, base)| distance_base(slot) == base));
    }
}
