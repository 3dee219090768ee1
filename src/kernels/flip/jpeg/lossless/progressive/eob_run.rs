//! Joins the ends of band of neighbouring blocks to runs (T.81 G.1.2.2, figure G.3).
#![forbid(unsafe_code)]

use super::super::entropy::load_bits;
use super::super::huffman::Codes;
use super::super::job::{Band, Job};
use super::super::order::{Visitor, walk};
use super::super::scan::Slot;
use super::super::writer::BitWriter;
use crate::error::Result;

/// The longest run that EOB14 can say.
const LONGEST: u32 = 0x7FFF;

/// Correction bits behind a block's end of band.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    at: u32,
    length: u8,
}

/// What the mirrored scan consists of, in order. Implementations are `#[inline(always)]`.
pub(super) trait Sink {
    /// A block's symbols; `index` is its number in the source.
    fn block(&mut self, band: &Band, index: usize);
    /// The end of band of `run` blocks; in a refinement `tails` has one for each of them.
    fn eob_run(&mut self, run: u32, tails: &[Tail]);
    /// The end of a restart interval.
    fn restart(&mut self, number: u32);
}

/// The EOBn that a table has codes for, bit n for EOBn.
#[derive(Clone, Copy)]
pub(super) struct Available(u32);

impl Available {
    /// Those of a table.
    pub fn of(codes: &Codes) -> Self {
        Self((0..15).filter(|&n| codes.get(n << 4).1 > 0).fold(0, |all, n| all | 1 << n))
    }

    /// All of them.
    pub fn all() -> Self {
        Self(0x7FFF)
    }

    /// Cuts a run's longest beginning that one EOBn can say: n, and the length of that. None if there is none.
    #[inline(always)]
    fn cut(self, run: u32) -> Option<(u32, u32)> {
        let wanted = 31 - run.leading_zeros();
        let able = self.0 & ((2 << wanted) - 1);
        let n = 31u32.checked_sub(able.leading_zeros())?;
        Some((n, if n == wanted { run } else { (2 << n) - 1 }))
    }
}

/// A run that is still growing.
#[derive(Default)]
struct Open {
    run: u32,
    tails: Vec<Tail>,
}

impl Open {
    #[inline(always)]
    fn close(&mut self, sink: &mut impl Sink) {
        if self.run > 0 {
            sink.eob_run(self.run, &self.tails);
            self.run = 0;
            self.tails.clear();
        }
    }
}

/// Feeds `sink` with the mirrored scan.
///
/// # Errors
/// `Aborted`.
pub(super) fn join(job: &Job<'_>, bands: &[Band], sink: &mut impl Sink) -> Result<()> {
    let mut join = Join { bands, refines: job.scan.ah > 0, open: Open::default(), sink };
    walk(job, &mut join)?;
    join.open.close(join.sink);
    Ok(())
}

struct Join<'a, S> {
    bands: &'a [Band],
    refines: bool,
    open: Open,
    sink: &'a mut S,
}

impl<S: Sink> Visitor for Join<'_, S> {
    #[inline(always)]
    fn block(&mut self, _: &Slot, index: usize, _: bool) {
        let Some(band) = self.bands.get(index) else { return };
        if band.length > 0 {
            self.open.close(self.sink);
            self.sink.block(band, index);
        }
        if band.ends {
            self.open.run += 1;
            if self.refines {
                self.open.tails.push(Tail { at: band.tail, length: band.tail_length });
            }
            if self.open.run == LONGEST {
                self.open.close(self.sink);
            }
        }
    }

    #[inline(always)]
    fn restart(&mut self, number: u32) {
        self.open.close(self.sink);
        self.sink.restart(number);
    }
}

/// Counts EOBn, given those available; notes runs that these cannot say.
pub(super) struct Count<'a> {
    /// What to use.
    pub available: Available,
    /// How often each symbol stands there, EOBn to be added.
    pub counts: &'a mut [u32; 256],
    /// Whether a run could not be said.
    pub lacking: bool,
}

impl Sink for Count<'_> {
    #[inline(always)]
    fn block(&mut self, _: &Band, _: usize) {}

    #[inline(always)]
    fn eob_run(&mut self, mut run: u32, _: &[Tail]) {
        while run > 0 {
            let Some((n, part)) = self.available.cut(run) else {
                self.lacking = true;
                return;
            };
            self.counts[(n << 4) as usize] += 1;
            run -= part;
        }
    }

    fn restart(&mut self, _: u32) {}
}

/// Writes the scan; `block` writes a block's symbols.
pub(super) struct Write<'a, F> {
    /// Where to.
    pub writer: BitWriter<'a>,
    /// The complemented code.
    pub code: &'a [u8],
    /// The codes of EOBn.
    pub codes: &'a Codes,
    /// Those that may be used.
    pub available: Available,
    /// Writes a block, given its index in the source.
    pub block: F,
}

impl<F: FnMut(&mut BitWriter<'_>, &Band, usize)> Sink for Write<'_, F> {
    #[inline(always)]
    fn block(&mut self, band: &Band, index: usize) {
        (self.block)(&mut self.writer, band, index);
    }

    #[inline(always)]
    fn eob_run(&mut self, mut run: u32, mut tails: &[Tail]) {
        while run > 0 {
            let Some((n, part)) = self.available.cut(run) else { return };
            let (code, length) = self.codes.get((n << 4) as u8);
            self.writer.put(code << n | u64::from(part - (1 << n)), length + n);
            let (now, later) = tails.split_at_checked(part as usize).unwrap_or((tails, &[]));
            for tail in now.iter().filter(|tail| tail.length > 0) {
                let length = u32::from(tail.length);
                self.writer.put(load_bits(self.code, tail.at) >> (64 - length), length);
            }
            tails = later;
            run -= part;
        }
    }

    fn restart(&mut self, number: u32) {
        self.writer.restart(number);
    }
}
