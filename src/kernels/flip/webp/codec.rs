//! Decodes, mirrors and encodes one picture of a WebP file.

use super::corrupt;
use super::riff::{self, Chunk};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::bytes::Endian::Little;
use crate::kernels::flip::mirror::{Raster, mirror};
use crate::kernels::flip::options::Direction;
use image_webp::{ColorType, WebPDecoder, WebPEncoder};
use std::io::Cursor;

/// A coded picture: VP8L, or VP8 with or without an alpha plane.
#[derive(Debug, Clone, Copy)]
pub struct Bitstream<'a> {
    alpha: Option<&'a [u8]>,
    picture: Chunk<'a>,
    /// Width in pixels, by the bitstream's own header.
    pub width: u32,
    /// Height in pixels, by the bitstream's own header.
    pub height: u32,
}

impl<'a> Bitstream<'a> {
    /// The picture among the chunks of a still file or of an animation's frame.
    ///
    /// # Errors
    /// `ImageCorrupt` when there is none or its header is broken.
    pub fn find(chunks: &[Chunk<'a>]) -> Result<Self> {
        let is_picture = |chunk: &&Chunk<'a>| matches!(&chunk.name, b"VP8 " | b"VP8L");
        let picture = *chunks.iter().find(is_picture).ok_or_else(|| corrupt("no picture"))?;
        let alpha = chunks.iter().find(|chunk| &chunk.name == b"ALPH").map(|chunk| chunk.data);
        let size = if &picture.name == b"VP8L" {
            // RFC 9649, section 3.4: a signature byte, then two sizes of 14 bits, each less one.
            Little.u32(picture.data, 1).map(|bits| ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        } else {
            // RFC 6386, section 9.1: frame tag and start code, then two sizes of 14 bits below two bits of scaling.
            let size = |at| Little.u16(picture.data, at).map(|value| u32::from(value & 0x3FFF));
            size(6).zip(size(8))
        };
        let (width, height) = size.ok_or_else(|| corrupt("picture header"))?;
        let alpha = alpha.filter(|_| &picture.name == b"VP8 ");
        Ok(Self { alpha, picture, width, height })
    }

    /// The picture as a file of its own.
    fn file(&self) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
        if let Some(alpha) = self.alpha {
            let mut header = vec![0x10, 0, 0, 0];
            header.extend_from_slice(&(self.width - 1).to_le_bytes()[..3]);
            header.extend_from_slice(&(self.height - 1).to_le_bytes()[..3]);
            riff::push(&mut out, b"VP8X", &header);
            riff::push(&mut out, b"ALPH", alpha);
        }
        riff::push(&mut out, &self.picture.name, self.picture.data);
        let length = out.len() as u32 - 8;
        out[4..8].copy_from_slice(&length.to_le_bytes());
        out
    }
}

/// Decodes a picture, whose size the caller has checked, and returns the VP8L data of its mirror image.
///
/// # Errors
/// `ImageCorrupt`, `Aborted`.
pub fn flip(picture: &Bitstream<'_>, direction: Direction, control: &Control) -> Result<Vec<u8>> {
    control.check()?;
    if picture.width == 0 || picture.height == 0 {
        return Err(corrupt("a picture without pixels"));
    }
    let mut decoder = WebPDecoder::new(Cursor::new(picture.file())).map_err(broken)?;
    let length = decoder.output_buffer_size().unwrap_or(usize::MAX);
    if decoder.dimensions() != (picture.width, picture.height) || length > isize::MAX as usize {
        return Err(corrupt("picture header"));
    }
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(broken)?;
    control.check()?;
    let has_alpha = decoder.has_alpha();
    flip_pixels(&mut pixels, (picture.width, picture.height), has_alpha, direction, control)
}

/// Mirrors RGB or RGBA pixels and returns the VP8L data.
///
/// # Errors
/// `Aborted`.
pub fn flip_pixels(
    pixels: &mut [u8],
    (width, height): (u32, u32),
    has_alpha: bool,
    direction: Direction,
    control: &Control,
) -> Result<Vec<u8>> {
    let (color, size) = if has_alpha { (ColorType::Rgba8, 4) } else { (ColorType::Rgb8, 3) };
    let raster = Raster { width: width as usize, rows: height as usize, stride: width as usize * size, bits: size * 8 };
    mirror(pixels, raster, direction, control)?;
    let mut file = Vec::new();
    let internal = |error| Error::Internal(format!("WebP encoder: {error}"));
    WebPEncoder::new(&mut file).encode(pixels, width, height, color).map_err(internal)?;
    control.check()?;
    let chunks = riff::parse(&file)?;
    Ok(chunks.first().map(|chunk| chunk.data.to_vec()).unwrap_or_default())
}

/// The decoder's error as ours.
pub fn broken(error: image_webp::DecodingError) -> Error {
    match error {
        image_webp::DecodingError::UnsupportedFeature(what) => Error::ImageUnsupported(format!("WebP with {what}")),
        error => corrupt(&error.to_string()),
    }
}
