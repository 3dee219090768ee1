//! Entropy-coded data freed of what is not code: stuffed zeros and restart markers (T.81 B.1.1.5, F.1.2.3).
#![forbid(unsafe_code)]

use super::{corrupt, stuffing};
use crate::error::{Error, Result};

/// Zeros behind the data, so that the last block has a whole [`Window`](super::reader::Window) too.
const SLACK: usize = 1024;

/// The longest code: bit positions in it, and a block beyond it, are 32-bit numbers.
const MOST: usize = (1 << 29) - 2 * SLACK;

/// Into how many walks a long scan is cut, and how many bytes each of those is at least.
const SHARES: usize = 64;
const SHORTEST: usize = if cfg!(fuzzing) { 350 } else { 16 << 10 };

/// The data of one scan.
#[derive(Default)]
pub(super) struct Entropy {
    /// The code of all restart intervals one behind another, each starting at a whole byte, then [`SLACK`] zeros.
    pub bytes: Vec<u8>,
    /// Where each interval ends in `bytes`.
    pub ends: Vec<u32>,
    /// Places to start a walk at: the first byte of each interval that is long enough, and one every
    /// [`stride`](Self::stride) bytes or a little more within.
    pub checkpoints: Vec<Checkpoint>,
}

/// A byte of the code, and the byte of the file that it comes from.
#[derive(Clone, Copy)]
pub(super) struct Checkpoint {
    /// Offset in [`Entropy::bytes`].
    pub byte: u32,
    /// Offset in the file.
    pub file: usize,
}

impl Entropy {
    /// Reads the data from offset `at` to the next marker that is no restart marker; returns that marker's offset.
    ///
    /// `intervals` is how many restart intervals the scan has to have. Allocates as much as the rest of the file is long.
    ///
    /// # Errors
    /// `ImageCorrupt` when restart markers are missing, too many or out of order, or no marker ends the data;
    /// `NotLossless` for half a GiB of data or more.
    pub fn read(&mut self, file: &[u8], mut at: usize, intervals: u64) -> Result<usize> {
        self.bytes.clear();
        self.ends.clear();
        self.checkpoints.clear();
        let stride = Self::stride(file.len().saturating_sub(at));
        self.checkpoints.push(Checkpoint { byte: 0, file: at });
        let mut next_checkpoint = stride;
        // No scan is longer than the rest of the file; growing step by step would copy all of it twice.
        self.bytes.reserve(file.len().saturating_sub(at) + SLACK);
        loop {
            let room = next_checkpoint.saturating_sub(self.bytes.len());
            at += stuffing::unstuff(file.get(at..).unwrap_or_default(), room, &mut self.bytes);
            let rest = file.get(at..).unwrap_or_default();
            let run = find_ff(rest).ok_or_else(|| corrupt("the file ends within entropy-coded data"))?;
            self.bytes.extend_from_slice(&rest[..run]);
            at += run;
            // Fill bytes may stand before a marker; the last 0xFF is the one that counts.
            at += file[at..].iter().take_while(|&&byte| byte == 0xFF).count() - 1;
            match file.get(at + 1) {
                None => return Err(corrupt("the file ends within entropy-coded data")),
                Some(0) => {
                    self.bytes.push(0xFF);
                    at += 2;
                    if self.bytes.len() >= next_checkpoint {
                        self.checkpoints.push(Checkpoint { byte: self.bytes.len() as u32, file: at });
                        next_checkpoint = self.bytes.len() + stride;
                    }
                }
                Some(&code @ 0xD0..=0xD7) => {
                    if u64::from(code & 7) != self.ends.len() as u64 % 8 || self.ends.len() as u64 + 1 >= intervals {
                        return Err(corrupt("a restart marker is out of order"));
                    }
                    self.end_interval()?;
                    at += 2;
                    self.checkpoints.push(Checkpoint { byte: self.bytes.len() as u32, file: at });
                    next_checkpoint = self.bytes.len() + stride;
                }
                Some(_) => break,
            }
        }
        self.end_interval()?;
        if self.ends.len() as u64 != intervals {
            return Err(corrupt("restart markers are missing"));
        }
        self.bytes.resize(self.bytes.len() + SLACK, 0);
        Ok(at)
    }

    /// Appends to `bytes` what comes from offset `at` of the file on, until that is `count` bytes or more, or a marker
    /// stands there; returns the offset behind it.
    pub fn unstuff(file: &[u8], mut at: usize, count: usize, bytes: &mut Vec<u8>) -> usize {
        let enough = bytes.len() + count;
        while bytes.len() < enough {
            let rest = file.get(at..).unwrap_or_default();
            let rest = &rest[..rest.len().min(enough - bytes.len())];
            let run = find_ff(rest).unwrap_or(rest.len());
            bytes.extend_from_slice(&rest[..run]);
            at += run;
            match (run < rest.len(), file.get(at + 1)) {
                (false, _) if run > 0 => {}
                (true, Some(0)) => {
                    bytes.push(0xFF);
                    at += 2;
                }
                // A fill byte, see `read`.
                (true, Some(0xFF)) => at += 1,
                _ => break,
            }
        }
        at
    }

    /// How many bytes of `length` one walk shall cover.
    fn stride(length: usize) -> usize {
        (length / SHARES).max(SHORTEST)
    }

    /// How many bytes of code there are.
    pub fn len(&self) -> usize {
        self.bytes.len() - SLACK
    }

    fn end_interval(&mut self) -> Result<()> {
        if self.bytes.len() > MOST {
            return Err(Error::NotLossless("a scan of half a GiB or more".into()));
        }
        self.ends.push(self.bytes.len() as u32);
        // Neither does a short interval gain from a walk of its own, nor shall many of them take much memory.
        self.checkpoints.pop_if(|last| self.bytes.len() < last.byte as usize + SHORTEST);
        Ok(())
    }
}

/// The index of the first 0xFF.
#[inline(always)]
pub(super) fn find_ff(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        // The classic test for a zero byte, put to the complement; the lowest bit that it leaves is never wrong.
        let word = u64::from_le_bytes(*word);
        let found = (!word).wrapping_sub(ONES) & word & (ONES << 7);
        if found != 0 {
            return Some(i * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| byte == 0xFF).map(|at| words.len() * 8 + at)
}

/// 64 bits from bit position `at`; zeros behind the end.
#[inline(always)]
pub(super) fn load_bits(bytes: &[u8], at: u32) -> u64 {
    let (byte, bit) = ((at >> 3) as usize, at & 7);
    match bytes.get(byte..).and_then(<[u8]>::first_chunk::<9>) {
        Some(&[b0, b1, b2, b3, b4, b5, b6, b7, last]) => {
            u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]) << bit | u64::from(last) >> (8 - bit)
        }
        None => 0,
    }
}
