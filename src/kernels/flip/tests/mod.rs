//! The whole flip, judged by decoders that had no part in it.

mod bmp;
mod gif;
mod hostile;
mod jpeg;
mod jpeg_metadata;
pub(super) mod pictures;
mod png;
mod tiff;
mod webp;

use super::{Direction, Flipped, Lossless, Options, flip};
use crate::error::Result;
use crate::kernels::control::Control;

const DIRECTIONS: [Direction; 3] = [Direction::Vertical, Direction::Horizontal, Direction::Both];

/// Options with a direction.
fn towards(direction: Direction) -> Options {
    Options { direction, ..Options::default() }
}

/// A flip nobody aborts.
fn run(file: &[u8], options: &Options) -> Result<Flipped> {
    flip(file, options, &Control::new())
}

/// The mirror image of pixels of `size` bytes, written out the slow way.
fn expected(pixels: &[u8], width: usize, size: usize, direction: Direction) -> Vec<u8> {
    let height = pixels.len() / width / size;
    let at = |x: usize, y: usize| &pixels[(y * width + x) * size..][..size];
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        for x in 0..width {
            let x = if direction == Direction::Vertical { x } else { width - 1 - x };
            let y = if direction == Direction::Horizontal { y } else { height - 1 - y };
            out.extend_from_slice(at(x, y));
        }
    }
    out
}

#[test]
fn an_aborted_job_stops_in_every_format() {
    let control = Control::new();
    control.abort();
    for (name, file) in pictures::one_of_each() {
        let result = flip(&file, &Options::default(), &control);
        assert!(matches!(result, Err(crate::error::Error::Aborted)), "{name}");
    }
}

#[test]
fn progress_counts_the_input() {
    let (_, file) = pictures::one_of_each().remove(1);
    let control = Control::new();
    flip(&file, &Options::default(), &control).unwrap();
    assert_eq!(control.done(), file.len() as u64);
}

#[test]
fn the_limit_holds_in_every_format() {
    for (name, file) in pictures::one_of_each() {
        let options = Options { max_pixels: 10, ..Options::default() };
        assert!(matches!(run(&file, &options), Err(crate::error::Error::ImageTooLarge(_))), "{name}");
    }
}

#[test]
fn formats_without_loss_satisfy_require() {
    for (name, file) in pictures::one_of_each().into_iter().filter(|(name, _)| !name.starts_with("jpeg")) {
        let options = Options { lossless: Lossless::Require, ..Options::default() };
        assert!(run(&file, &options).unwrap().exact.is_lossless(), "{name}");
    }
}
