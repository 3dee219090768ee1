//! Sequential scans: 8-bit baseline and extended, interleaved or not (T.81 F).
//!
//! `parse` walks the code once, complements the right value bits and leaves behind an index of the blocks; `emit` copies the blocks in mirrored order and codes the DC differences anew.
#![forbid(unsafe_code)]

mod emit;
mod parse;

use super::job::{Job, Output};
use super::negated;
use super::scratch::Scratch;
use super::tables::Class;
use super::writer::BitWriter;
use crate::error::Result;
use std::rc::Rc;

/// Mirrors one scan: reads its entropy-coded data from the given place and appends tables, header and data to the
/// output. Returns the offset behind the data.
///
/// # Errors
/// `ImageCorrupt`, `NotLossless` for half a GiB of data, `Aborted`.
pub(super) fn flip_scan(
    job: &Job<'_>,
    data: (&[u8], usize),
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    let Scratch { entropy, blocks, .. } = scratch;
    // A block takes a bit of DC and one of EOB at least.
    let end = job.read(data, 2, entropy)?;
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
    let slots = job.layout.slots.iter().map(|slot| (slot.component, &coders[slot.component])).collect();
    parse::Parser { job, slots, negated: negated(job.direction) }.run(entropy, blocks)?;

    let emitter = emit::Emitter { job, blocks, code: &entropy.bytes };
    let rebuilt = emitter.fit_dc_tables(&mut dc_tables)?;
    for (component, dc) in job.scan.components.iter().zip(&dc_tables) {
        needed.push((Class::Dc, component.dc_table, Rc::clone(dc)));
    }
    output.tables.write(&needed, output.file);
    output.file.extend_from_slice(job.header);
    let codes: Vec<_> = dc_tables.iter().map(|table| table.codes()).collect();
    emitter.run(&codes, &rebuilt, BitWriter::new(output.file))?;
    Ok(end)
}
