//! Walks the code of a sequential scan once (T.81 F.2.2).
//!
//! Besides the position in the code there are two chains here that must not wait for each other: finding the next
//! symbols, and complementing value bits. So the complemented code goes into a buffer of its own: writing into the
//! code itself would make every load wait for the store before it.

use super::super::corrupt;
use super::super::entropy::{Entropy, load};
use super::super::huffman::Table;
use super::super::lookup::{END, STEP_BITS, Steps, Symbols};
use super::super::scan::Layout;
use super::Block;
use crate::error::Result;
use crate::kernels::control::Control;

/// The decoding tables of one component.
pub(super) struct Coder {
    dc: Symbols,
    ac: Symbols,
    steps: Steps,
}

impl Coder {
    /// Prepares a component's DC and AC table.
    pub fn new(dc: &Table, ac: &Table) -> Self {
        let ac = Symbols::new(ac);
        Self { dc: Symbols::new(dc), steps: Steps::new(&ac), ac }
    }
}

/// Fills `flipped` with the code of `entropy`, the value bits of `negated` positions complemented, and `blocks` with
/// an entry a block in coding order.
///
/// # Errors
/// `ImageCorrupt` where no code matches, a block has too many coefficients, or an interval ends early; `Aborted`.
#[expect(clippy::too_many_arguments, reason = "one caller; a struct would only rename them")]
pub(super) fn parse(
    entropy: &Entropy,
    layout: &Layout,
    coders: &[Coder],
    restart: u32,
    negated: u64,
    flipped: &mut Vec<u8>,
    blocks: &mut Vec<Block>,
    control: &Control,
) -> Result<()> {
    flipped.resize(entropy.bytes.len(), 0);
    blocks.clear();
    blocks.reserve(layout.blocks() as usize);
    let mcus = layout.mcus_x * layout.mcus_y;
    let interval = if restart == 0 { mcus } else { restart };
    let components: Vec<usize> = layout.slots.iter().map(|slot| slot.component).collect();
    let mut begin = 0;
    for (i, &end) in (0..).zip(&entropy.ends) {
        let mut left = interval.min(mcus - i * interval);
        let mut walk = Walk::new(&entropy.bytes, begin, end as usize, negated);
        while left > 0 {
            control.check()?;
            let now = left.min(layout.mcus_x);
            walk.mcus(now, &components, coders, flipped, blocks)?;
            left -= now;
        }
        walk.store(flipped);
        begin = end as usize;
    }
    Ok(())
}

/// A place in the code of a restart interval.
struct Walk<'a> {
    code: &'a [u8],
    /// The interval's end, as a bit position.
    end: u64,
    negated: u64,
    dc: [i32; 4],
    /// The next bits, flushed left.
    window: u64,
    /// How many of them count.
    valid: u32,
    /// Offset of the byte that comes into the window next.
    next: usize,
    /// Offset of the byte the complement starts at.
    base: usize,
    /// How many bits from there on are dealt with.
    used: u32,
    /// Which bits from there on are to be complemented.
    complement: u64,
}

impl<'a> Walk<'a> {
    fn new(code: &'a [u8], begin: usize, end: usize, negated: u64) -> Self {
        Self {
            code,
            end: end as u64 * 8,
            negated,
            dc: [0; 4],
            window: 0,
            valid: 0,
            next: begin,
            base: begin,
            used: 0,
            complement: 0,
        }
    }

