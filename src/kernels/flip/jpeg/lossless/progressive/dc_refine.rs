//! Refinement scans of DC coefficients: one bit a block (T.81 G.1.2.1.1).
#![forbid(unsafe_code)]

use super::super::entropy::load_bits;
use super::super::job::{Job, Output};
use super::super::order::{Visitor, walk};
use super::super::place::ends_early;
use super::super::scan::Slot;
use super::super::scratch::Scratch;
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
    let writer = BitWriter::new(output.file);
    let mut copy = Copy { code: &entropy.bytes, begins: &begins, in_interval, writer };
    walk(job, &mut copy)?;
    copy.writer.finish();
    Ok(end)
}

struct Copy<'a> {
    code: &'a [u8],
    /// The first bit of each interval.
    begins: &'a [u32],
    /// Blocks in an interval.
    in_interval: usize,
    writer: BitWriter<'a>,
}

impl Visitor for Copy<'_> {
    #[inline(always)]
    fn block(&mut self, _: &Slot, index: usize, _: bool) {
        // A division only where there is more than one interval.
        let (interval, at) =
            if index < self.in_interval { (0, index) } else { (index / self.in_interval, index % self.in_interval) };
        let begin = self.begins.get(interval).copied().unwrap_or_default();
        self.writer.put(load_bits(self.code, begin + at as u32) >> 63, 1);
    }

    #[inline(always)]
    fn restart(&mut self, number: u32) {
        self.writer.restart(number);
    }
}
