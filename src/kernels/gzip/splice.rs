//! Takes the end off a deflate stream (RFC 1951), so that another can follow it in the same gzip member.
//!
//! An encoder of whole buffers marks its last deflate block as final. Joining streams means to clear that mark, which
//! stands at a bit position only a walk over all symbols can tell, and to fill up to a whole byte with an empty stored
//! block, as zlib's `Z_SYNC_FLUSH` does. The walk copies nothing and follows no match: symbols that fit into one lookup
//! are skipped together, so that it costs a few hundredths of what compressing costs.

use super::deflate::tables::{FIXED, FIXED_DISTANCE, LENGTH_EXTRA, LITLEN, ORDER, distance_extra};

/// Bits that one lookup decides.
const LOOKUP: usize = 11;
/// The longest code of deflate (section 3.2.7).
const LONGEST: usize = 15;

/// Joins what follows onto the deflate stream `stream[start..]`: clears its last block's final mark and fills up to a whole
/// byte with an empty stored block.
///
/// Returns `None`, with `stream` as it was, when it is not one whole deflate stream.
pub(super) fn open_end(stream: &mut Vec<u8>, start: usize) -> Option<()> {
    let Ends { last_block, end } = walk(&stream[start..])?;
    stream.truncate(start + end.div_ceil(8));
    stream[start + last_block / 8] &= !(1 << (last_block % 8));
    // The three header bits of the stored block are zero, and so are the unused bits of the last byte: only where they
    // do not fit, a byte is needed for them.
    if end.is_multiple_of(8) || end % 8 > 5 {
        stream.push(0);
    }
    stream.extend_from_slice(&[0, 0, 0xff, 0xff]);
    Some(())
}

/// Where a stream's last block begins and ends, in bits.
#[derive(Debug, PartialEq, Eq)]
struct Ends {
    last_block: usize,
    end: usize,
}

fn walk(stream: &[u8]) -> Option<Ends> {
    let mut bits = Bits { stream, at: 0 };
    let mut codes = Codes::new();
    loop {
        let last_block = bits.at;
        let is_last = bits.take(1) == 1;
        match bits.take(2) {
            0 => bits.skip_stored()?,
            1 => {
                codes.set_fixed()?;
                codes.skip_symbols(&mut bits)?;
            }
            2 => {
                codes.read(&mut bits)?;
                codes.skip_symbols(&mut bits)?;
            }
            _ => return None,
        }
        if bits.at > stream.len() * 8 {
            return None;
        }
        if is_last {
            return Some(Ends { last_block, end: bits.at });
        }
    }
}

/// A place in a stream, counted in bits; beyond its end all bits are zero.
struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// At least the next 57 bits, the first lowest.
    #[inline(always)]
    fn peek(&self) -> u64 {
        let byte = self.at / 8;
        let word = match self.stream.get(byte..byte + 8) {
            Some(&[a, b, c, d, e, f, g, h]) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => self.stream.iter().skip(byte).take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        word >> (self.at % 8)
    }

    fn take(&mut self, count: usize) -> usize {
        let bits = self.peek() & ((1 << count) - 1);
        self.at += count;
        bits as usize
    }

    /// Skips a stored block (section 3.2.4), whose three header bits have been taken.
    fn skip_stored(&mut self) -> Option<()> {
        self.at = self.at.next_multiple_of(8);
        let length = self.take(16);
        let complement = self.take(16);
        self.at += length * 8;
        (length ^ complement == 0xffff).then_some(())
    }
}

/// What the bits of a lookup lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Next {
    /// More literals or lengths.
    Symbol,
    /// A distance: a length has been skipped.
    Distance,
    /// The block has ended.
    End,
    /// A code too long for the lookup, or none at all.
    Long,
}

/// How many bits to skip, and what comes then.
#[derive(Clone, Copy)]
struct Step {
    bits: u8,
    next: Next,
}

