//! The headers of a bitmap: BITMAPFILEHEADER and the information headers of 12 to 124 bytes (Microsoft, `wingdi.h`).

use crate::error::{Error, Result};
use crate::kernels::flip::bytes::Endian::Little;
use crate::kernels::flip::limits::packed_size;

/// How the rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Plain,
    /// RLE8 or RLE4.
    RunLength,
}

/// What a flip needs to know of a bitmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits of a pixel: 1, 2, 4, 8, 16, 24, 32 or 64.
    pub bits: u16,
    /// Bytes of an uncompressed row, a multiple of four.
    pub stride: usize,
    /// Where the rows begin.
    pub pixels: usize,
    /// How they are coded.
    pub coding: Coding,
    /// The length of the information header.
    size: usize,
}

impl Header {
    /// Reads the headers of `file`.
    ///
    /// # Errors
    /// `ImageCorrupt`, `ImageUnsupported`.
    pub fn read(file: &[u8]) -> Result<Self> {
        Self::fields(file).ok_or_else(|| Error::ImageCorrupt("BMP: the file ends within its header".into()))?
    }

    /// `None` where the file ends.
    fn fields(file: &[u8]) -> Option<Result<Self>> {
        let pixels = Little.u32(file, 10)? as usize;
        let size = Little.u32(file, 14)? as usize;
        let unsupported = |what: String| Some(Err(Error::ImageUnsupported(format!("BMP with {what}"))));
        let (width, height, bits, compression) = match size {
            12 => (Little.u16(file, 18)?.into(), Little.u16(file, 20)?.into(), Little.u16(file, 24)?, 0),
            16 => (Little.u32(file, 18)? as i32, Little.u32(file, 22)? as i32, Little.u16(file, 28)?, 0),
            40.. => {
                let (width, height) = (Little.u32(file, 18)? as i32, Little.u32(file, 22)? as i32);
                (width, height, Little.u16(file, 28)?, Little.u32(file, 30)?)
            }
            _ => return unsupported(format!("a header of {size} bytes")),
        };
        file.get(..14 + size)?;
        let coding = match (compression, bits) {
            (0, 1 | 2 | 4 | 8 | 16 | 24 | 32 | 64) => Coding::Plain,
            // OS/2 gives 3 and 4 other meanings in its header of 64 bytes.
            (3 | 6, 16 | 32) if size != 64 => Coding::Plain,
            (1, 8) | (2, 4) => Coding::RunLength,
            _ => return unsupported(format!("compression {compression} at {bits} bits a pixel")),
        };
        let corrupt = |what: &str| Some(Err(Error::ImageCorrupt(format!("BMP: {what}"))));
        // Rows stored from top to bottom have a negative height; run lengths are defined from bottom to top only.
        if width <= 0 || height == 0 || (coding == Coding::RunLength && height < 0) {
            return corrupt("width or height");
        }
        if pixels < 14 + size || pixels > file.len() {
            return corrupt("offset of the pixels");
        }
        let (width, height) = (width as u32, height.unsigned_abs());
        let stride = match packed_size(width, height, bits.into()) {
            Ok((row, _)) => row.next_multiple_of(4),
            Err(error) => return Some(Err(error)),
        };
        if stride.checked_mul(height as usize).and_then(|length| length.checked_add(pixels)).is_none() {
            return Some(Err(Error::ImageTooLarge(format!("{width} x {height} pixels"))));
        }
        Some(Ok(Self { width, height, bits, stride, pixels, coding, size }))
    }

    /// The file with its run-length coded rows, which end at `end`, replaced by plain ones.
    pub fn plain(&self, file: &[u8], rows: &[u8], end: usize) -> Vec<u8> {
        let mut out = file[..self.pixels].to_vec();
        out.extend_from_slice(rows);
        out.extend_from_slice(&file[end..]);
        let length = out.len() as u64;
        let mut put = |at, value| Little.put(&mut out, at, 4, value);
        put(2, length);
        put(30, 0);
        put(34, rows.len() as u64);
        // A colour profile (BITMAPV5HEADER) may lie behind the rows; its offset counts from the information header.
        if self.size == 124
            && let Some(profile) = Little.u32(file, 14 + 112).map(|offset| offset as usize)
            && profile.saturating_add(14) >= end
        {
            put(14 + 112, (profile + self.pixels + rows.len() - end) as u64);
        }
        out
    }
}
