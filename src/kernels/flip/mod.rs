//! Mirrors an image: what people see is flipped, whatever the file says about orientation.
//!
//! Each format is one folder that keeps the container as it is and rewrites the coded picture alone, so that colour
//! profiles, text and the like survive byte for byte. `docs/metadata.md` says what is corrected or dropped.

pub mod bmp;
pub mod bytes;
pub mod exif;
pub mod file;
pub mod gif;
pub mod jpeg;
pub mod limits;
pub mod mirror;
pub mod options;
pub mod orientation;
pub mod png;
pub mod scratch;
pub mod sniff;
#[cfg(test)]
mod tests;
pub mod tiff;
pub mod webp;
pub mod xmp;

pub use options::{Direction, Exact, Flipped, Format, Lossless, Options};

use crate::error::Result;
use crate::kernels::control::Control;

/// Flips an encoded image and returns it in the same format.
///
/// # Errors
/// `ImageUnsupported` for bytes that are no image this package reads, `ImageCorrupt` for truncated or broken ones,
/// `ImageTooLarge` when the header announces more than `options.max_pixels`, `NotLossless` under
/// [`Lossless::Require`], `Aborted` once `control` was aborted.
pub fn flip(input: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    control.check()?;
    let format = sniff::sniff(input)?;
    let flipped = match format {
        Format::Jpeg => jpeg::flip(input, options, control),
        Format::Png => png::flip(input, options, control),
        Format::WebP => webp::flip(input, options, control),
        Format::Gif => gif::flip(input, options, control),
        Format::Bmp => bmp::flip(input, options, control),
        Format::Tiff => tiff::flip(input, options, control),
    }?;
    control.advance(input.len() as u64);
    Ok(flipped)
}