    /// Walks over `count` MCUs, `components` naming the component of each of an MCU's blocks.
    fn mcus(
        &mut self,
        count: u32,
        components: &[usize],
        coders: &[Coder],
        flipped: &mut [u8],
        blocks: &mut Vec<Block>,
    ) -> Result<()> {
        for _ in 0..count {
            for &component in components {
                let start = self.position();
                let coder = &coders[component];
                self.refill(flipped);
                let dc_length = self.dc(coder, component, flipped)?;
                self.ac(coder, flipped)?;
                let position = self.position();
                if position > self.end {
                    return Err(corrupt("entropy-coded data ends early"));
                }
                let lengths = (dc_length << 11 | (position - start) as u32) as u16;
                blocks.push(Block { start: start as u32, dc: self.dc[component] as i16, lengths });
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn position(&self) -> u64 {
        self.base as u64 * 8 + u64::from(self.used)
    }

    /// Writes the complemented code of the last 64 bits.
    #[inline(always)]
    fn store(&mut self, flipped: &mut [u8]) {
        let word = load(self.code, self.base) ^ self.complement;
        if let Some(to) = flipped.get_mut(self.base..).and_then(<[u8]>::first_chunk_mut) {
            *to = word.to_be_bytes();
        }
    }

    /// Stores what is dealt with and fills the window to 56 bits or more.
    #[inline(always)]
    fn refill(&mut self, flipped: &mut [u8]) {
        self.store(flipped);
        // At most 7 + 3 * 18 bits have been used: this never shifts by 64.
        let whole = self.used >> 3;
        self.complement <<= whole * 8;
        self.base += whole as usize;
        self.used &= 7;
        self.window |= load(self.code, self.next) >> self.valid;
        self.next += (63 - self.valid as usize) >> 3;
        self.valid |= 56;
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.valid -= bits;
        self.used += bits;
    }

    /// Decodes a DC difference; returns how many bits it took.
    #[inline(always)]
    fn dc(&mut self, coder: &Coder, component: usize, flipped: &mut [u8]) -> Result<u32> {
        let Some((length, size)) = coder.dc.get(self.window) else {
            return Err(corrupt("a DC code is not in its table"));
        };
        let size = u32::from(size);
        if size > 15 {
            return Err(corrupt("a DC difference has more than 15 bits"));
        }
        let bits = (self.window << length >> 1 >> (63 - size)) as i32;
        // Values whose top bit is 0 are negative (F.2.2.1, EXTEND).
        let negative = bits < 1 << size >> 1;
        self.dc[component] += if negative { bits - (1 << size) + 1 } else { bits };
        if !(-0x4000..0x4000).contains(&self.dc[component]) {
            return Err(corrupt("a DC coefficient is out of range"));
        }
        self.skip(length + size);
        if length + size > STEP_BITS {
            self.refill(flipped);
        }
        Ok(length + size)
    }

    /// Decodes the AC coefficients of a block.
    #[inline(always)]
    fn ac(&mut self, coder: &Coder, flipped: &mut [u8]) -> Result<()> {
        let mut k = 1;
        // The DC difference took the place of one of three steps.
        let mut steps = 2;
        loop {
            for _ in 0..steps {
                let step = coder.steps.get(self.window);
                let after = k + step.advance();
                if after >= 64 {
                    // 64 is a block without EOB; END more than 63 is an EOB within it. All else means that the step
                    // reached into the next block, or that there is none.
                    if after == 64 || (END..END + 64).contains(&after) {
                        self.complement |= step.complement(self.negated << k) >> self.used;
                        self.skip(step.length());
                        return Ok(());
                    }
                    k = self.symbol(coder, k, flipped)?;
                    if k == 64 {
                        return Ok(());
                    }
                    break;
                }
                self.complement |= step.complement(self.negated << k) >> self.used;
                self.skip(step.length());
                k = after;
            }
            self.refill(flipped);
            steps = 3;
        }
    }

    /// Decodes one AC symbol from position `k`; returns the position behind it, 64 after EOB.
    #[inline(never)]
    fn symbol(&mut self, coder: &Coder, k: u32, flipped: &mut [u8]) -> Result<u32> {
        self.refill(flipped);
        let Some((length, symbol)) = coder.ac.get(self.window) else {
            return Err(corrupt("an AC code is not in its table"));
        };
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let at = k + run;
        if size == 0 {
            self.skip(length);
            return match run {
                0 => Ok(64),
                15 if at < 64 => Ok(at + 1),
                _ => Err(corrupt("an AC symbol is not legal here")),
            };
        }
        if at > 63 {
            return Err(corrupt("a block has more than 64 coefficients"));
        }
        if (self.negated << at) >> 63 == 1 {
            self.complement |= !(!0 >> size) >> (self.used + length);
        }
        self.skip(length + size);
        Ok(at + 1)
    }
}
