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
#[cfg(target_arch = "x86_64")]
mod sums;
mod symbol;

use super::super::entropy::{Checkpoint, Entropy};
use super::super::lookup::SIZE;
use super::parse::{Coder, Parser};
use crate::error::Result;
use crate::kernels::control::Control;
use entry::K_BIAS;
use state::{GROUPS, Lanes, Nodes, Stop};
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
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

/// So many tracks there have to be for a second thread.
const LEAST_HALF: usize = if cfg!(fuzzing) { 1 } else { 8 * GROUPS };

/// So many tracks there have to be.
const LEAST_TRACKS: usize = if cfg!(fuzzing) { 2 } else { 8 };

/// What the walks over a scan have in common, wherever they run.
#[derive(Clone, Copy)]
struct Scan<'a> {
    slots: &'a [(usize, &'a Coder)],
    /// As in [`Parser`].
    negated: u64,
    control: &'a Control,
    /// The nodes' tables, then one of steps that lead nowhere.
    steps: &'a [u64],
    nodes: &'a Nodes,
    /// Where restart intervals end.
    ends: &'a [u32],
    /// How many blocks there are.
    blocks: u64,
}

/// Walks from some checkpoints one behind another, which touch no code but that from the first of them on and, by
/// [`MARGIN`], before the one behind them.
struct Walks<'a> {
    scan: Scan<'a>,
    code: &'a mut [u8],
    /// Where that code begins, and with it the lanes' count of bytes and bits.
    origin: u32,
    checkpoints: &'a [Checkpoint],
    tracks: &'a mut [Track],
    lanes: Lanes,
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
    let scan = Scan {
        slots: &parser.slots,
        negated: parser.negated,
        control: parser.job.control,
        steps: &steps,
        nodes: &nodes,
        ends,
        blocks: parser.job.layout.blocks(),
    };
    let half = checkpoints.partition_point(|checkpoint| (checkpoint.byte as usize) < bytes.len() / 2);
    let spare = if checkpoints[half..].len() >= LEAST_HALF { scan.control.spare_core() } else { None };
    if spare.is_none() {
        return Walks::new(scan, bytes, 0, checkpoints, tracks).run();
    }
    let origin = checkpoints[half].byte;
    let (code, later_code) = bytes.split_at_mut(origin as usize);
    let (tracks, later_tracks) = tracks.split_at_mut(half);
    let (checkpoints, later) = checkpoints.split_at(half);
    let [first, second] = both(
        || Walks::new(scan, code, 0, checkpoints, tracks).run(),
        || Walks::new(scan, later_code, origin, later, later_tracks).run(),
    );
    Ok(first? && second?)
}

/// Does two things at the same time, the second on a thread made for it: a thread of the pool that waited for another
/// would take whole other jobs in the meantime. Where no thread can be made, one behind the other.
fn both<T: Send>(first: impl FnOnce() -> T, second: impl FnOnce() -> T + Send) -> [T; 2] {
    let second = Mutex::new(Some(second));
    let take = || second.lock().unwrap_or_else(PoisonError::into_inner).take();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, || take().map(|second| second()));
        let first = first();
        let second = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => take().map(|second| second()),
        };
        [first, second.expect("taken once")]
    })
}

/// Lanes at the last bytes of `code`, which no track comes near, with steps that lead nowhere.
fn parked(code: &[u8], steps: &[u64]) -> Lanes {
    let word = code.last_chunk::<16>().and_then(|last| last.first_chunk()).map_or(0, |word| u64::from_be_bytes(*word));
    Lanes::parked(code.len() - 16, word, steps.len() - SIZE)
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

impl<'a> Walks<'a> {
    /// All lanes parked; `code` begins at byte `origin` of the scan's.
    fn new(
        scan: Scan<'a>,
        code: &'a mut [u8],
        origin: u32,
        checkpoints: &'a [Checkpoint],
        tracks: &'a mut [Track],
    ) -> Self {
        let lanes = parked(code, scan.steps);
        Self { scan, code, origin, checkpoints, tracks, lanes, begun: 0, active: 0 }
    }

    /// Walks until all tracks have ended; see [`walk`].
    fn run(mut self) -> Result<bool> {
        for lane in 0..GROUPS * 8 {
            self.begin_next(lane);
        }
        let mut log = [0; LOG_ROOM];
        let mut budget = 2 * self.scan.blocks + (1 << 16);
        let Scan { nodes, negated, steps, control, .. } = self.scan;
        while self.active > 0 {
            control.check()?;
            let stop = avx512::walk(&mut self.lanes, nodes, negated, steps, self.code, &mut log);
            let Some(left) = budget.checked_sub(stop.logged as u64) else { return Ok(false) };
            budget = left;
            self.attend(&stop, &log);
        }
        Ok(true)
    }

    /// Adds the end of a block to its track.
    #[inline(always)]
    fn mark(&mut self, mark: u64) {
        self.tracks[(mark >> 32) as usize].marks.push(mark as u32 + self.origin * 8);
    }

    /// Deals with what made the lanes stop.
    fn attend(&mut self, stop: &Stop, log: &[u64]) {
        for &mark in &log[..stop.logged] {
            self.mark(mark);
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
            let ends = self.scan.ends;
            let interval_end = ends[ends.partition_point(|&end| end <= byte).min(ends.len() - 1)];
            // Where these walks' own code ends there begins another checkpoint, or there are zeros.
            let code_end = self.origin + self.code.len() as u32;
            let end = self.checkpoints.get(self.begun + 1).map_or(code_end, |next| next.byte).min(interval_end);
            let track = &mut self.tracks[self.begun];
            track.marks.clear();
            track.marks.push(byte * 8);
            (track.byte, track.stop, track.failures) = (byte, byte * 8, 0);
            let number = (self.begun as u64) << 32;
            self.begun += 1;
            if end > byte + MARGIN {
                self.lanes.limit[group][at] = number | u64::from((end - MARGIN - self.origin) * 8);
                self.active += 1;
                return self.place(lane, number | u64::from((byte - self.origin) * 8), 0, self.scan.nodes.first);
            }
        }
        let parked = parked(self.code, self.scan.steps);
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
        self.tracks[(at >> 32) as usize].stop = at as u32 + self.origin * 8;
        self.active -= 1;
        self.begin_next(lane);
    }

    /// Takes the symbol that a lane stands before.
    fn take_symbol(&mut self, lane: usize) {
        let (group, at) = (lane / 8, lane % 8);
        let bit = self.flush(lane);
        let node = self.lanes.node[group][at];
        let k = ((self.lanes.state[group][at] >> 32) - K_BIAS) as u32;
        let coder = self.scan.slots[node as usize % 16 / 2].1;
        match symbol::take(coder, self.scan.negated, self.code, bit as u32, k) {
            Some(Symbol { bits, k }) if k < 64 => {
                let node = if node.is_multiple_of(2) { self.scan.nodes.next[node as usize % 16] } else { node };
                self.place(lane, bit + u64::from(bits), k, node);
            }
            Some(Symbol { bits, .. }) => {
                let bit = bit + u64::from(bits);
                self.place(lane, bit, 0, self.scan.nodes.next[node as usize % 16]);
                self.mark(bit);
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
        track.marks.push(bit as u32 + 1 + self.origin * 8);
        self.place(lane, bit + 1, 0, self.scan.nodes.first);
    }
}
