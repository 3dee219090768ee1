//! The whole lossless flip: what it takes for a JPEG comes out with exactly the right coefficients, and flips back. Where
//! only some components line up, those do.
#![no_main]

#[path = "../../test/support/jpeg_coefficients.rs"]
mod coefficients;
mod cores;

use libfuzzer_sys::fuzz_target;
use rustcluster::error::Error;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;

fuzz_target!(|file: &[u8]| {
    for direction in [Direction::Vertical, Direction::Horizontal, Direction::Both] {
        let flip = |file: &[u8]| lossless::flip(file, direction, &[], &[], &cores::control(file));
        let Ok(flipped) = flip(file) else {
            partly(file, direction);
            continue;
        };
        let before = coefficients::read(file).expect("what is flipped can be read");
        let after = coefficients::read(&flipped).expect("what comes out can be read");
        let (rows, columns) = (direction != Direction::Horizontal, direction != Direction::Vertical);
        assert!(coefficients::mirror(&before, rows, columns) == after, "{direction:?}: wrong coefficients");
        let back = flip(&flipped).expect("what comes out can be flipped");
        assert!(coefficients::read(&back).as_ref() == Some(&before), "{direction:?}: twice is not the source");
    }
});

/// Flips what has components that do not line up.
fn partly(file: &[u8], direction: Direction) {
    let flip = |file: &[u8]| lossless::flip_partly(file, direction, &[], &[], &cores::control(file));
    let Ok(flipped) = flip(file) else { return };
    let before = coefficients::read(file).expect("what is flipped can be read");
    let after = coefficients::read(&flipped).expect("what comes out can be read");
    let (rows, columns) = (direction != Direction::Horizontal, direction != Direction::Vertical);
    let mirrored = coefficients::mirror(&before, rows, columns);
    let most = |factor: fn(&coefficients::Plane) -> u32| before.planes.iter().map(factor).max().unwrap_or(1);
    let (h_max, v_max) = (most(|plane| plane.h), most(|plane| plane.v));
    let mut exact = 0;
    for (new, expected) in after.planes.iter().zip(&mirrored.planes) {
        let width = (before.width * new.h).div_ceil(h_max);
        let height = (before.height * new.v).div_ceil(v_max);
        if (rows && height % 8 > 0) || (columns && width % 8 > 0) {
            continue;
        }
        assert!(new == expected, "{direction:?}: component {} is not exact", new.id);
        exact += 1;
    }
    assert!(exact > 0, "{direction:?}: nothing is exact");
    // Rounding makes other symbols of chroma than were there, for which two tables shared by three components may have
    // neither codes nor room.
    match flip(&flipped) {
        Ok(_) | Err(Error::NotLossless(_)) => {}
        Err(error) => panic!("what comes out can be read: {error}"),
    }
}
