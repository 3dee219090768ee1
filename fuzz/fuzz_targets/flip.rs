//! The whole lossless flip: what it takes for a JPEG comes out with exactly the right coefficients, and flips back.
#![no_main]

#[path = "../../test/support/jpeg_coefficients.rs"]
mod coefficients;

use libfuzzer_sys::fuzz_target;
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;

fuzz_target!(|file: &[u8]| {
    for direction in [Direction::Vertical, Direction::Horizontal, Direction::Both] {
        let flip = |file: &[u8]| lossless::flip(file, direction, &[], &[], &Control::new());
        let Ok(flipped) = flip(file) else { continue };
        let before = coefficients::read(file).expect("what is flipped can be read");
        let after = coefficients::read(&flipped).expect("what comes out can be read");
        let (rows, columns) = (direction != Direction::Horizontal, direction != Direction::Vertical);
        assert!(coefficients::mirror(&before, rows, columns) == after, "{direction:?}: wrong coefficients");
        let back = flip(&flipped).expect("what comes out can be flipped");
        assert!(coefficients::read(&back).as_ref() == Some(&before), "{direction:?}: twice is not the source");
    }
});
