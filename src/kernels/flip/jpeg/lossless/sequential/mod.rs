//! Sequential scans: 8-bit baseline and extended, interleaved or not (T.81 F).
//!
//! `parse` walks the code once, complements the right value bits and leaves behind an index of the blocks; where there is
//! much code and a CPU that can, `lanes` does the same from many places at once. `emit` copies the blocks in mirrored
//! order and codes the DC differences anew.

mod emit;
mod lanes;
mod parse;

pub(super) use lanes::Track;

use super::job::{Job, Output};
use super::negated;
use super::scan::ScanComponent;
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
    let end = index(job, data, scratch)?;
    let Scratch { entropy, blocks, .. } = scratch;
    let mut dc_tables = Vec::new();
    let mut needed = Vec::new();
    for component in &job.scan.components {
        dc_tables.push(job.tables.get(Class::Dc, component.dc_table)?);
        needed.push((Class::Ac, component.ac_table, job.tables.get(Class::Ac, component.ac_table)?));
    }
    let emitter = emit::Emitter { job, blocks, code: &entropy.bytes };
    let (tables_before, length_before) = (output.tables.clone(), output.file.len());
    let mut rebuilt = vec![false; dc_tables.len()];
    loop {
        let dc = job.scan.components.iter().zip(&dc_tables);
        let dc = dc.map(|(component, dc)| (Class::Dc, component.dc_table, Rc::clone(dc)));
        output.tables.write(&needed.iter().cloned().chain(dc).collect::<Vec<_>>(), output.file);
        output.file.extend_from_slice(job.header);
        let codes: Vec<_> = dc_tables.iter().map(|table| table.codes()).collect();
        if emitter.run(&codes, &rebuilt, BitWriter::new(output.file))? {
            break;
        }
        // Most files' tables do, so that looking beforehand costs more than it spares.
        *output.tables = tables_before.clone();
        output.file.truncate(length_before);
        rebuilt = emitter.fit_dc_tables(&mut dc_tables)?;
    }
    Ok(end)
}

/// Reads the entropy-coded data of a scan from the given place, complements in `scratch.entropy` the value bits of the
/// coefficients that a flip negates, and fills `scratch.blocks` with an entry a block in coding order. Returns the offset
/// behind the data.
///
/// # Errors
/// As [`flip_scan`].
pub(super) fn index(job: &Job<'_>, data: (&[u8], usize), scratch: &mut Scratch) -> Result<usize> {
    let Scratch { entropy, blocks, tracks, .. } = scratch;
    // A block takes a bit of DC and one of EOB at least.
    let end = job.read(data, 2, entropy)?;
    let mut coders: Vec<parse::Coder> = Vec::with_capacity(4);
    // By component, which of the coders is its own: those with the same tables share one, and the CPU's cache.
    let mut coder_of = Vec::with_capacity(4);
    for component in &job.scan.components {
        let tables = (component.dc_table, component.ac_table);
        let same = |other: &ScanComponent| (other.dc_table, other.ac_table) == tables;
        match job.scan.components[..coder_of.len()].iter().position(same) {
            Some(other) => coder_of.push(coder_of[other]),
            None => {
                let dc = job.tables.get(Class::Dc, component.dc_table)?;
                let ac = job.tables.get(Class::Ac, component.ac_table)?;
                coder_of.push(coders.len());
                coders.push(parse::Coder::new(&dc, &ac));
            }
        }
    }
    let slots = job.layout.slots.iter().map(|slot| (slot.component, &coders[coder_of[slot.component]])).collect();
    let parser = parse::Parser { job, slots, negated: negated(job.direction) };
    if lanes::are_worth_while(&parser, entropy) {
        if lanes::walk(&parser, entropy, tracks)? {
            lanes::join::join(&parser, data.0, entropy, tracks, blocks)?;
        } else {
            job.read(data, 2, entropy)?;
            parser.run(entropy, blocks)?;
        }
    } else {
        parser.run(entropy, blocks)?;
    }
    Ok(end)
}
