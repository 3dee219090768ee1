//! Walks the code of a sequential scan once (T.81 F.2.2).
#![forbid(unsafe_code)]

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
        let mut reader = Reader::new(0);
        let mut predictor = Predictor::default();
        self.job.for_each_row(self.entropy, |mcus, starts, end| {
            if let Some(begin) = starts {
                reader = Reader::new(begin);
                predictor = Predictor::default();
            }
            reader = self.mcus(mcus, reader, &mut predictor, flipped, blocks)?;
            reader.store(code, flipped);
            if reader.position() > end {
                return Err(corrupt("entropy-coded data ends early"));
            }
            Ok(())
        })
    }

    /// Walks over `count` MCUs.
    fn mcus(
        &self,
        count: u32,
        mut reader: Reader,
        predictor: &mut Predictor,
        flipped: &mut [u8],
        blocks: &mut Vec<Block>,
    ) -> Result<Reader> {
        let code = &self.entropy.bytes[..];
        let mut predict = std::mem::take(predictor);
        for _ in 0..count {
            for slot in &self.job.layout.slots {
                let start = reader.position();
                let coder = &self.coders[slot.component];
                reader.refill(code, flipped);
                let (dc, dc_length) = predict.read(&coder.dc, slot.component, reader.window())?;
                reader.skip(dc_length);
                if dc_length > STEP_BITS {
                    reader.refill(code, flipped);
                }
                reader = self.ac(coder, reader, flipped)?;
                let lengths = (dc_length << 11) as u16 | (reader.position() - start) as u16;
                blocks.push(Block { start: start as u32, dc, lengths });
            }
        }
        *predictor = predict;
        Ok(reader)
    }

    /// Walks over the AC coefficients of a block.
    #[inline(always)]
    fn ac(&self, coder: &Coder, mut reader: Reader, flipped: &mut [u8]) -> Result<Reader> {
        let code = &self.entropy.bytes[..];
        let mut k = 1;
        // The DC difference took the place of one of three steps.
        let mut steps = 2;
        loop {
            for _ in 0..steps {
                let step = coder.steps.get(reader.window());
                let after = k + step.advance();
                if after >= 64 {
                    // 64 is a block without EOB; END more than 63 is an EOB within it. All else means that the step
                    // reached into the next block, or that there is none.
                    if after == 64 || (END..END + 64).contains(&after) {
                        reader.complement(step.complement(self.negated << k));
                        reader.skip(step.length());
                        return Ok(reader);
                    }
                    (reader, k) = self.symbol(coder, k, reader, flipped)?;
                    if k == 64 {
                        return Ok(reader);
                    }
                    break;
                }
                reader.complement(step.complement(self.negated << k));
                reader.skip(step.length());
                k = after;
            }
            reader.refill(code, flipped);
            steps = 3;
        }
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
