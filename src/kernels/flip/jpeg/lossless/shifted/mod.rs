//! Sequential scans with components whose blocks do not line up in the flipped picture.
//!
//! Where a picture is a whole number of luma blocks high but not of MCUs (4:2:0 and a height of 8 beyond a multiple of
//! 16), mirrored chroma lies off its blocks: half of the last one is padding, which would come to lie on top. Luma's blocks
//! are copied as in any lossless flip. Chroma's samples are moved by as many lines as are padding, in the DCT's own terms,
//! and quantised again by the same table; what comes to lie behind the last line repeats that.
//!
//! | file | holds |
//! |---|---|
//! | `axis` | what becomes of blocks along one axis; the matrices that move samples |
//! | `plane` | where a component's blocks come from; making them anew |
//! | `walk` | the blocks of a scan in the flipped order |
//! | `code` | counting and writing them |
//! | `choice` | the Huffman tables |
#![forbid(unsafe_code)]

mod axis;
mod choice;
mod code;
mod plane;
mod walk;

use super::corrupt;
use super::frame::Frame;
use super::job::{Job, Output};
use super::scratch::Scratch;
use super::sequential;
use super::writer::BitWriter;
use crate::error::Result;
use choice::Choice;
use plane::{Plane, Recoder, Source};
use walk::{Part, walk};

/// The quantisation tables in force, in zigzag order.
pub(super) type Quantisers = [Option<[u16; 64]>; 4];

/// Mirrors one scan: reads its entropy-coded data from the given place and appends tables, header and data to the
/// output. Returns the offset behind the data.
///
/// # Errors
/// `ImageCorrupt`, `Aborted`, `NotLossless` for half a GiB of data and for Huffman tables that components share although
/// they need different ones now.
pub(super) fn flip_scan(
    job: &Job<'_>,
    (frame, quantisers): (&Frame, &Quantisers),
    data: (&[u8], usize),
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    let end = sequential::index(job, data, scratch)?;
    let mut parts = parts(job, frame, quantisers)?;
    let source = Source { blocks: &scratch.blocks, code: &scratch.entropy.bytes };
    let mut choice = Choice::of_source(job)?;
    let mut is_sure = choice.is_complete(&parts);
    loop {
        if !is_sure {
            let mut counts = code::Count::default();
            walk(job, &mut parts, source, &mut counts)?;
            choice.fit(&parts, &counts)?;
        }
        let (tables_before, length_before) = (output.tables.clone(), output.file.len());
        output.tables.write(&choice.needed(), output.file);
        output.file.extend_from_slice(&choice.header(job.header));
        let codes = choice.codes();
        let mut write = code::Write::new(source.code, &codes, BitWriter::new(output.file));
        walk(job, &mut parts, source, &mut write)?;
        if write.finish() {
            return Ok(end);
        }
        // DC differences beyond those of 8-bit pictures: even complete tables may have no code for them.
        *output.tables = tables_before;
        output.file.truncate(length_before);
        if !is_sure {
            return Err(corrupt("a coefficient has no code"));
        }
        is_sure = false;
    }
}

/// The scan's components.
fn parts(job: &Job<'_>, frame: &Frame, quantisers: &Quantisers) -> Result<Vec<Part>> {
    let part = |(index, component): (usize, &super::scan::ScanComponent)| {
        let plane = Plane::new(job, frame, index);
        if plane.is_exact() {
            return Ok(Part { plane, recoder: None });
        }
        let number = frame.components[component.index].quantiser;
        let quantiser = quantisers.get(number).and_then(Option::as_ref);
        let quantiser = quantiser.ok_or_else(|| corrupt("a component's quantisation table is not defined"))?;
        let recoder = Recoder::new(job, component, &plane, quantiser)?;
        Ok(Part { plane, recoder: Some(recoder) })
    };
    job.scan.components.iter().enumerate().map(part).collect()
}
