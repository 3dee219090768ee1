//! WebP: the coded pictures are rewritten without loss (VP8L), the other chunks are kept.
//!
//! No Rust codec writes lossy WebP (VP8). A lossy picture becomes a lossless one of exactly the pixels it decodes to:
//! nothing more is lost, but the file grows, typically five- to tenfold.

mod animation;
mod codec;
mod riff;

use super::exif::{self, Subject};
use super::jpeg::Inner;
use super::limits::PixelBudget;
use super::options::{Direction, Exact, Flipped, Format, Options};
use super::orientation::Orientation;
use super::xmp;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use codec::Bitstream;
use riff::Chunk;

/// Flips a still or animated WebP.
///
/// # Errors
/// `ImageCorrupt`, `ImageUnsupported`, `ImageTooLarge` (all frames of an animation together), `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let chunks = riff::parse(file)?;
    let extended = chunks.first().filter(|chunk| &chunk.name == b"VP8X").map(|chunk| chunk.data);
    let is_animated = extended.is_some_and(|data| data.first().is_some_and(|flags| flags & ANIMATED != 0));
    let still = if is_animated { None } else { Some(Bitstream::find(&chunks)?) };
    let (width, height) = match (extended, &still) {
        (Some(data), _) => riff::u24(data, 4).zip(riff::u24(data, 7)).map(|(width, height)| (width + 1, height + 1)),
        (None, Some(still)) => Some((still.width, still.height)),
        (None, None) => None,
    }
    .ok_or_else(|| corrupt("header"))?;
    if still.as_ref().is_some_and(|still| (still.width, still.height) != (width, height)) {
        return Err(corrupt("canvas and picture differ in size"));
    }
    let exif = chunks.iter().find(|chunk| &chunk.name == b"EXIF").map(|chunk| exif_block(chunk.data));
    let orientation = exif.and_then(exif::orientation).unwrap_or(1);
    let direction = Orientation::from_tag(orientation).stored(options.direction);
    let subject = Subject { width, height, direction };
    let budget = PixelBudget::new(options.max_pixels);
    let pictures = match still {
        Some(still) => {
            let mut budget = budget;
            budget.take(width, height)?;
            vec![codec::flip(&still, direction, control)?]
        }
        None => animation::flip(file, &chunks, subject, budget, control)?,
    };
    let bytes = assemble(&chunks, pictures, subject, options.direction, control)?;
    Ok(Flipped { bytes, format: Format::WebP, width, height, exact: Exact::All })
}

const ANIMATED: u8 = 0x02;

fn corrupt(what: &str) -> Error {
    Error::ImageCorrupt(format!("WebP: {what}"))
}

/// Some writers put the signature of JPEG's segment in front of the block.
fn exif_block(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"Exif\0\0").unwrap_or(data)
}

/// The chunks of the file with its pictures, in order, replaced by `pictures`: VP8L data, or for an animation the
/// data of ANMF chunks.
fn assemble(
    chunks: &[Chunk<'_>],
    pictures: Vec<Vec<u8>>,
    subject: Subject,
    seen: Direction,
    control: &Control,
) -> Result<Vec<u8>> {
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    let mut pictures = pictures.into_iter();
    for chunk in chunks {
        match &chunk.name {
            b"VP8 " | b"VP8L" => {
                pictures.next().into_iter().for_each(|picture| riff::push(&mut out, b"VP8L", &picture))
            }
            b"ANMF" => pictures.next().into_iter().for_each(|frame| riff::push(&mut out, b"ANMF", &frame)),
            b"ALPH" => {}
            b"EXIF" => {
                let mut block = exif_block(chunk.data).to_vec();
                let mut inner = Inner::new(subject.width, subject.height, control);
                exif::flip(&mut block, subject, usize::MAX, &mut |thumbnail, own| {
                    inner.flip(thumbnail, own.map_or(subject.direction, |own| Orientation::from_tag(own).stored(seen)))
                })?;
                riff::push(&mut out, b"EXIF", &block);
            }
            b"XMP " => {
                // A packet that cannot be corrected is emptied: the header has announced it.
                let packet = std::str::from_utf8(chunk.data).ok();
                let packet = packet.and_then(|packet| xmp::without(packet, &xmp::FALSE_AFTER_FLIP)).unwrap_or_default();
                riff::push(&mut out, b"XMP ", packet.as_bytes());
            }
            _ => riff::push(&mut out, &chunk.name, chunk.data),
        }
    }
    let length = u32::try_from(out.len() - 8).map_err(|_| Error::ImageTooLarge("WebP of more than 4 GiB".into()))?;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}
