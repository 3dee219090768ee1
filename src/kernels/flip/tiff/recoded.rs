//! TIFF codings that cannot be written back where they lie (fax, JPEG): decoded and stored anew by the `image` crate.

use super::super::limits::PixelBudget;
use super::super::options::{Direction, Exact, Flipped, Format, Options};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use image::codecs::tiff::{TiffDecoder, TiffEncoder};
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, Limits};
use std::io::Cursor;

/// Decodes the one page of `file`, flips it as people see it, and writes it uncompressed. The ICC profile is kept; the
/// orientation is applied to the picture, and other tags, which speak of the coding that is gone, are not carried over.
///
/// # Errors
/// `ImageUnsupported` for what the decoder does not read, `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let mut decoder = TiffDecoder::new(Cursor::new(file)).map_err(read)?;
    let (width, height) = decoder.dimensions();
    PixelBudget::new(options.max_pixels).take(width, height)?;
    // 16 bytes a pixel is the widest the decoder knows; the pixels themselves were judged above.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(options.max_pixels.saturating_mul(16));
    decoder.set_limits(limits).map_err(read)?;
    let profile = decoder.icc_profile().map_err(read)?;
    let orientation = decoder.orientation().map_err(read)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(read)?;
    control.check()?;

    picture.apply_orientation(orientation);
    if options.direction != Direction::Horizontal {
        image::imageops::flip_vertical_in_place(&mut picture);
    }
    control.check()?;
    if options.direction != Direction::Vertical {
        image::imageops::flip_horizontal_in_place(&mut picture);
    }
    control.check()?;

    let mut bytes = Vec::new();
    let mut encoder = TiffEncoder::new(Cursor::new(&mut bytes));
    if let Some(profile) = profile {
        // An encoder without room for a profile loses a colour space: better said than done.
        encoder.set_icc_profile(profile).map_err(|error| Error::ImageUnsupported(format!("TIFF: {error}")))?;
    }
    picture.write_with_encoder(encoder).map_err(|error| Error::ImageUnsupported(format!("TIFF: {error}")))?;
    let (width, height) = (picture.width(), picture.height());
    Ok(Flipped { bytes, format: Format::Tiff, width, height, exact: Exact::All })
}

fn read(error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(what) => Error::ImageUnsupported(format!("TIFF: {what}")),
        ImageError::Limits(what) => Error::ImageTooLarge(format!("TIFF: {what}")),
        other => Error::ImageCorrupt(format!("TIFF: {other}")),
    }
}
