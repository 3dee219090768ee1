//! Sequential scans: 8-bit baseline and extended, interleaved or not (T.81 F).
//!
//! `parse` walks the code once and leaves behind a copy of it with the right value bits complemented, and an index of
//! the blocks; `emit` copies the blocks in mirrored order and codes the DC differences anew.

mod emit;
mod parse;

use super::entropy::Entropy;
use super::scan::{Layout, Scan};
use super::tables::{Class, Tables};
use super::writer::BitWriter;
use super::{corrupt, negated};
use crate::error::Result;
use crate::kernels::control::Control;
use crate::kernels::flip::options::Direction;
use std::rc::Rc;

/// Where a block stands in the parsed code and what its DC is.
#[derive(Clone, Copy, Default)]
struct Block {
    /// Bit position of its DC code.
    start: u32,
    /// Its DC coefficient.
    dc: i16,
    /// Bits of the DC code and its value bits (5, from bit 11), bits of the whole block (11).
    lengths: u16,
}

impl Block {
    /// Bit position of its AC codes.
    #[inline(always)]
    fn ac(self) -> u32 {
        self.start + u32::from(self.lengths >> 11)
    }

    /// Bit position behind its last code.
    #[inline(always)]
    fn end(self) -> u32 {
        self.start + u32::from(self.lengths & 0x7FF)
    }
}

/// Memory that one scan leaves to the next.
#[derive(Default)]
pub(super) struct Scratch {
    entropy: Entropy,
    flipped: Vec<u8>,
    blocks: Vec<Block>,
}

/// What a scan needs besides its own code.
pub(super) struct Job<'a> {
    /// The scan header.
    pub scan: &'a Scan,
    /// The scan header's segment, which the output takes over.
    pub header: &'a [u8],
    /// The order of its blocks.
    pub layout: &'a Layout,
    /// MCUs between restart markers, 0 for none.
    pub restart: u32,
    /// Which way to mirror.
    pub direction: Direction,
    /// Tables in force in the source.
    pub tables: &'a Tables,
}

/// Mirrors one scan: reads its entropy-coded data from offset `at` of `file` and appends tables, header and data to
/// `out`. Returns the offset behind the data.
///
/// # Errors
/// `ImageCorrupt`, `NotLossless` for half a GiB of data, `Aborted`.
pub(super) fn flip_scan(
    job: &Job<'_>,
    (file, at): (&[u8], usize),
    scratch: &mut Scratch,
    written: &mut Tables,
    out: &mut Vec<u8>,
    control: &Control,
) -> Result<usize> {
    let mcus = u64::from(job.layout.mcus_x) * u64::from(job.layout.mcus_y);
    let intervals = if job.restart == 0 { 1 } else { mcus.div_ceil(u64::from(job.restart)) };
    let end = scratch.entropy.read(file, at, intervals)?;
    // A block takes two bits at least: no header can make us allocate more than the file's size warrants.
    if job.layout.blocks() > scratch.entropy.len() as u64 * 4 {
        return Err(corrupt("the entropy-coded data is too short for the picture"));
    }
    let mut dc_tables = Vec::new();
    let mut needed = Vec::new();
    let mut coders = Vec::new();
    for component in &job.scan.components {
        let dc = job.tables.get(Class::Dc, component.dc_table)?;
        let ac = job.tables.get(Class::Ac, component.ac_table)?;
        coders.push(parse::Coder::new(&dc, &ac));
        needed.push((Class::Ac, component.ac_table, ac));
        dc_tables.push(dc);
    }
    let Scratch { entropy, flipped, blocks } = scratch;
    let (layout, restart) = (job.layout, job.restart);
    let parser = parse::Parser { entropy, layout, coders: &coders, restart, negated: negated(job.direction) };
    parser.run(flipped, blocks, control)?;

    let emitter = emit::Emitter { layout, restart, blocks, flipped };
    let rebuilt = emitter.fit_dc_tables(job.scan, &mut dc_tables, control)?;
    for (component, dc) in job.scan.components.iter().zip(&dc_tables) {
        needed.push((Class::Dc, component.dc_table, Rc::clone(dc)));
    }
    written.write(&needed, out);
    out.extend_from_slice(job.header);
    let codes: Vec<_> = dc_tables.iter().map(|table| table.codes()).collect();
    emitter.run(&codes, &rebuilt, &mut BitWriter::new(out), control)?;
    Ok(end)
}
