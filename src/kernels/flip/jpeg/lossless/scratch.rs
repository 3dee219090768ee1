//! Memory that flips leave to the next ones: fresh pages are a tenth of a flip's time.
#![forbid(unsafe_code)]

use super::entropy::Entropy;
use super::job::{Band, Block};
use super::sequential::Track;
use std::sync::{Mutex, PoisonError};

/// What is kept in all, in bytes, and how many buffers of either kind.
const MOST_BYTES: usize = 64 << 20;
const MOST: usize = 8;

/// Memory that one scan leaves to the next.
#[derive(Default)]
pub(super) struct Scratch {
    /// The code of a scan.
    pub entropy: Entropy,
    /// An index of a sequential scan.
    pub blocks: Vec<Block>,
    /// What many walks over one saw.
    pub tracks: Vec<Track>,
    /// The values of a progressive DC scan.
    pub dc: Vec<i16>,
    /// An index of a progressive AC scan.
    pub bands: Vec<Band>,
}

impl Scratch {
    fn size(&self) -> usize {
        self.entropy.bytes.capacity()
            + self.entropy.ends.capacity() * size_of::<u32>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.tracks.iter().map(|track| track.marks.capacity() * size_of::<u32>()).sum::<usize>()
            + self.dc.capacity() * size_of::<i16>()
            + self.bands.capacity() * size_of::<Band>()
    }
}

struct Free {
    bytes: usize,
    scratches: Vec<Scratch>,
    outputs: Vec<Vec<u8>>,
}

static FREE: Mutex<Free> = Mutex::new(Free { bytes: 0, scratches: Vec::new(), outputs: Vec::new() });

/// Runs `with` on what is free. A panic cannot leave it half changed: all calls below are of `Vec`'s own.
fn free<T>(with: impl FnOnce(&mut Free) -> T) -> T {
    with(&mut FREE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Memory for a flip's scans.
pub(super) fn take() -> Scratch {
    free(|free| {
        let scratch = free.scratches.pop().unwrap_or_default();
        free.bytes -= scratch.size();
        scratch
    })
}

/// Gives that back.
pub(super) fn give(scratch: Scratch) {
    let size = scratch.size();
    free(|free| {
        if free.scratches.len() < MOST && free.bytes + size <= MOST_BYTES {
            free.bytes += size;
            free.scratches.push(scratch);
        }
    });
}

/// An empty buffer for `capacity` bytes of output: the smallest that is free and large enough, not by far, or a new one.
pub(super) fn take_output(capacity: usize) -> Vec<u8> {
    let found = free(|free| {
        // Much too large a one would stay with a small result for as long as somebody keeps that.
        let range = capacity..capacity.saturating_mul(4);
        let fits = free.outputs.iter().enumerate().filter(|(_, output)| range.contains(&output.capacity()));
        let (index, _) = fits.min_by_key(|(_, output)| output.capacity())?;
        let output = free.outputs.swap_remove(index);
        free.bytes -= output.capacity();
        Some(output)
    });
    found.unwrap_or_else(|| Vec::with_capacity(capacity))
}

/// Gives an output buffer back.
pub(super) fn give_output(mut output: Vec<u8>) {
    output.clear();
    free(|free| {
        if free.outputs.len() < MOST && free.bytes + output.capacity() <= MOST_BYTES {
            free.bytes += output.capacity();
            free.outputs.push(output);
        }
    });
}
