//! Hostile bytes through the parser of the lossless flip, one direction a run: no panic, no endless loop, no overflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustcluster::error::Error;
use rustcluster::kernels::control::{Control, Cores, Spare};
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;
use std::sync::Arc;

/// A core is always free.
struct Always;

impl Spare for Always {}

impl Cores for Always {
    fn spare(&self) -> Option<Box<dyn Spare + '_>> {
        Some(Box::new(Self))
    }
}

/// One file in sixteen may be walked over by two threads: starting those takes longer than all else.
fn control(file: &[u8]) -> Control {
    if file.len() % 16 == 5 { Control::with_cores(Arc::new(Always)) } else { Control::new() }
}

fuzz_target!(|file: &[u8]| {
    let direction = match file.len() % 3 {
        0 => Direction::Vertical,
        1 => Direction::Horizontal,
        _ => Direction::Both,
    };
    if let Err(Error::NotLossless(_)) = lossless::flip(file, direction, &[], &[], &control(file)) {
        let _ = lossless::flip_partly(file, direction, &[], &[], &control(file));
    }
});
