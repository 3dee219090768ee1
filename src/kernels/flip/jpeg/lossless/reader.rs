//! Reads bits and complements some of them on the way (T.81 F.2.2).
//!
//! The complemented code goes into a buffer of its own. Writing into the code itself would make every load wait for the
//! store before it, and finding the next symbol is the chain that all time goes into.
#![forbid(unsafe_code)]

use super::entropy::load;
use super::lookup::STEP_BITS;

/// Bits that may be skipped between two refills at least: three steps of the lookup tables.
pub(super) const REFILLED: u32 = 3 * STEP_BITS;

/// A place in the code. Copied rather than lent to rarely called functions: a lent one would live in memory, not in
/// registers.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// The next bits, flushed left.
    window: u64,
    /// The 64 bits behind those at `base`: loaded a refill before they are needed, so that nothing waits for them.
    ahead: u64,
    /// Offset of a byte at or before the position.
    base: usize,
    /// How many bits from there on are dealt with, 7 + [`REFILLED`] at most.
    used: u32,
    /// Which bits from there on are to be complemented.
    complement: u64,
}

impl Reader {
    /// Starts at a whole byte of `code`.
    pub fn new(code: &[u8], begin: usize) -> Self {
        Self { window: load(code, begin), ahead: load(code, begin + 8), base: begin, used: 0, complement: 0 }
    }

    /// The bit position.
    #[inline(always)]
    pub fn position(&self) -> u64 {
        self.base as u64 * 8 + u64::from(self.used)
    }

    /// The next bits, flushed left; [`REFILLED`] of them at least less what was skipped since the last refill.
    #[inline(always)]
    pub fn window(&self) -> u64 {
        self.window
    }

    /// Complements those of the next bits that are set here, flushed left.
    #[inline(always)]
    pub fn complement(&mut self, bits: u64) {
        self.complement |= bits >> (self.used & 63);
    }

    /// Goes on by `bits`; at most [`REFILLED`] between two refills.
    #[inline(always)]
    pub fn skip(&mut self, bits: u32) {
        self.window <<= bits & 63;
        self.used += bits;
    }

    /// Writes the complemented code up to here to its place in `flipped`, which is as long as `code`.
    #[inline(always)]
    pub fn store(&self, code: &[u8], flipped: &mut [u8]) {
        let word = load(code, self.base) ^ self.complement;
        if let Some(to) = flipped.get_mut(self.base..).and_then(<[u8]>::first_chunk_mut) {
            *to = word.to_be_bytes();
        }
    }

    /// Stores, and fills the window up.
    #[inline(always)]
    pub fn refill(&mut self, code: &[u8], flipped: &mut [u8]) {
        self.store(code, flipped);
        // In two shifts, as nothing may have been used.
        self.window |= self.ahead >> 1 >> ((63 - self.used) & 63);
        // 61 bits have been used at most: this never shifts by 64.
        self.complement <<= self.used & 0x38;
        self.base += (self.used >> 3) as usize;
        self.used &= 7;
        self.ahead = load(code, self.base + 8);
    }
}
