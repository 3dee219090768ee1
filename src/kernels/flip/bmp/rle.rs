//! RLE8 and RLE4, the run-length codings of bitmaps (Microsoft, "Bitmap Compression").

use super::header::Header;
use crate::error::{Error, Result};
use crate::kernels::control::Control;

/// The rows as they would lie in an uncompressed bitmap, and where the coded ones end in `file`. Pixels the coding
/// leaves out have the value 0.
///
/// # Errors
/// `ImageCorrupt` when the data ends before its end mark, `Aborted`.
pub fn decode(file: &[u8], header: &Header, control: &Control) -> Result<(Vec<u8>, usize)> {
    let mut canvas = Canvas { rows: vec![0; header.stride * header.height as usize], header, x: 0, y: 0 };
    let mut at = header.pixels;
    loop {
        let &[count, value] = file.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(truncated)?;
        at += 2;
        match (count, value) {
            (0, 0) => {
                control.check()?;
                canvas.next_line();
            }
            (0, 1) => return Ok((canvas.rows, at)),
            (0, 2) => {
                let &[right, up] = file.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(truncated)?;
                canvas.skip(right.into(), up.into());
                at += 2;
            }
            (0, pixels) => {
                let pixels = usize::from(pixels);
                let bytes = (pixels * usize::from(header.bits)).div_ceil(8);
                let data = file.get(at..at + bytes).ok_or_else(truncated)?;
                (0..pixels).for_each(|index| canvas.put(pick(data, index, header.bits)));
                // Absolute runs are padded to 16 bits.
                at += bytes.next_multiple_of(2);
            }
            (pixels, _) => (0..pixels.into()).for_each(|index| canvas.put(pick(&[value], index, header.bits))),
        }
    }
}

fn truncated() -> Error {
    Error::ImageCorrupt("BMP: the run-length coded rows have no end".into())
}

/// The value of the `index`-th pixel of a run, which repeats the nibbles of a single byte at 4 bits.
fn pick(data: &[u8], index: usize, bits: u16) -> u8 {
    if bits == 8 {
        data[index % data.len()]
    } else {
        let byte = data[index / 2 % data.len()];
        if index.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }
}

struct Canvas<'a> {
    rows: Vec<u8>,
    header: &'a Header,
    x: usize,
    y: usize,
}

impl Canvas<'_> {
    /// Sets the current pixel and moves on; what runs over the edge is left out.
    fn put(&mut self, value: u8) {
        if self.x < self.header.width as usize && self.y < self.header.height as usize {
            let row = self.y * self.header.stride;
            match self.header.bits {
                8 => self.rows[row + self.x] = value,
                _ => self.rows[row + self.x / 2] |= if self.x.is_multiple_of(2) { value << 4 } else { value },
            }
        }
        self.skip(1, 0);
    }

    fn skip(&mut self, right: usize, up: usize) {
        self.x = self.x.saturating_add(right);
        self.y = self.y.saturating_add(up);
    }

    fn next_line(&mut self) {
        self.x = 0;
        self.skip(0, 1);
    }
}
