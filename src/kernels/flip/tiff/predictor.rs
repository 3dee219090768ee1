//! Predictors: rows of differences, for LZW and Deflate (TIFF 6.0, section 14; Technical Note 3).

use crate::error::{Error, Result};
use crate::kernels::flip::bytes::Endian;

/// What was done to rows before they were coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predictor {
    /// Nothing.
    None,
    /// Each sample less the one to its left.
    Horizontal {
        /// The byte order of samples.
        endian: Endian,
        /// Bytes of a sample: 1, 2, 4 or 8.
        size: usize,
        /// Samples of a pixel that lie next to each other.
        samples: usize,
    },
    /// The bytes of floating point samples apart by significance, each less the one to its left.
    Float {
        /// Bytes of a sample.
        size: usize,
        /// Samples of a pixel that lie next to each other.
        samples: usize,
    },
}

impl Predictor {
    /// From the value of the Predictor tag.
    ///
    /// # Errors
    /// `ImageUnsupported` for unknown values and samples that are no whole bytes.
    pub fn from_tag(value: u64, endian: Endian, bits: usize, samples: usize) -> Result<Self> {
        let size = bits / 8;
        match (value, bits) {
            (1, _) => Ok(Self::None),
            (2, 8 | 16 | 32 | 64) => Ok(Self::Horizontal { endian, size, samples }),
            (3, 16 | 24 | 32 | 64) => Ok(Self::Float { size, samples }),
            _ => Err(Error::ImageUnsupported(format!("TIFF with predictor {value} for {bits}-bit samples"))),
        }
    }

    /// From differences to samples. Floating point samples come out most significant byte first.
    pub fn undo(self, row: &mut [u8]) {
        match self {
            Self::None => {}
            Self::Horizontal { size: 1, samples, .. } => {
                for at in samples..row.len() {
                    row[at] = row[at].wrapping_add(row[at - samples]);
                }
            }
            Self::Horizontal { endian, size, samples } => {
                let step = size * samples;
                for at in (step..(row.len() + 1).saturating_sub(size)).step_by(size) {
                    let value = read(endian, row, at, size).wrapping_add(read(endian, row, at - step, size));
                    let _ = endian.put(row, at, size, value);
                }
            }
            Self::Float { size, samples } => {
                for at in samples..row.len() {
                    row[at] = row[at].wrapping_add(row[at - samples]);
                }
                let planes = row.to_vec();
                let count = row.len() / size;
                for (at, value) in row.iter_mut().enumerate().take(count * size) {
                    *value = planes[at % size * count + at / size];
                }
            }
        }
    }

    /// From samples, as [`undo`](Self::undo) leaves them, to differences.
    pub fn apply(self, row: &mut [u8]) {
        match self {
            Self::None => {}
            Self::Horizontal { size: 1, samples, .. } => {
                for at in (samples..row.len()).rev() {
                    row[at] = row[at].wrapping_sub(row[at - samples]);
                }
            }
            Self::Horizontal { endian, size, samples } => {
                let step = size * samples;
                for at in (step..(row.len() + 1).saturating_sub(size)).step_by(size).rev() {
                    let value = read(endian, row, at, size).wrapping_sub(read(endian, row, at - step, size));
                    let _ = endian.put(row, at, size, value);
                }
            }
            Self::Float { size, samples } => {
                let pixels = row.to_vec();
                let count = row.len() / size;
                for (at, &value) in pixels.iter().enumerate().take(count * size) {
                    row[at % size * count + at / size] = value;
                }
                for at in (samples..row.len()).rev() {
                    row[at] = row[at].wrapping_sub(row[at - samples]);
                }
            }
        }
    }
}

/// A sample of 2, 4 or 8 bytes; 0 past the end.
fn read(endian: Endian, row: &[u8], at: usize, size: usize) -> u64 {
    let value = match size {
        2 => endian.u16(row, at).map(u64::from),
        4 => endian.u32(row, at).map(u64::from),
        _ => endian.u64(row, at),
    };
    value.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_and_back() {
        let row: Vec<u8> = (0..48u32).map(|n| (n * 89 % 251) as u8).collect();
        for endian in [Endian::Little, Endian::Big] {
            for (value, bits) in [(2, 8), (2, 16), (2, 32), (2, 64), (3, 16), (3, 32), (3, 64)] {
                for samples in [1, 2, 3] {
                    let predictor = Predictor::from_tag(value, endian, bits, samples).unwrap();
                    let mut changed = row.clone();
                    predictor.apply(&mut changed);
                    assert_ne!(changed, row);
                    predictor.undo(&mut changed);
                    assert_eq!(changed, row, "{predictor:?}");
                }
            }
        }
        assert!(Predictor::from_tag(2, Endian::Big, 4, 1).is_err());
        let mut row = [1, 0, 2, 0, 3, 1];
        Predictor::from_tag(2, Endian::Little, 16, 1).unwrap().undo(&mut row);
        assert_eq!(row, [1, 0, 3, 0, 6, 1]);
    }
}
