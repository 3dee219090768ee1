//! The marker segments of a file (T.81 B.1.1, B.2.4).
#![forbid(unsafe_code)]

use super::corrupt;
use crate::error::Result;

pub(super) const SOI: u8 = 0xD8;
pub(super) const EOI: u8 = 0xD9;
pub(super) const SOS: u8 = 0xDA;
pub(super) const DQT: u8 = 0xDB;
pub(super) const DNL: u8 = 0xDC;
pub(super) const DRI: u8 = 0xDD;
pub(super) const DHP: u8 = 0xDE;
pub(super) const EXP: u8 = 0xDF;
pub(super) const DHT: u8 = 0xC4;
pub(super) const DAC: u8 = 0xCC;
pub(super) const COM: u8 = 0xFE;
pub(super) const TEM: u8 = 0x01;

/// One marker with what belongs to it.
pub(super) struct Segment<'a> {
    /// The byte behind 0xFF.
    pub code: u8,
    /// What follows the length; empty for markers that stand alone.
    pub payload: &'a [u8],
    /// All of it: 0xFF, code, length and payload, without the fill bytes before it.
    pub raw: &'a [u8],
}

/// A place in the file between two segments.
pub(super) struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts behind SOI.
    ///
    /// # Errors
    /// `ImageCorrupt` when the file does not begin with SOI.
    pub fn new(file: &'a [u8]) -> Result<Self> {
        if !file.starts_with(&[0xFF, SOI]) {
            return Err(corrupt("no SOI marker at the start"));
        }
        Ok(Self { file, at: 2 })
    }

    /// The file and the offset of the next byte: where entropy-coded data starts once SOS has been read.
    pub fn position(&self) -> (&'a [u8], usize) {
        (self.file, self.at)
    }

    /// Goes on at offset `at`, which entropy-coded data ended at.
    pub fn resume(&mut self, at: usize) {
        self.at = at;
    }

    /// Reads the next segment; fill bytes before a marker are skipped (B.1.1.2).
    ///
    /// # Errors
    /// `ImageCorrupt` when no marker stands here or the file ends within the segment.
    pub fn next(&mut self) -> Result<Segment<'a>> {
        let rest = self.file.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Err(corrupt("the file ends without EOI"));
        }
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        if fill == 0 {
            return Err(corrupt(format!("no marker at offset {}", self.at)));
        }
        let start = self.at + fill - 1;
        let code = *self.file.get(start + 1).ok_or_else(|| corrupt("the file ends within a marker"))?;
        if matches!(code, SOI | EOI | TEM | 0xD0..=0xD7) {
            self.at = start + 2;
            return Ok(Segment { code, payload: &[], raw: &self.file[start..self.at] });
        }
        let length = match self.file.get(start + 2..start + 4) {
            Some(&[high, low]) => usize::from(high) << 8 | usize::from(low),
            _ => return Err(corrupt("the file ends within a segment's length")),
        };
        if length < 2 {
            return Err(corrupt(format!("segment {code:02X} has a length of {length}")));
        }
        let raw = self
            .file
            .get(start..start + 2 + length)
            .ok_or_else(|| corrupt(format!("the file ends within segment {code:02X}")))?;
        self.at = start + raw.len();
        Ok(Segment { code, payload: &raw[4..], raw })
    }
}
