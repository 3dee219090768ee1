//! Flips a JPEG without decoding it to pixels: nothing is lost.

use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::options::Direction;

/// Mirrors the stored picture of a JPEG file without loss.
///
/// `file` is the whole input, SOI first. `direction` is along the *stored* axes (the caller has already turned what
/// people see into what is stored, by the EXIF orientation). `metadata` holds the APPn and COM segments of the output,
/// markers included, ready to stand behind SOI: the caller decides what is kept. `trailer` is written behind EOI.
///
/// # Errors
/// `NotLossless` (with the reason) when this file has to go through pixels, `ImageCorrupt`, `ImageUnsupported`,
/// `Aborted`.
pub fn flip(file: &[u8], direction: Direction, metadata: &[u8], trailer: &[u8], control: &Control) -> Result<Vec<u8>> {
    let _ = (file, direction, metadata, trailer, control);
    Err(Error::NotLossless("not built yet".into()))
}
