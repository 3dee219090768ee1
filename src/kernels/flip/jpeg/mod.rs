//! JPEG: on the bitstream where that is possible, luma alone where only that is, through samples where not.

mod baseline;
mod bits;
mod decode;
mod fdct;
pub mod frame;
mod huffman;
pub mod lossless;
pub mod metadata;
mod mirrored;
pub mod mpf;
pub mod photoshop;
pub mod pixels;
pub mod segments;
mod source;
pub mod trailer;

use super::exif::Subject;
use super::limits::PixelBudget;
use super::options::{Direction, Exact, Flipped, Format, Lossless, Options};
use super::orientation::Orientation;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use frame::Frame;
use metadata::Picture;

/// Flips a JPEG file as people see it.
///
/// # Errors
/// As [`flip`](super::flip).
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let layout = segments::parse(file)?;
    let frame = Frame::read(&layout)?;
    if frame.height == 0 {
        return Err(Error::ImageUnsupported("JPEG that tells its height behind the picture (DNL)".into()));
    }
    let (width, height) = (frame.width.into(), frame.height.into());
    PixelBudget::new(options.max_pixels).take(width, height)?;
    let orientation = metadata::orientation(&layout);
    let direction = Orientation::from_tag(orientation.unwrap_or(1)).stored(options.direction);
    let subject = Subject { width, height, direction };
    let picture = Picture { subject, orientation, seen: options.direction };
    let mut inner = Inner::new(width, height, control);
    let metadata = metadata::build(file, &layout, &picture, &mut |bytes, way| inner.flip(bytes, way), control)?;
    let work = Work { file, layout: &layout, frame: &frame, direction, options, control };
    let (mut bytes, exact) = work.run(&metadata.segments, &metadata.trailer)?;
    metadata.finish(&mut bytes);
    Ok(Flipped { bytes, format: Format::Jpeg, width, height, exact })
}

/// One picture to flip along its stored axes.
struct Work<'a> {
    file: &'a [u8],
    layout: &'a segments::Layout<'a>,
    frame: &'a Frame,
    direction: Direction,
    options: &'a Options,
    control: &'a Control,
}

impl Work<'_> {
    /// The flipped file and how much of it is exact.
    fn run(&self, metadata: &[u8], trailer: &[u8]) -> Result<(Vec<u8>, Exact)> {
        if self.options.lossless != Lossless::Never {
            match lossless::flip(self.file, self.direction, metadata, trailer, self.control) {
                Err(Error::NotLossless(_)) if self.options.lossless == Lossless::Auto => {}
                result => return result.map(|bytes| (bytes, Exact::All)),
            }
            match lossless::flip_partly(self.file, self.direction, metadata, trailer, self.control) {
                Err(Error::NotLossless(_)) => {}
                result => return result.map(|bytes| (bytes, Exact::Part)),
            }
        }
        let job = pixels::Job {
            file: self.file,
            layout: self.layout,
            frame: self.frame,
            direction: self.direction,
            quality: self.options.quality,
            metadata,
            trailer,
        };
        pixels::flip(&job, self.control).map(|bytes| (bytes, Exact::Nothing))
    }
}

/// Flips the pictures inside a file, of any format: thumbnails, previews, gain maps.
pub struct Inner<'a> {
    budget: PixelBudget,
    control: &'a Control,
}

impl<'a> Inner<'a> {
    /// For a file whose picture has `width` x `height` pixels: all pictures inside it together may have twice as many,
    /// and a million more, so that a small file cannot make much work.
    pub fn new(width: u32, height: u32, control: &'a Control) -> Self {
        Self { budget: PixelBudget::new(u64::from(width) * u64::from(height) * 2 + (1 << 20)), control }
    }

    /// Flips a JPEG along its stored axes, without loss where possible. `None` for what is no JPEG this package can
    /// flip. Pictures inside *this* one are dropped.
    ///
    /// # Errors
    /// `Aborted`.
    pub fn flip(&mut self, file: &[u8], direction: Direction) -> Result<Option<Vec<u8>>> {
        match self.try_flip(file, direction) {
            Err(Error::Aborted) => Err(Error::Aborted),
            result => Ok(result.ok()),
        }
    }

    fn try_flip(&mut self, file: &[u8], direction: Direction) -> Result<Vec<u8>> {
        let layout = segments::parse(file)?;
        let frame = Frame::read(&layout)?;
        let (width, height) = (frame.width.into(), frame.height.into());
        self.budget.take(width, height)?;
        let subject = Subject { width, height, direction };
        // Its direction is settled: no orientation stands between what is stored and what is seen any more.
        let picture = Picture { subject, orientation: None, seen: direction };
        let metadata = metadata::build(file, &layout, &picture, &mut |_, _| Ok(None), self.control)?;
        let options = Options::default();
        let work = Work { file, layout: &layout, frame: &frame, direction, options: &options, control: self.control };
        let (mut bytes, _) = work.run(&metadata.segments, &metadata.trailer)?;
        metadata.finish(&mut bytes);
        Ok(bytes)
    }
}
