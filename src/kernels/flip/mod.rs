//! Mirrors an image: what people see is flipped, whatever the file says about orientation.

pub mod file;
pub mod jpeg;
pub mod options;

pub use options::{Direction, Flipped, Format, Lossless, Options};

use crate::error::{Error, Result};
use crate::kernels::control::Control;

/// Flips an encoded image and returns it in the same format.
///
/// # Errors
/// `ImageUnsupported` for bytes that are no image this package reads, `ImageCorrupt` for truncated or broken ones,
/// `ImageTooLarge` when the header announces more than `options.max_pixels`, `NotLossless` under
/// [`Lossless::Require`], `Aborted` once `control` was aborted.
pub fn flip(input: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let _ = (input, options, control);
    Err(Error::ImageUnsupported("not built yet".into()))
}
