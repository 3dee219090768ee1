//! Hostile bytes through the parser of the lossless flip, one direction a run: no panic, no endless loop, no overflow.
#![no_main]

mod cores;

use libfuzzer_sys::fuzz_target;
use rustcluster::error::Error;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;

fuzz_target!(|file: &[u8]| {
    let direction = match file.len() % 3 {
        0 => Direction::Vertical,
        1 => Direction::Horizontal,
        _ => Direction::Both,
    };
    if let Err(Error::NotLossless(_)) = lossless::flip(file, direction, &[], &[], &cores::control(file)) {
        let _ = lossless::flip_partly(file, direction, &[], &[], &cores::control(file));
    }
});
