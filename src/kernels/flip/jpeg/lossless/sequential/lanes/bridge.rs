//! Walking by one's own feet, where no track has gone or its marks are not true.
#![forbid(unsafe_code)]

use super::super::super::entropy::Entropy;
use super::super::super::place::ends_early;
use super::super::super::reader::{Window, window};
use super::super::parse::{self, Parser};
use crate::error::Result;

/// Bytes that are restored at a time.
const PIECE: usize = 4 << 10;

/// Code as it stands in the file, tracks or not, of one restart interval.
pub(super) struct Bridge {
    /// The code, and zeros to look ahead into.
    bytes: Vec<u8>,
    /// Offset in the scan's code of the first of these bytes.
    origin: usize,
    /// How many of them are code.
    filled: usize,
    /// Offset in the file of what follows.
    file_at: usize,
}

impl Bridge {
    /// Begins with the bytes `from..to` of `code`, which are as they were; `file_at` is the file's offset of what follows.
    pub fn new(code: &[u8], from: usize, to: usize, file_at: usize) -> Self {
        let mut bytes = code[from..to.max(from)].to_vec();
        let filled = bytes.len();
        bytes.resize(filled + size_of::<Window>(), 0);
        Self { bytes, origin: from, filled, file_at }
    }

    /// Walks over the block at bit `at` of the scan's code; returns the bit behind it.
    ///
    /// # Errors
    /// `ImageCorrupt`.
    pub fn block(&mut self, parser: &Parser<'_>, slot: usize, at: u32, file: &[u8]) -> Result<u32> {
        let first = at as usize / 8 - self.origin;
        if first + size_of::<Window>() > self.filled {
            self.restore(file);
        }
        let coder = parser.slots[slot].1;
        let window = window(&mut self.bytes, first).ok_or_else(ends_early)?;
        let behind = parse::block(coder, parser.negated, window, at % 8)?;
        Ok(at / 8 * 8 + behind)
    }

    /// Restores another piece.
    fn restore(&mut self, file: &[u8]) {
        self.bytes.truncate(self.filled);
        self.file_at = Entropy::unstuff(file, self.file_at, PIECE, &mut self.bytes);
        self.filled = self.bytes.len();
        self.bytes.resize(self.filled + size_of::<Window>(), 0);
    }

    /// Copies the bits `from..to` of the scan's code back to it, and forgets what lies before.
    pub fn settle(&mut self, code: &mut [u8], from: u32, to: u32) {
        let (first, last) = (from as usize / 8, to as usize / 8);
        if to <= from || last >= code.len() {
            return;
        }
        let ours = &self.bytes[first - self.origin..];
        let (head, tail) = (0xFF_u8 >> (from % 8), !(0xFF_u8 >> (to % 8)));
        let merge = |theirs: u8, ours: u8, mask: u8| theirs & !mask | ours & mask;
        if first == last {
            code[first] = merge(code[first], ours[0], head & tail);
        } else {
            code[first] = merge(code[first], ours[0], head);
            code[first + 1..last].copy_from_slice(&ours[1..last - first]);
            code[last] = merge(code[last], ours[last - first], tail);
        }
        self.bytes.drain(..last - self.origin);
        self.filled = self.filled.saturating_sub(last - self.origin);
        self.origin = last;
    }
}
