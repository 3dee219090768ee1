//! Windows bitmaps: rows are mirrored where they lie, header, palette and colour profile stay byte for byte.
//!
//! Run-length coded bitmaps come out uncompressed with the same palette.

mod header;
mod rle;

use super::limits::PixelBudget;
use super::mirror::{Raster, mirror};
use super::options::{Exact, Flipped, Format, Options};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use header::{Coding, Header};

/// Flips a bitmap.
///
/// # Errors
/// `ImageUnsupported` for embedded JPEG and PNG and OS/2's own codings, `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let header = Header::read(file)?;
    PixelBudget::new(options.max_pixels).take(header.width, header.height)?;
    let raster = Raster {
        width: header.width as usize,
        rows: header.height as usize,
        stride: header.stride,
        bits: header.bits.into(),
    };
    let length = raster.stride * raster.rows;
    let mut bytes = match header.coding {
        Coding::Plain => {
            if file.len() < header.pixels + length {
                return Err(Error::ImageCorrupt("BMP: the file ends before its last row".into()));
            }
            file.to_vec()
        }
        Coding::RunLength => {
            let (rows, end) = rle::decode(file, &header, control)?;
            header.plain(file, &rows, end)
        }
    };
    if let Some(rows) = bytes.get_mut(header.pixels..header.pixels + length) {
        mirror(rows, raster, options.direction, control)?;
    }
    Ok(Flipped { bytes, format: Format::Bmp, width: header.width, height: header.height, exact: Exact::All })
}
