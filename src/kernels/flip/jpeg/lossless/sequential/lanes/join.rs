//! Makes one walk over the code of many.
#![forbid(unsafe_code)]

use super::super::super::dc::Predictor;
use super::super::super::entropy::{Entropy, load_bits};
use super::super::super::job::Block;
use super::super::super::place::ends_early;
use super::super::parse::Parser;
use super::Track;
use super::bridge::Bridge;
use super::index::Differences;
use crate::error::Result;
use crate::sys::simd::{self, Work};

/// Fills `blocks` with an entry a block in coding order: from the tracks where they are true, by walking where not.
///
/// # Errors
/// Those of [`Parser::run`].
pub(in super::super) fn join(
    parser: &Parser<'_>,
    file: &[u8],
    entropy: &mut Entropy,
    tracks: &[Track],
    blocks: &mut Vec<Block>,
) -> Result<()> {
    let Entropy { bytes, ends, checkpoints } = entropy;
    blocks.clear();
    blocks.reserve(parser.job.layout.blocks() as usize);
    let period = period(parser);
    let differences = &Differences::new(parser);
    let mut begin = 0;
    let (mut tracks, mut checkpoints) = (tracks, &checkpoints[..]);
    for (i, &end) in (0..).zip(ends.iter()) {
        let mcus = parser.job.interval().min(parser.job.mcus() - i * parser.job.interval());
        let count = mcus as usize * parser.slots.len();
        let here = tracks.partition_point(|track| track.byte < end);
        let (now, later) = tracks.split_at(here);
        tracks = later;
        let (files, later) = checkpoints.split_at(here);
        checkpoints = later;
        let mut joiner = Joiner {
            parser,
            file,
            code: bytes,
            blocks,
            predictor: Predictor::default(),
            differences,
            period,
            at: begin * 8,
            settled: begin * 8,
            walked: 0,
            count,
            end: u64::from(end) * 8,
            fresh: Vec::new(),
            bridge: None,
        };
        for (track, checkpoint) in now.iter().zip(files) {
            parser.job.control.check()?;
            joiner.reach(track, checkpoint.file)?;
        }
        joiner.finish()?;
        begin = end;
    }
    Ok(())
}

/// After how many blocks of an MCU the same tables come again in the same order.
fn period(parser: &Parser<'_>) -> usize {
    let slots = &parser.slots;
    let repeats = |&period: &usize| {
        slots.len().is_multiple_of(period)
            && slots.iter().zip(slots.iter().cycle().skip(period)).all(|(a, b)| std::ptr::eq(a.1, b.1))
    };
    (1..slots.len()).find(repeats).unwrap_or(slots.len())
}

/// The walk over a restart interval.
struct Joiner<'a> {
    parser: &'a Parser<'a>,
    file: &'a [u8],
    code: &'a mut [u8],
    blocks: &'a mut Vec<Block>,
    predictor: Predictor,
    differences: &'a Option<Differences<'a>>,
    period: usize,
    /// Where it is, in bits.
    at: u32,
    /// Up to where the code is complemented as it has to be.
    settled: u32,
    /// Blocks so far, and in all.
    walked: usize,
    count: usize,
    /// The bit at which the interval ends.
    end: u64,
    /// Ends of blocks that are not in `blocks` yet, behind the end of the last one that is.
    fresh: Vec<u32>,
    bridge: Option<Bridge>,
}

impl Joiner<'_> {
    /// Walks until it meets `track`, and to the end of that; or past it if they never meet.
    fn reach(&mut self, track: &Track, file_at: usize) -> Result<()> {
        let mut next = track.marks.partition_point(|&mark| mark < self.at);
        loop {
            while track.marks.get(next).is_some_and(|&mark| mark < self.at) {
                next += 1;
            }
            if track.marks.get(next) == Some(&self.at) && next % self.period == self.walked % self.period {
                return self.take(&track.marks[next..]);
            }
            if self.walked == self.count || (self.at >= track.stop && next >= track.marks.len()) {
                return Ok(());
            }
            self.walk(track.byte, file_at)?;
        }
    }

    /// Takes over blocks that a track has marked, beginning here.
    fn take(&mut self, marks: &[u32]) -> Result<()> {
        self.settle()?;
        self.bridge = None;
        let marks = &marks[..marks.len().min(self.count - self.walked + 1)];
        self.index(marks)?;
        self.walked += marks.len() - 1;
        self.at = marks.last().map_or(self.at, |&mark| mark);
        self.settled = self.at;
        Ok(())
    }

    /// Walks over one block. The code before byte `fresh` is as it was, that from there on is found in the file.
    fn walk(&mut self, touched: u32, file_at: usize) -> Result<()> {
        let (parser, file) = (self.parser, self.file);
        let code = &*self.code;
        let from = self.at as usize / 8;
        let bridge = self.bridge.get_or_insert_with(|| Bridge::new(code, from, touched as usize, file_at));
        if self.fresh.is_empty() {
            self.fresh.push(self.at);
        }
        self.at = bridge.block(parser, self.walked % parser.slots.len(), self.at, file)?;
        if u64::from(self.at) > self.end {
            return Err(ends_early());
        }
        self.fresh.push(self.at);
        self.walked += 1;
        if self.fresh.len() > 256 { self.settle() } else { Ok(()) }
    }

    /// Writes back what was walked over, and indexes it.
    fn settle(&mut self) -> Result<()> {
        if let Some(bridge) = &mut self.bridge {
            bridge.settle(self.code, self.settled, self.at);
            self.settled = self.at;
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        let result = self.index(&fresh);
        fresh.clear();
        self.fresh = fresh;
        result
    }

    /// Walks over the rest of the interval.
    fn finish(mut self) -> Result<()> {
        // Behind the last track nothing has been touched.
        let touched = (self.end / 8) as u32;
        while self.walked < self.count {
            self.walk(touched, self.file.len())?;
        }
        self.settle()?;
        if u64::from(self.at) > self.end { Err(ends_early()) } else { Ok(()) }
    }

    /// Adds the blocks between `marks`, the first of which is the one behind those that `walked` counts.
    fn index(&mut self, marks: &[u32]) -> Result<()> {
        if marks.len() < 2 {
            return Ok(());
        }
        let mut slot = self.blocks.len() % self.parser.slots.len();
        let Self { parser, differences, predictor, code, blocks, .. } = self;
        let mut marks = marks;
        if let Some(differences) = differences {
            let done = differences.index(code, marks, slot, predictor, blocks)?;
            slot = (slot + done) % parser.slots.len();
            marks = &marks[done..];
        }
        simd::run(Index { parser, predictor, code, blocks, marks, slot })
    }
}

/// Reads the DC differences of blocks whose places are known.
struct Index<'a> {
    parser: &'a Parser<'a>,
    predictor: &'a mut Predictor,
    code: &'a [u8],
    blocks: &'a mut Vec<Block>,
    marks: &'a [u32],
    slot: usize,
}

impl Work for Index<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { parser, predictor, code, blocks, marks, mut slot } = self;
        let first = blocks.len();
        blocks.resize(first + marks.len() - 1, Block::default());
        for (block, ends) in blocks[first..].iter_mut().zip(marks.windows(2)) {
            let (component, coder) = parser.slots[slot];
            slot = if slot + 1 == parser.slots.len() { 0 } else { slot + 1 };
            let (dc, dc_length) = predictor.read(&coder.dc, component, load_bits(code, ends[0]))?;
            *block = Block { start: ends[0], dc, lengths: (dc_length << 11 | (ends[1] - ends[0])) as u16 };
        }
        Ok(())
    }
}
