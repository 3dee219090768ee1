//! Walks over many places of one scan's code at once: a walk by itself mostly waits for its table look-ups.
//!
//! Where a block begins is known for the first one alone (and behind restart markers). But Huffman codes synchronise
//! themselves: a walk that sets out at any bit soon falls into step with the code (T. J. Ferguson, J. H. Rabinowitz,
//! "Self-synchronizing Huffman codes", 1984), which makes them decodable in parallel (S. T. Klein, Y. Wiseman, "Parallel
//! Huffman decoding with applications to JPEG files", 2003). Here each [`Track`] sets out from a checkpoint of
//! [`Entropy`] as if an MCU began there, and marks where it saw blocks end. Afterwards [`join`] walks, from where one
//! track stopped, until it stands on a mark of the next, at the same block of the MCU: from there on all that this one
//! marked is true. If they never meet, it walks on to the track behind. So a wrong guess costs time and nothing else.
//!
//! A track stops at least [`MARGIN`] bytes before the next checkpoint: tracks never touch the same bytes. What a track
//! has complemented before it fell into step is restored from the file.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(not(target_arch = "x86_64"))]
#[path = "none.rs"]
mod avx512;
mod bridge;
mod entry;
#[cfg(target_arch = "x86_64")]
mod index;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_index.rs"]
mod index;
pub(super) mod join;
mod state;
mod symbol;

use super::super::entropy::{Checkpoint, Entropy};
use super::super::lookup::SIZE;
use super::parse::{Coder, Parser};
use crate::error::Result;
use entry::K_BIAS;
use state::{GROUPS, Lanes, Nodes, Stop};
use symbol::Symbol;

/// A block has at most 63 AC codes and a DC code with 31 bits each, and eight bytes behind it are written as they were.
const MARGIN: u32 = 320;

/// Steps of each lane between two looks at the outer world.
const STEPS: usize = 3 * 256;

/// Marks that these can make, and a register's worth of room.
const LOG_ROOM: usize = STEPS * 8 * GROUPS + 8;

/// How often a track starts anew when it hits upon bits that are no code.
const ATTEMPTS: u32 = 8;

/// What a walk from a checkpoint has seen.
#[derive(Default)]
pub(in super::super) struct Track {
    /// The bits at which its blocks end, behind the bit at which it began; that was at the first block of an MCU.
    pub marks: Vec<u32>,
    /// The byte that it began at.
    pub byte: u32,
    /// The bit before which it may have complemented others than those of its blocks.
    pub stop: u32,
    failures: u32,
}

/// Whether it may be worth while: enough to walk on for all lanes, and a CPU that can.
pub(super) fn are_worth_while(parser: &Parser<'_>, entropy: &Entropy) -> bool {
    entropy.checkpoints.len() >= LEAST_TRACKS
        && parser.slots.len() <= 8
        && parser.slots.iter().all(|(_, coder)| entry::fit(coder.steps.entries()))
        && avx512::is_available()
}

/// So many tracks there have to be.
const LEAST_TRACKS: usize = if cfg!(fuzzing) { 2 } else { 8 };

/// All walks over a scan.
struct Walks<'a> {
    parser: &'a Parser<'a>,
    code: &'a mut [u8],
    checkpoints: &'a [Checkpoint],
    /// Where those end that the checkpoints begin: the next checkpoint, or the end of the interval.
    ends: &'a [u32],
    tracks: &'a mut [Track],
    lanes: Lanes,
    /// The nodes' tables, then one of steps that lead nowhere.
    steps: Vec<u64>,
    nodes: Nodes,
    /// How many tracks have begun.
    begun: usize,
    active: usize,
}

/// Walks from all checkpoints; leaves a track of each in `tracks`. False, and code of no use, when they saw far more
/// blocks than there are, which would take memory that no picture warrants.
///
/// # Errors
/// `Aborted`.
pub(super) fn walk(parser: &Parser<'_>, entropy: &mut Entropy, tracks: &mut Vec<Track>) -> Result<bool> {
    let Entropy { bytes, ends, checkpoints } = entropy;
    tracks.resize_with(tracks.len().max(checkpoints.len()), Track::default);
    tracks.truncate(checkpoints.len());
    let (nodes, steps) = prepare(&parser.slots);
    let park = bytes.len() - 64;
    let lanes = Lanes::parked(park, steps.len() - SIZE);
    let mut walks = Walks { parser, code: bytes, checkpoints, ends, tracks, lanes, steps, nodes, begun: 0, active: 0 };
    for lane in 0..GROUPS * 8 {
        walks.begin_next(lane);
    }
    let mut log = [0; LOG_ROOM];
    let mut budget = 2 * parser.job.layout.blocks() + (1 << 16);
    while walks.active > 0 {
        parser.job.control.check()?;
        let stop = avx512::walk(&mut walks.lanes, &walks.nodes, parser.negated, &walks.steps, walks.code, &mut log);
        let Some(left) = budget.checked_sub(stop.logged as u64) else { return Ok(false) };
        budget = left;
        walks.attend(&stop, &log);
    }
    Ok(true)
}

/// The tables of an MCU's blocks in their order, each component's once, and a table of nothing behind them.
fn prepare(slots: &[(usize, &Coder)]) -> (Nodes, Vec<u64>) {
    let mut known: Vec<&Coder> = Vec::with_capacity(4);
    let mut steps = Vec::with_capacity(9 * SIZE);
    let mut nodes = Nodes { first: 0, next: [0; 16] };
    let last = 2 * slots.len() - 1;
    let mut packed = [0; 16];
    for (i, &(_, coder)) in slots.iter().enumerate() {
        let number = known.iter().position(|other| std::ptr::eq(*other, coder)).unwrap_or_else(|| {
            known.push(coder);
            steps.extend(coder.dc.steps().map(|step| entry::of(step, false)));
            steps.extend(coder.steps.entries().iter().map(|&step| entry::of(step, true)));
            known.len() - 1
        });
        for node in [2 * i, 2 * i + 1] {
            packed[node] = ((2 * number + node % 2) * SIZE + node) as u64;
        }
    }
    nodes.first = packed[0];
    for node in 0..=last {
        nodes.next[node] = packed[if node == last { 0 } else { node + 1 }];
    }
    steps.resize(steps.len() + SIZE, 0);
    (nodes, steps)
}

