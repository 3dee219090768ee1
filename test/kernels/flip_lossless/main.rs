//! The lossless flip, judged by coefficients: nothing but what mirroring changes may change.

#[path = "../../support/jpeg_coefficients.rs"]
mod coefficients;
mod findings;
mod hostile;
mod jpegtran;
mod large;
mod make;
mod oddities;
mod properties;
mod refusals;
mod shifted;
mod two_threads;

use rustcluster::error::Result;
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;

/// The three ways to mirror.
const DIRECTIONS: [Direction; 3] = [Direction::Vertical, Direction::Horizontal, Direction::Both];

/// Flips, keeping JFIF and Adobe segments as they tell decoders the colour model.
fn flip(file: &[u8], direction: Direction) -> Result<Vec<u8>> {
    lossless::flip(file, direction, &app_segments(file), &[], &Control::new())
}

/// The APPn segments that a file begins with.
fn app_segments(file: &[u8]) -> Vec<u8> {
    let mut at = 2;
    while let Some(&[0xFF, 0xE0..=0xEF, high, low]) = file.get(at..at + 4) {
        at += 2 + (usize::from(high) << 8 | usize::from(low));
    }
    file.get(2..at).unwrap_or_default().to_vec()
}

/// Flips, and asserts that exactly the right coefficients have changed and the file has hardly grown.
fn flip_checked(file: &[u8], direction: Direction, what: &str) -> Vec<u8> {
    let flipped = flip(file, direction).unwrap_or_else(|error| panic!("{what} {direction:?}: {error}"));
    let before = coefficients::read(file).unwrap_or_else(|| panic!("{what}: the judge cannot read the source"));
    let after = coefficients::read(&flipped).unwrap_or_else(|| panic!("{what} {direction:?}: unreadable output"));
    let expected = coefficients::mirror(&before, direction != Direction::Horizontal, direction != Direction::Vertical);
    assert!(expected == after, "{what} {direction:?}: wrong coefficients");
    // A scan's table may have to be defined anew, which shows in the tiniest files only.
    let scans = file.windows(2).filter(|pair| *pair == [0xFF, 0xDA]).count();
    let limit = file.len() + file.len() / 50 + 40 * scans;
    assert!(flipped.len() <= limit, "{what} {direction:?}: {} bytes of {} flipped", flipped.len(), file.len());
    flipped
}
