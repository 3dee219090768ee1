//! What fuzzing has found, so that it stays found.

use super::{DIRECTIONS, coefficients};
use rustcluster::error::Error;
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;
use std::path::Path;

#[test]
fn findings_of_the_fuzzers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/kernels/flip_lossless/findings");
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let file = std::fs::read(&path).expect("readable");
        let name = path.display();
        for direction in DIRECTIONS {
            let flip = |file: &[u8]| lossless::flip(file, direction, &[], &[], &Control::new());
            let Ok(flipped) = flip(&file) else {
                partly(&file, direction, &name.to_string());
                continue;
            };
            let before = coefficients::read(&file).unwrap_or_else(|| panic!("{name}: unreadable"));
            let after = coefficients::read(&flipped).unwrap_or_else(|| panic!("{name}: unreadable output"));
            let (rows, columns) = (direction != Direction::Horizontal, direction != Direction::Vertical);
            assert!(coefficients::mirror(&before, rows, columns) == after, "{name} {direction:?}: wrong coefficients");
            let back = flip(&flipped).unwrap_or_else(|error| panic!("{name} {direction:?}: back: {error}"));
            assert!(coefficients::read(&back).as_ref() == Some(&before), "{name} {direction:?}: not the source");
        }
    }
}

/// Where only some components line up: what comes out can be read, and flips again or says why it does not.
fn partly(file: &[u8], direction: Direction, name: &str) {
    let flip = |file: &[u8]| lossless::flip_partly(file, direction, &[], &[], &Control::new());
    let Ok(flipped) = flip(file) else { return };
    assert!(coefficients::read(&flipped).is_some(), "{name} {direction:?}: unreadable output");
    let again = flip(&flipped);
    assert!(matches!(again, Ok(_) | Err(Error::NotLossless(_))), "{name} {direction:?}: {again:?}");
}
