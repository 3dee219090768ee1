//! Decoding tables for Huffman codes (T.81 F.2.2.3).
#![forbid(unsafe_code)]

use super::huffman::Table;

/// Bits that index a table.
pub(super) const INDEX_BITS: u32 = 11;
pub(super) const SIZE: usize = 1 << INDEX_BITS;

/// Bits one step of [`Steps`] takes at most: three of them and the seven bits of a begun byte fit 64 with room for a
/// shift by whole bytes that is never 64.
pub(super) const STEP_BITS: u32 = 18;

/// Added to a step's advance when the block ends there by EOB.
pub(super) const END: u32 = 128;

/// The advance of a step that has to be decoded symbol by symbol: no legal one, and none that leaves eight bits.
const SLOW: u64 = 192;

/// Decodes one symbol at a time.
pub(super) struct Symbols {
    /// By the next eleven bits: length << 8 | symbol, 0 where the code is longer.
    short: [u16; SIZE],
    /// For codes of 12 to 16 bits: where they end, flushed left in 16 bits, and how to get the symbol's index.
    long: [(u32, i32); 5],
    symbols: Vec<u8>,
}

impl Symbols {
    /// Prepares a table.
    pub fn new(table: &Table) -> Self {
        let mut short = [0; SIZE];
        table.for_each(|symbol, code, length| {
            if length <= INDEX_BITS {
                let first = (code as usize) << (INDEX_BITS - length);
                let entry = (length as u16) << 8 | u16::from(symbol);
                short[first..][..1 << (INDEX_BITS - length)].fill(entry);
            }
        });
        let mut long = [(0, 0); 5];
        let (mut code, mut index) = (0_u32, 0_i32);
        for (length, &count) in (1..).zip(&table.counts) {
            if length > INDEX_BITS {
                let end = (code + u32::from(count)) << (16 - length);
                long[(length - INDEX_BITS - 1) as usize] = (end, index - code as i32);
            }
            code = (code + u32::from(count)) << 1;
            index += i32::from(count);
        }
        Self { short, long, symbols: table.symbols.clone() }
    }

    /// The symbol at the top of `window` and its code's length; none when no code begins like this.
    #[inline(always)]
    pub fn get(&self, window: u64) -> Option<(u32, u8)> {
        let entry = self.short[(window >> (64 - INDEX_BITS)) as usize];
        if entry != 0 { Some((u32::from(entry >> 8), entry as u8)) } else { self.get_long(window) }
    }

    #[cold]
    fn get_long(&self, window: u64) -> Option<(u32, u8)> {
        let top = (window >> 48) as u32;
        let (length, &(_, offset)) = (INDEX_BITS + 1..).zip(&self.long).find(|(_, (end, _))| top < *end)?;
        let index = (top >> (16 - length)) as i32 + offset;
        Some((length, *self.symbols.get(usize::try_from(index).ok()?)?))
    }
}

/// Decodes DC differences.
pub(super) struct Differences {
    /// By the next eleven bits: size of the difference << 8 | bits of it and its code, 0 where that takes longer.
    short: [u16; SIZE],
    symbols: Symbols,
}

impl Differences {
    /// Prepares a table.
    pub fn new(table: &Table) -> Self {
        let symbols = Symbols::new(table);
        // Sizes above 15 are left to the long way, which refuses them.
        let entry = |entry: u16| if entry as u8 > 15 { 0 } else { entry << 8 | ((entry >> 8) + (entry & 15)) };
        Self { short: symbols.short.map(entry), symbols }
    }

    /// The bits that the difference at the top of `window` takes with its code, 31 at most, and without; none when no
    /// code begins like this or its symbol is not legal.
    #[inline(always)]
    pub fn get(&self, window: u64) -> Option<(u32, u32)> {
        let entry = u32::from(self.short[(window >> (64 - INDEX_BITS)) as usize]);
        if entry != 0 { Some((entry & 0xFF, entry >> 8)) } else { self.get_long(window) }
    }

    /// By the next eleven bits: bits of a difference with its code, its own bits from bit 8; 0 where that takes longer.
    #[cfg(target_arch = "x86_64")]
    pub fn entries(&self) -> impl Iterator<Item = u32> {
        self.short.iter().map(|&entry| u32::from(entry))
    }

    /// The entries of [`Steps`] that take a difference for a step from position 0 to 1.
    pub fn steps(&self) -> impl Iterator<Item = u64> {
        self.short.iter().map(|&entry| match u64::from(entry & 0xFF) {
            taken if taken > 0 && taken <= u64::from(STEP_BITS) => 1 << 8 | taken,
            _ => SLOW << 8,
        })
    }

    #[cold]
    fn get_long(&self, window: u64) -> Option<(u32, u32)> {
        let (length, size) = self.symbols.get(window).filter(|&(_, size)| size < 16)?;
        Some((length + u32::from(size), size.into()))
    }
}

/// Decodes the AC coefficients of a sequential block, up to two of them and EOB a step.
///
/// What a step holds, from bit 0: the bits it takes (6); from bit 8 how far the position moves (8, plus [`END`] with
/// EOB); how far behind the step's first position the first (6) and the second (6) coefficient stand; from bit 28 which
/// of the top 18 bits are the second coefficient's value bits (18), then the first's (18).
pub(super) struct Steps {
    steps: Box<[u64; SIZE]>,
}

/// The mask of a step's top 18 bits.
const TOP: u64 = !0 << (64 - STEP_BITS);

