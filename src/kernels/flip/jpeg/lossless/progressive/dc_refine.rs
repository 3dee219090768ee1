//! Refinement scans of DC coefficients: one bit a block (T.81 G.1.2.1.1).
#![forbid(unsafe_code)]

use super::super::entropy::load_bits;
use super::super::job::{Job, Output, Scratch};
use super::super::order::{Event, walk};
use super::super::place::ends_early;
use super::super::writer::BitWriter;
use crate::error::Result;

/// Mirrors one scan. Arguments, result and errors are those of [`super::flip_scan`].
pub(super) fn flip_scan(
    job: &Job<'_>,
    data: (&[u8], usize),
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    let entropy = &mut scratch.entropy;
    let end = job.read(data, 1, entropy)?;
    let slots = job.layout.slots.len();
    // Bit positions need no parsing: each interval's blocks stand one behind another.
    let mut begins = Vec::with_capacity(entropy.ends.len());
    let mut blocks = 0;
    job.for_each_row(&entropy.ends, |mcus, starts, end| {
        if let Some(begin) = starts {
            begins.push(begin as u32 * 8);
            blocks = 0;
        }
        blocks += u64::from(mcus) * slots as u64;
        if begins.last().is_none_or(|&begin| u64::from(begin) + blocks > end) {
            return Err(ends_early());
        }
        Ok(())
    })?;
    output.file.extend_from_slice(job.header);
    let in_interval = job.interval() as usize * slots;
    let mut writer = BitWriter::new(output.file);
    walk(job, |event| match event {
        Event::Block { index, .. } => {
            let begin = begins.get(index / in_interval).copied().unwrap_or_default();
            let at = begin + (index % in_interval) as u32;
            writer.put(load_bits(&entropy.bytes, at) >> 63, 1);
        }
        Event::Restart(number) => writer.restart(number),
    })?;
    writer.finish();
    Ok(end)
}
