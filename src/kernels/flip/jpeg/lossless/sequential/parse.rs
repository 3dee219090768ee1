//! Walks the code of a sequential scan once (T.81 F.2.2).
#![forbid(unsafe_code)]

use super::super::corrupt;
use super::super::entropy::Entropy;
use super::super::huffman::Table;
use super::super::job::{Block, Job};
use super::super::lookup::{Differences, END, STEP_BITS, Steps, Symbols};
use super::super::place::{Place, ends_early};
use super::super::reader::{Reader, Window, window};
use crate::error::Result;
use crate::sys::simd::{self, Work};

/// The decoding tables of one component.
pub(super) struct Coder {
    pub(super) dc: Differences,
    pub(super) ac: Symbols,
    pub(super) steps: Steps,
}

impl Coder {
    /// Prepares a component's DC and AC table.
    pub fn new(dc: &Table, ac: &Table) -> Self {
        let symbols = Symbols::new(ac);
        Self { dc: Differences::new(dc), steps: Steps::new(ac, &symbols), ac: symbols }
    }
}

/// What stays the same over a scan.
pub(super) struct Parser<'a> {
    /// The scan.
    pub job: &'a Job<'a>,
    /// The blocks of an MCU: each one's component, as an index into the scan's, and the tables of that.
    pub slots: Vec<(usize, &'a Coder)>,
    /// Which coefficients to negate, bit 63 - k for zigzag position k.
    pub negated: u64,
}

impl Parser<'_> {
    /// Complements the value bits of negated coefficients in `entropy` and fills `blocks` with an entry a block in
    /// coding order.
    ///
    /// # Errors
    /// `ImageCorrupt` where no code matches, a block has too many coefficients, or an interval ends early; `Aborted`.
    pub fn run(&self, entropy: &mut Entropy, blocks: &mut Vec<Block>) -> Result<()> {
        blocks.clear();
        blocks.reserve(self.job.layout.blocks() as usize);
        let mut place = Place::default();
        self.job.for_each_row(&entropy.ends, |mcus, starts, end| {
            if let Some(begin) = starts {
                place = Place::new(&mut entropy.bytes, begin)?;
            }
            place = simd::run(Row { parser: self, count: mcus, place, code: &mut entropy.bytes, blocks })?;
            if place.position() > end {
                return Err(ends_early());
            }
            Ok(())
        })
    }
}

/// Some MCUs in a row.
struct Row<'a> {
    parser: &'a Parser<'a>,
    count: u32,
    place: Place,
    code: &'a mut [u8],
    blocks: &'a mut Vec<Block>,
}

impl Work for Row<'_> {
    type Output = Result<Place>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { parser, count, mut place, code, blocks } = self;
        let negated = parser.negated;
        for _ in 0..count {
            for &(component, coder) in &parser.slots {
                place.at += place.reader.rebase();
                let window = window(code, place.at).ok_or_else(ends_early)?;
                let mut reader = place.reader;
                let start = reader.position();
                reader.refill(window);
                let (dc, dc_length) = place.predictor.read(&coder.dc, component, reader.bits())?;
                reader.skip(dc_length);
                if dc_length > STEP_BITS {
                    reader.refill(window);
                }
                reader = ac(coder, negated, reader, window)?;
                let lengths = (dc_length << 11 | (reader.position() - start)) as u16;
                blocks.push(Block { start: place.at as u32 * 8 + start, dc, lengths });
                place.reader = reader;
            }
        }
        place.store(code);
        Ok(place)
    }
}

/// Walks over the block that begins at a bit of a window's first byte; returns the bit behind it.
///
/// # Errors
/// `ImageCorrupt` where no code matches or the block has too many coefficients.
#[inline(always)]
pub(super) fn block(coder: &Coder, negated: u64, window: &mut Window, bit: u32) -> Result<u32> {
    let mut reader = Reader::new(window);
    reader.skip(bit);
    reader.refill(window);
    let Some((dc_length, _)) = coder.dc.get(reader.bits()) else {
        return Err(corrupt("a DC code is not in its table or not legal"));
    };
    reader.skip(dc_length);
    reader.refill(window);
    reader = ac(coder, negated, reader, window)?;
    reader.store(window);
    Ok(reader.position())
}

/// Walks over the AC coefficients of a block.
#[inline(always)]
fn ac(coder: &Coder, negated: u64, mut reader: Reader, code: &mut Window) -> Result<Reader> {
    reader.set_k(1);
    loop {
        let step = 'steps: {
            // Three steps to a refill, of which the DC difference takes the place of the first.
            for _ in 0..2 {
                let step = coder.steps.get(reader.bits());
                if reader.k_behind(step) >= 64 {
                    break 'steps step;
                }
                reader.take(step, negated);
            }
            loop {
                reader.refill(code);
                for _ in 0..3 {
                    let step = coder.steps.get(reader.bits());
                    if reader.k_behind(step) >= 64 {
                        break 'steps step;
                    }
                    reader.take(step, negated);
                }
            }
        };
        // 64 is a block without EOB; END more than 63 is an EOB within it. What else is above 63 reaches into the next
        // block, or is no step.
        let behind = reader.k_behind(step);
        if behind == 64 || (END..END + 64).contains(&behind) {
            reader.take(step, negated);
            reader.set_k(0);
            return Ok(reader);
        }
        reader = symbol(coder, negated, reader, code)?;
        if reader.k() == 0 {
            return Ok(reader);
        }
    }
}

/// Reads one AC symbol; at the end of the block the zigzag position becomes 0.
#[inline(never)]
fn symbol(coder: &Coder, negated: u64, mut reader: Reader, code: &mut Window) -> Result<Reader> {
    reader.refill(code);
    let Some((length, symbol)) = coder.ac.get(reader.bits()) else {
        return Err(corrupt("an AC code is not in its table"));
    };
    let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
    let at = reader.k() + run;
    match (run, size) {
        (0, 0) => reader.set_k(0),
        (15, 0) if at < 64 => reader.set_k((at + 1) & 63),
        (_, 0) => return Err(corrupt("an AC symbol is not legal here")),
        _ if at > 63 => return Err(corrupt("a block has more than 64 coefficients")),
        _ => {
            if (negated << at) >> 63 == 1 {
                reader.complement(!(!0 >> size) >> length);
            }
            reader.set_k((at + 1) & 63);
        }
    }
    reader.skip(length + size);
    reader.refill(code);
    Ok(reader)
}