impl Steps {
    /// Prepares a table, `symbols` being the same one prepared for single symbols.
    pub fn new(table: &Table, symbols: &Symbols) -> Self {
        let mut steps = Box::new([SLOW << 8; SIZE]);
        table.for_each(|symbol, code, length| {
            let mut first = Builder::default();
            if length > INDEX_BITS || !first.add(symbol, length) {
                return;
            }
            let steps = &mut steps[(code as usize) << (INDEX_BITS - length)..][..1 << (INDEX_BITS - length)];
            // What follows does not depend on the value bits in between.
            let left = INDEX_BITS.saturating_sub(first.taken);
            for index in 0..1 << left {
                let mut whole = first;
                whole.grow(index, symbols);
                let step = whole.step();
                steps.iter_mut().skip(index).step_by(1 << left).for_each(|to| *to = step);
            }
        });
        Self { steps }
    }

    /// All steps, by their first eleven bits.
    pub fn entries(&self) -> &[u64; SIZE] {
        &self.steps
    }

    /// The step at the top of `window`.
    #[inline(always)]
    pub fn get(&self, window: u64) -> Step {
        Step(self.steps[(window >> (64 - INDEX_BITS)) as usize])
    }
}

/// One entry of [`Steps`].
#[derive(Clone, Copy)]
pub(super) struct Step(u64);

impl Step {
    /// The bits it takes, at most [`STEP_BITS`], in the lower six bits; what is above has to be masked.
    #[inline(always)]
    pub fn length(self) -> u64 {
        self.0
    }

    /// The bits it takes, and from bit 8 how far the position moves, plus [`END`] when the block ends.
    #[inline(always)]
    pub fn advance(self) -> u32 {
        u32::from(self.0 as u16)
    }

    /// Which of the top bits a flip complements; `negated` has the position that the step starts at on top.
    #[inline(always)]
    pub fn complement(self, negated: u64) -> u64 {
        // An arithmetic shift spreads the top bit: all ones where the coefficient is negated.
        let first = ((negated << ((self.0 >> 16) & 63)) as i64 >> 63) as u64;
        let second = ((negated << ((self.0 >> 22) & 63)) as i64 >> 63) as u64;
        ((first & self.0) | (second & (self.0 << STEP_BITS))) & TOP
    }
}

/// A step that is being put together.
#[derive(Clone, Copy, Default)]
struct Builder {
    /// Bits so far.
    taken: u32,
    /// How far the position moves so far.
    advance: u64,
    /// Coefficients so far, ZRL among them: how far behind the step's first position they stand, and which of its
    /// bits, flushed left, are their values.
    coefficients: usize,
    shifts: [u64; 2],
    values: [u64; 2],
}

impl Builder {
    /// Adds a symbol whose code has `length` bits; false if the step has no place for it.
    fn add(&mut self, symbol: u8, length: u32) -> bool {
        let (run, size) = (u64::from(symbol >> 4), u32::from(symbol & 15));
        let (end, legal) = (symbol == 0, size > 0 || run == 15);
        if self.taken + length + size > STEP_BITS || (!end && (!legal || self.coefficients == 2)) {
            return false;
        }
        self.taken += length;
        if end {
            self.advance += u64::from(END);
            return true;
        }
        if size > 0 {
            self.values[self.coefficients] = !(!0 >> size) >> self.taken;
        }
        self.shifts[self.coefficients] = self.advance + run;
        self.taken += size;
        self.advance += run + 1;
        self.coefficients += 1;
        true
    }

    /// Adds what symbols follow in the lower bits of `index`, as far as those tell.
    fn grow(&mut self, index: usize, symbols: &Symbols) {
        while self.taken < INDEX_BITS && self.advance < u64::from(END) {
            let entry = symbols.short[(index << self.taken) & (SIZE - 1)];
            let length = u32::from(entry >> 8);
            // The code has to lie within the index, its value bits need not.
            if length == 0 || self.taken + length > INDEX_BITS || !self.add(entry as u8, length) {
                return;
            }
        }
    }

    /// The entry of [`Steps`].
    fn step(&self) -> u64 {
        let [first, second] = self.values;
        let shifts = self.shifts[1] << 22 | self.shifts[0] << 16;
        first | second >> STEP_BITS | shifts | self.advance << 8 | u64::from(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A step says the same as decoding its symbols one by one.
        #[test]
        fn steps_equal_symbols(
            weights in proptest::collection::vec((any::<u8>(), 1_u32..2000), 1..200),
            window: u64,
            negated: u64,
        ) {
            let mut counts = [0; 256];
            weights.iter().for_each(|&(symbol, count)| counts[usize::from(symbol)] = count);
            let table = super::super::optimal::table(&counts);
            let symbols = Symbols::new(&table);
            let step = Steps::new(&table, &symbols).get(window);
            prop_assume!(step.advance() >> 8 != SLOW as u32);

            let (mut taken, mut k, mut complement) = (0, 0, 0);
            while taken < step.advance() & 63 {
                let (length, symbol) = symbols.get(window << taken).expect("a step holds known codes only");
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                if symbol == 0 {
                    k += END;
                } else {
                    if size > 0 && (negated << (k + run)) >> 63 == 1 {
                        complement |= !(!0 >> size) >> (taken + length);
                    }
                    k += run + 1;
                }
                taken += length + size;
            }
            prop_assert_eq!(taken, step.advance() & 63);
            prop_assert!(taken <= STEP_BITS);
            prop_assert_eq!(k, step.advance() >> 8);
            prop_assert_eq!(complement, step.complement(negated));
        }
    }

    #[test]
    fn codes_of_all_lengths_are_found() {
        let table = Table { counts: [1; 16], symbols: (0..16).collect() };
        let symbols = Symbols::new(&table);
        for length in 1..=16 {
            // Symbol n has n ones and a zero.
            let window = !(!0 >> (length - 1));
            assert_eq!(symbols.get(window), Some((length, length as u8 - 1)));
        }
        assert_eq!(symbols.get(!0), None);
    }
}