impl Walks<'_> {
    /// Deals with what made the lanes stop.
    fn attend(&mut self, stop: &Stop, log: &[u64]) {
        for &mark in &log[..stop.logged] {
            self.tracks[(mark >> 32) as usize].marks.push(mark as u32);
        }
        for lane in 0..GROUPS * 8 {
            let (group, bit) = (lane / 8, 1 << (lane % 8));
            if stop.done[group] & bit != 0 {
                self.end(lane);
            } else if stop.slow[group] & bit != 0 {
                self.take_symbol(lane);
            }
        }
    }

    /// Lets a lane begin the next track, or parks it when there is none.
    fn begin_next(&mut self, lane: usize) {
        let (group, at) = (lane / 8, lane % 8);
        while let Some(&Checkpoint { byte, .. }) = self.checkpoints.get(self.begun) {
            let interval_end = self.ends[self.ends.partition_point(|&end| end <= byte).min(self.ends.len() - 1)];
            let end = self.checkpoints.get(self.begun + 1).map_or(interval_end, |next| next.byte.min(interval_end));
            let track = &mut self.tracks[self.begun];
            track.marks.clear();
            track.marks.push(byte * 8);
            (track.byte, track.stop, track.failures) = (byte, byte * 8, 0);
            let number = (self.begun as u64) << 32;
            self.begun += 1;
            if end > byte + MARGIN {
                self.lanes.limit[group][at] = number | u64::from((end - MARGIN) * 8);
                self.active += 1;
                return self.place(lane, number | u64::from(byte * 8), 0, self.nodes.first);
            }
        }
        let parked = Lanes::parked(self.code.len() - 64, self.steps.len() - SIZE);
        self.lanes.copy_lane(&parked, group, at);
    }

    /// Puts a lane at a bit (below the number of its track), a zigzag position and a node with its table.
    fn place(&mut self, lane: usize, bit: u64, k: u32, node: u64) {
        let (group, at) = (lane / 8, lane % 8);
        let base = (bit as u32 >> 3) as usize;
        let load = |at: usize| {
            self.code.get(at..).and_then(|code| code.first_chunk()).map_or(0, |code| u64::from_be_bytes(*code))
        };
        let (word, used) = (load(base), bit & 7);
        let lanes = &mut self.lanes;
        lanes.word[group][at] = word;
        lanes.ahead[group][at] = load(base + 8);
        lanes.next[group][at] = word << used;
        lanes.base[group][at] = base as u64;
        lanes.bits[group][at] = (bit - used).wrapping_sub(K_BIAS << 32);
        lanes.state[group][at] = (u64::from(k) + K_BIAS) << 32 | used;
        lanes.node[group][at] = node;
    }

    /// Writes what a lane has complemented; returns where it is, in bits, below the number of its track.
    fn flush(&mut self, lane: usize) -> u64 {
        let (group, at) = (lane / 8, lane % 8);
        let lanes = &self.lanes;
        let word = lanes.word[group][at];
        if let Some(bytes) = self.code.get_mut(lanes.base[group][at] as usize..).and_then(|code| code.first_chunk_mut())
        {
            *bytes = word.to_be_bytes();
        }
        (lanes.bits[group][at] + (lanes.state[group][at] & 63)).wrapping_add(K_BIAS << 32)
    }

    /// Ends a lane's track.
    fn end(&mut self, lane: usize) {
        let at = self.flush(lane);
        self.tracks[(at >> 32) as usize].stop = at as u32;
        self.active -= 1;
        self.begin_next(lane);
    }

    /// Takes the symbol that a lane stands before.
    fn take_symbol(&mut self, lane: usize) {
        let (group, at) = (lane / 8, lane % 8);
        let bit = self.flush(lane);
        let node = self.lanes.node[group][at];
        let k = ((self.lanes.state[group][at] >> 32) - K_BIAS) as u32;
        let coder = self.parser.slots[node as usize % 16 / 2].1;
        match symbol::take(coder, self.parser.negated, self.code, bit as u32, k) {
            Some(Symbol { bits, k }) if k < 64 => {
                let node = if node % 2 == 0 { self.nodes.next[node as usize % 16] } else { node };
                self.place(lane, bit + u64::from(bits), k, node);
            }
            Some(Symbol { bits, .. }) => {
                let bit = bit + u64::from(bits);
                self.place(lane, bit, 0, self.nodes.next[node as usize % 16]);
                self.tracks[(bit >> 32) as usize].marks.push(bit as u32);
                if bit >= self.lanes.limit[group][at] {
                    self.end(lane);
                }
            }
            None => self.begin_anew(lane, bit),
        }
    }

    /// Goes on behind bits that are no code: the track was not in step.
    fn begin_anew(&mut self, lane: usize, bit: u64) {
        let (group, at) = (lane / 8, lane % 8);
        let track = &mut self.tracks[(bit >> 32) as usize];
        track.failures += 1;
        if track.failures == ATTEMPTS || bit >= self.lanes.limit[group][at] {
            return self.end(lane);
        }
        track.marks.clear();
        track.marks.push(bit as u32 + 1);
        self.place(lane, bit + 1, 0, self.nodes.first);
    }
}