/// One prefix code: lookups for short codes, counts and sorted symbols for long ones.
struct Code {
    steps: Box<[Step; 1 << LOOKUP]>,
    /// The length of the code a lookup begins with.
    lengths: Box<[u8; 1 << LOOKUP]>,
    counts: [u16; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Code {
    const UNKNOWN: Step = Step { bits: 0, next: Next::Long };

    fn new() -> Self {
        Self {
            steps: Box::new([Self::UNKNOWN; 1 << LOOKUP]),
            lengths: Box::new([0; 1 << LOOKUP]),
            counts: [0; LONGEST + 1],
            symbols: Vec::with_capacity(LITLEN),
        }
    }

    /// Takes the canonical code (section 3.2.2) of these lengths, 0 for symbols that do not occur.
    fn set(&mut self, lengths: &[u8]) -> Option<()> {
        self.counts = [0; LONGEST + 1];
        for &length in lengths.iter().filter(|&&length| length > 0) {
            *self.counts.get_mut(usize::from(length))? += 1;
        }
        let mut offsets = [0; LONGEST + 2];
        let mut room = 1u32;
        for length in 1..=LONGEST {
            let count = self.counts[length];
            room = (room * 2).checked_sub(u32::from(count))?;
            offsets[length + 1] = offsets[length] + usize::from(count);
        }
        self.symbols.clear();
        self.symbols.resize(offsets[LONGEST + 1], 0);
        for (symbol, &length) in lengths.iter().enumerate().filter(|&(_, &length)| length > 0) {
            let offset = &mut offsets[usize::from(length)];
            self.symbols[*offset] = symbol as u16;
            *offset += 1;
        }
        Some(())
    }

    /// Fills the lookups; `meaning` tells a symbol's extra bits and what comes then.
    fn fill(&mut self, meaning: fn(usize) -> Step) {
        self.steps.fill(Self::UNKNOWN);
        self.lengths.fill(0);
        let (mut code, mut sorted) = (0u32, self.symbols.iter());
        for length in 1..=LOOKUP {
            for &symbol in sorted.by_ref().take(usize::from(self.counts[length])) {
                let Step { bits, next } = meaning(usize::from(symbol));
                let step = Step { bits: bits + length as u8, next };
                // Codes are sent from their highest bit, all else from its lowest (section 3.1.1).
                let first = (code.reverse_bits() >> (32 - length)) as usize;
                for index in (first..1 << LOOKUP).step_by(1 << length) {
                    self.steps[index] = step;
                    self.lengths[index] = length as u8;
                }
                code += 1;
            }
            code <<= 1;
        }
    }

    /// Lets one lookup skip every literal it holds whole, and a length after them.
    fn join(&mut self) {
        // Downwards: what follows the bits in use stands at a lower index, which must still be a single step.
        for index in (0..1 << LOOKUP).rev() {
            let mut step = self.steps[index];
            while step.next == Next::Symbol {
                let rest = index >> step.bits;
                let length = self.lengths[rest];
                // Bits above the lookup are unknown, so a code must lie within it; extra bits need not.
                if length == 0 || usize::from(step.bits + length) > LOOKUP {
                    break;
                }
                step = Step { bits: step.bits + self.steps[rest].bits, next: self.steps[rest].next };
            }
            self.steps[index] = step;
        }
    }

    /// The symbol whose code comes first in `bits`, and the code's length.
    fn decode(&self, bits: u64) -> Option<(usize, usize)> {
        let (mut code, mut first, mut offset) = (0, 0, 0);
        for length in 1..=LONGEST {
            code |= (bits >> (length - 1)) as usize & 1;
            let count = usize::from(self.counts[length]);
            if code < first + count {
                return Some((usize::from(self.symbols[offset + code - first]), length));
            }
            offset += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }

    /// The step of a code too long for the lookup.
    #[cold]
    fn long(&self, bits: u64, meaning: fn(usize) -> Step) -> Option<Step> {
        let (symbol, length) = self.decode(bits)?;
        let Step { bits, next } = meaning(symbol);
        Some(Step { bits: bits + length as u8, next })
    }
}

fn literal_or_length(symbol: usize) -> Step {
    match symbol {
        0..256 => Step { bits: 0, next: Next::Symbol },
        256 => Step { bits: 0, next: Next::End },
        // Two symbols of the fixed code stand for nothing (section 3.2.6).
        _ => Step { bits: LENGTH_EXTRA.get(symbol - 257).copied().unwrap_or(0), next: Next::Distance },
    }
}

fn distance(symbol: usize) -> Step {
    Step { bits: distance_extra(symbol) as u8, next: Next::Symbol }
}

/// The two codes of a block, kept from one block to the next for their memory.
struct Codes {
    symbols: Code,
    distances: Code,
}

impl Codes {
    fn new() -> Self {
        Self { symbols: Code::new(), distances: Code::new() }
    }

    fn set(&mut self, symbols: &[u8], distances: &[u8]) -> Option<()> {
        self.symbols.set(symbols)?;
        self.symbols.fill(literal_or_length);
        self.symbols.join();
        self.distances.set(distances)?;
        self.distances.fill(distance);
        Some(())
    }

    /// The codes of section 3.2.6.
    fn set_fixed(&mut self) -> Option<()> {
        self.set(&FIXED, &[FIXED_DISTANCE; 32])
    }

    /// Reads the codes that a block brings along (section 3.2.7).
    fn read(&mut self, bits: &mut Bits) -> Option<()> {
        let symbols = bits.take(5) + 257;
        let distances = bits.take(5) + 1;
        let code_lengths = bits.take(4) + 4;
        let mut lengths = [0; 19];
        for &position in &ORDER[..code_lengths] {
            lengths[position] = bits.take(3) as u8;
        }
        self.distances.set(&lengths)?;
        let mut lengths = [0; LITLEN + 32];
        let mut filled = 0;
        while filled < symbols + distances {
            let (symbol, length) = self.distances.decode(bits.peek())?;
            bits.at += length;
            let (value, count) = match symbol {
                16 => (*lengths.get(filled.checked_sub(1)?)?, 3 + bits.take(2)),
                17 => (0, 3 + bits.take(3)),
                18 => (0, 11 + bits.take(7)),
                length => (length as u8, 1),
            };
            lengths.get_mut(filled..filled + count)?.fill(value);
            filled += count;
        }
        self.set(lengths.get(..symbols)?, lengths.get(symbols..symbols + distances)?)
    }

    /// Skips a block's symbols and the end-of-block code.
    fn skip_symbols(&self, bits: &mut Bits) -> Option<()> {
        // Zeros beyond the end may be a code: only the length of the stream ends the walk then.
        while bits.at < bits.stream.len() * 8 {
            // 57 bits are enough for one round: at most 20 for a length, 28 for a distance.
            let ahead = bits.peek();
            let mut step = self.symbols.steps[ahead as usize & ((1 << LOOKUP) - 1)];
            if step.next == Next::Long {
                step = self.symbols.long(ahead, literal_or_length)?;
            }
            bits.at += usize::from(step.bits);
            match step.next {
                Next::Symbol => {}
                Next::End => return Some(()),
                _ => {
                    let ahead = ahead >> step.bits;
                    let mut step = self.distances.steps[ahead as usize & ((1 << LOOKUP) - 1)];
                    if step.next == Next::Long {
                        step = self.distances.long(ahead, distance)?;
                    }
                    bits.at += usize::from(step.bits);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
