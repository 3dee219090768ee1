//! Walks the code of a sequential scan once (T.81 F.2.2).
#![forbid(unsafe_code)]

use super::super::cpu::{self, Work};
use super::super::corrupt;
use super::super::dc::Predictor;
use super::super::entropy::Entropy;
use super::super::huffman::Table;
use super::super::job::{Block, Job};
use super::super::lookup::{END, STEP_BITS, Steps, Symbols};
use super::super::reader::Reader;
use crate::error::Result;

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

/// What stays the same over a scan.
pub(super) struct Parser<'a> {
    /// The scan.
    pub job: &'a Job<'a>,
    /// Its code.
    pub entropy: &'a Entropy,
    /// The tables of each component.
    pub coders: &'a [Coder],
    /// Which coefficients to negate, bit 63 - k for zigzag position k.
    pub negated: u64,
}

/// What comes after a step.
enum Next {
    /// Another one.
    Step,
    /// Another block.
    Block,
    /// A symbol that does not go by steps: the step has not been taken.
    Symbol,
}

/// Some MCUs in a row.
struct Row<'a> {
    parser: &'a Parser<'a>,
    count: u32,
    reader: Reader,
    predictor: Predictor,
    flipped: &'a mut [u8],
    blocks: &'a mut Vec<Block>,
}

impl Work for Row<'_> {
    type Output = Result<(Reader, Predictor)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { parser, count, mut reader, mut predictor, flipped, blocks } = self;
        let code = &parser.entropy.bytes[..];
        for _ in 0..count {
            for slot in &parser.job.layout.slots {
                let start = reader.position();
                let coder = &parser.coders[slot.component];
                reader.refill(code, flipped);
                let (dc, dc_length) = predictor.read(&coder.dc, slot.component, reader.window())?;
                reader.skip(dc_length);
                if dc_length > STEP_BITS {
                    reader.refill(code, flipped);
                }
                reader = parser.ac(coder, reader, flipped)?;
                let lengths = (dc_length << 11) as u16 | (reader.position() - start) as u16;
                blocks.push(Block { start: start as u32, dc, lengths });
            }
        }
        Ok((reader, predictor))
    }
}

impl Parser<'_> {
    /// Fills `flipped` with the code, the value bits of negated coefficients complemented, and `blocks` with an entry
    /// a block in coding order.
    ///
    /// # Errors
    /// `ImageCorrupt` where no code matches, a block has too many coefficients, or an interval ends early; `Aborted`.
    pub fn run(&self, flipped: &mut Vec<u8>, blocks: &mut Vec<Block>) -> Result<()> {
        let code = &self.entropy.bytes[..];
        flipped.resize(code.len(), 0);
        blocks.clear();
        blocks.reserve(self.job.layout.blocks() as usize);
        let mut reader = Reader::new(code, 0);
        let mut predictor = Predictor::default();
        self.job.for_each_row(self.entropy, |mcus, starts, end| {
            if let Some(begin) = starts {
                reader = Reader::new(code, begin);
                predictor = Predictor::default();
            }
            (reader, predictor) = cpu::run(Row { parser: self, count: mcus, reader, predictor, flipped, blocks })?;
            reader.store(code, flipped);
            if reader.position() > end {
                return Err(corrupt("entropy-coded data ends early"));
            }
            Ok(())
        })
    }

    /// Walks over the AC coefficients of a block.
    #[inline(always)]
    fn ac(&self, coder: &Coder, mut reader: Reader, flipped: &mut [u8]) -> Result<Reader> {
        let code = &self.entropy.bytes[..];
        let mut k = 1;
        loop {
            // Three steps to a refill, of which the DC difference takes the place of the first.
            for _ in 0..2 {
                match self.step(coder, &mut k, &mut reader) {
                    Next::Step => {}
                    Next::Block => return Ok(reader),
                    Next::Symbol => {
                        (reader, k) = self.symbol(coder, k, reader, flipped)?;
                        if k == 64 {
                            return Ok(reader);
                        }
                        break;
                    }
                }
            }
            reader.refill(code, flipped);
        }
    }

    /// Takes one step of the lookup table.
    #[inline(always)]
    fn step(&self, coder: &Coder, k: &mut u32, reader: &mut Reader) -> Next {
        let step = coder.steps.get(reader.window());
        let after = *k + step.advance();
        // 64 is a block without EOB; END more than 63 is an EOB within it. What else is above 63 reaches into the next
        // block, or is no step.
        if after > 64 && !(END..END + 64).contains(&after) {
            return Next::Symbol;
        }
        reader.complement(step.complement(self.negated << (*k & 63)));
        reader.skip(step.length());
        *k = after;
        if after < 64 { Next::Step } else { Next::Block }
    }

    /// Reads one AC symbol for position `k`; returns the position behind it, 64 after EOB.
    #[inline(never)]
    fn symbol(&self, coder: &Coder, k: u32, mut reader: Reader, flipped: &mut [u8]) -> Result<(Reader, u32)> {
        reader.refill(&self.entropy.bytes, flipped);
        let Some((length, symbol)) = coder.ac.get(reader.window()) else {
            return Err(corrupt("an AC code is not in its table"));
        };
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let at = k + run;
        if size == 0 {
            reader.skip(length);
            return match run {
                0 => Ok((reader, 64)),
                15 if at < 64 => Ok((reader, at + 1)),
                _ => Err(corrupt("an AC symbol is not legal here")),
            };
        }
        if at > 63 {
            return Err(corrupt("a block has more than 64 coefficients"));
        }
        if (self.negated << at) >> 63 == 1 {
            reader.complement(!(!0 >> size) >> length);
        }
        reader.skip(length + size);
        Ok((reader, at + 1))
    }
}
