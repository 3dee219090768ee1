//! flip and flipFile.

use super::failure::Failure;
use super::jobs::{Input, Jobs, Output, unknown};
use crate::error::Result;
use crate::kernels::flip::{self, Direction, Format, Lossless, Options};
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::path::PathBuf;

/// Options of a flip, every one set: JavaScript has filled in the defaults.
#[napi(object)]
pub struct FlipOptions {
    /// `vertical`, `horizontal` or `both`.
    pub direction: String,
    /// `auto`, `require` or `never`.
    pub lossless: String,
    /// JPEG quality, 1 to 100; absent keeps the source's quantisation tables.
    pub quality: Option<u8>,
    /// The most pixels a header may announce; a double, since it may pass 32 bits.
    pub max_pixels: f64,
}

/// What `flipFile` tells about the file it wrote.
#[napi(object)]
pub struct FlipInfo {
    /// `jpeg`, `png`, `webp`, `gif`, `bmp` or `tiff`.
    pub format: String,
    /// Stored width in pixels.
    pub width: u32,
    /// Stored height in pixels.
    pub height: u32,
    /// Whether no sample value was lost.
    pub lossless: bool,
    /// `all`, `part` (a JPEG's luma, chroma having been coded anew) or `none`: what came through exactly.
    pub exact: String,
    /// Size of the file read.
    pub bytes_in: f64,
    /// Size of the file written.
    pub bytes_out: f64,
}

impl FlipOptions {
    fn parse(self) -> Result<Options> {
        let direction = match self.direction.as_str() {
            "vertical" => Direction::Vertical,
            "horizontal" => Direction::Horizontal,
            "both" => Direction::Both,
            other => return Err(unknown("direction", other)),
        };
        let lossless = match self.lossless.as_str() {
            "auto" => Lossless::Auto,
            "require" => Lossless::Require,
            "never" => Lossless::Never,
            other => return Err(unknown("lossless", other)),
        };
        Ok(Options { direction, lossless, quality: self.quality, max_pixels: self.max_pixels as u64 })
    }
}

#[napi]
impl Jobs {
    /// Flips an encoded image; ends with a Buffer.
    #[napi(catch_unwind)]
    pub fn flip(
        &mut self,
        env: Env,
        id: u32,
        input: Uint8Array,
        options: FlipOptions,
    ) -> napi::Result<Option<Failure>> {
        let options = match options.parse() {
            Ok(options) => options,
            Err(error) => return Ok(Some(error.into())),
        };
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            let flipped = flip::flip(input.as_slice(), &options, control)?;
            let is_jpeg = matches!(flipped.format, Format::Jpeg);
            Ok(if is_jpeg { Output::Flipped(flipped.bytes) } else { Output::Bytes(flipped.bytes) })
        })
    }

    /// Flips the file at `source` into `destination`; ends with a `FlipInfo`.
    #[napi(catch_unwind)]
    pub fn flip_file(
        &mut self,
        env: Env,
        id: u32,
        source: String,
        destination: String,
        options: FlipOptions,
    ) -> napi::Result<Option<Failure>> {
        let options = match options.parse() {
            Ok(options) => options,
            Err(error) => return Ok(Some(error.into())),
        };
        let (source, destination) = (PathBuf::from(source), PathBuf::from(destination));
        self.submit(&env, id, Vec::new(), move |control| {
            let written = flip::file::flip(&source, &destination, &options, control)?;
            Ok(Output::Flip(FlipInfo {
                format: written.format.as_str().to_owned(),
                width: written.width,
                height: written.height,
                lossless: written.exact.is_lossless(),
                exact: written.exact.as_str().to_owned(),
                bytes_in: written.bytes_in as f64,
                bytes_out: written.bytes_out as f64,
            }))
        })
    }
}
