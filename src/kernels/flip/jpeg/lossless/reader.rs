//! Reads bits and complements some of them in place (T.81 F.2.2).
//!
//! Finding the next symbol is the chain that all time goes into, so nothing else may hold it up: bits are loaded one
//! refill before they are needed, and what is stored is never loaded again.
#![forbid(unsafe_code)]

use super::lookup::{STEP_BITS, Step};

/// Bits that may be skipped between two refills at least: three steps of the lookup tables.
pub(super) const REFILLED: u32 = 3 * STEP_BITS;

/// The code that one block may take: 31 bits of DC and 63 times 31 of AC, or 63 correction bits, are less than
/// [`REACH`]; 16 bytes are looked at ahead. Offsets are masked by `REACH - 1`, which spares the check of every access.
pub(super) type Window = [u8; REACH + 16];

/// Bytes of a [`Window`] that a block may start to use; a power of two.
const REACH: usize = 512;

/// The window that starts at byte `at` of `code`; none near its end.
#[inline(always)]
pub(super) fn window(code: &mut [u8], at: usize) -> Option<&mut Window> {
    code.get_mut(at..)?.first_chunk_mut()
}

/// A place in the code. Copied rather than lent to rarely called functions: a lent one would live in memory, not in
/// registers.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// The next bits, flushed left.
    next: u64,
    /// The eight bytes at `base` as they were.
    word: u64,
    /// The eight bytes behind those.
    ahead: u64,
    /// Offset in the window of a byte at or before the position.
    base: usize,
    /// How many bits from there on are dealt with, 7 + [`REFILLED`] at most (6); from bit 8 the zigzag position, for
    /// those who keep it here: so a step adds to both at once.
    state: u32,
    /// Which bits from there on are to be complemented.
    complement: u64,
}

#[inline(always)]
fn load(code: &Window, at: usize) -> u64 {
    let at = at & (REACH - 1);
    u64::from_be_bytes(std::array::from_fn(|i| code[at + i]))
}

impl Reader {
    /// Starts at the beginning of a window.
    pub fn new(code: &Window) -> Self {
        let (word, ahead) = (load(code, 0), load(code, 8));
        Self { next: word, word, ahead, base: 0, state: 0, complement: 0 }
    }

    /// The position in the window, in bits.
    #[inline(always)]
    pub fn position(&self) -> u32 {
        self.base as u32 * 8 + (self.state & 63)
    }

    /// Goes over to the window that starts as many bytes later as this returns.
    #[inline(always)]
    pub fn rebase(&mut self) -> usize {
        std::mem::take(&mut self.base)
    }

    /// The next bits, flushed left; [`REFILLED`] of them at least less what was skipped since the last refill.
    #[inline(always)]
    pub fn bits(&self) -> u64 {
        self.next
    }

    /// Complements those of the next bits that are set here, flushed left.
    #[inline(always)]
    pub fn complement(&mut self, bits: u64) {
        self.complement |= bits >> (self.state & 63);
    }

    /// Goes on by `bits`; at most [`REFILLED`] between two refills.
    #[inline(always)]
    pub fn skip(&mut self, bits: u32) {
        debug_assert!((self.state & 63) + bits <= 7 + REFILLED, "more skipped than a refill holds");
        self.next <<= bits & 63;
        self.state += bits;
    }

    /// The zigzag position.
    #[inline(always)]
    pub fn k(&self) -> u32 {
        self.state >> 8
    }

    /// Sets the zigzag position.
    #[inline(always)]
    pub fn set_k(&mut self, k: u32) {
        self.state = self.state & 63 | k << 8;
    }

    /// The zigzag position behind a step.
    #[inline(always)]
    pub fn k_behind(&self, step: Step) -> u32 {
        (self.state + step.advance()) >> 8
    }

    /// Takes a step, complementing coefficients of `negated` positions (bit 63 - k for k).
    #[inline(always)]
    pub fn take(&mut self, step: Step, negated: u64) {
        debug_assert!((self.state & 63) + (step.advance() & 63) <= 7 + REFILLED, "more taken than a refill holds");
        self.complement(step.complement(negated << (self.k() & 63)));
        self.next <<= step.length() & 63;
        self.state += step.advance();
    }

    /// Writes what is complemented so far.
    #[inline(always)]
    pub fn store(&self, code: &mut Window) {
        let at = self.base & (REACH - 1);
        let bytes = (self.word ^ self.complement).to_be_bytes();
        for (i, byte) in bytes.into_iter().enumerate() {
            code[at + i] = byte;
        }
    }

    /// Stores, and has [`REFILLED`] bits ready again.
    #[inline(always)]
    pub fn refill(&mut self, code: &mut Window) {
        self.store(code);
        // In two shifts, as nothing may have been used, or no whole byte.
        self.next |= self.ahead >> 1 >> (!self.state & 63);
        // 61 bits have been used at most: this never shifts by 64.
        let whole = self.state & 0x38;
        self.word = self.word << whole | self.ahead >> 1 >> (63 - whole);
        self.complement <<= whole;
        self.base += (whole >> 3) as usize;
        self.state -= whole;
        // Behind all that has been stored, so it does not wait for that.
        self.ahead = load(code, self.base + 8);
    }
}
