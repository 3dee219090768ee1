//! GIF87a and GIF89a: every block is kept byte for byte, but the coded frames and their positions.
//!
//! So all frames, delays, disposals, palettes, transparency, the loop count and comments stay as they are.

mod frame;

use super::bytes::Endian::Little;
use super::limits::PixelBudget;
use super::options::{Exact, Flipped, Format, Options};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use frame::Canvas;

/// Flips every frame of a GIF.
///
/// # Errors
/// `ImageCorrupt`, `ImageTooLarge` when the frames together have more than `max_pixels` pixels, `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let (width, height) = Little.u16(file, 6).zip(Little.u16(file, 8)).ok_or_else(truncated)?;
    let packed = *file.get(10).ok_or_else(truncated)?;
    PixelBudget::new(options.max_pixels).take(width.into(), height.into())?;
    let canvas = Canvas { width: width.into(), height: height.into() };
    let mut budget = PixelBudget::new(options.max_pixels);
    let mut at = 13 + color_table(packed);
    let mut bytes = Vec::with_capacity(file.len() + file.len() / 8);
    bytes.extend_from_slice(file.get(..at).ok_or_else(truncated)?);
    let mut frames = 0;
    loop {
        control.check()?;
        match *file.get(at).ok_or_else(truncated)? {
            // Extension: a label, then sub-blocks.
            0x21 => {
                let end = skip_sub_blocks(file, at + 2)?;
                bytes.extend_from_slice(&file[at..end]);
                at = end;
            }
            0x2C => {
                at = canvas.flip_frame(file, at, options.direction, &mut budget, &mut bytes, control)?;
                frames += 1;
            }
            // Trailer; what follows it is kept as well.
            0x3B if frames > 0 => {
                bytes.extend_from_slice(&file[at..]);
                break;
            }
            other => return Err(Error::ImageCorrupt(format!("GIF: unexpected block {other:#04X}"))),
        }
    }
    Ok(Flipped { bytes, format: Format::Gif, width: width.into(), height: height.into(), exact: Exact::All })
}

fn truncated() -> Error {
    Error::ImageCorrupt("GIF: the file ends before its trailer".into())
}

/// The length of the colour table a packed field announces.
fn color_table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// Where the sub-blocks that begin at `at` end, their terminator included.
fn skip_sub_blocks(file: &[u8], at: usize) -> Result<usize> {
    let mut at = at;
    loop {
        let length = usize::from(*file.get(at).ok_or_else(truncated)?);
        at += 1 + length;
        if length == 0 {
            return Ok(at);
        }
    }
}
