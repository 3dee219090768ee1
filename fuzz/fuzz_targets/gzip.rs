//! gzip at every level, of the input as it is and repeated: gunzip gives it back, and little is added to what cannot shrink.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustcluster::kernels::control::Control;
use rustcluster::kernels::gzip::{Level, gunzip, gzip};

fuzz_target!(|input: &[u8]| {
    let Some((&first, data)) = input.split_first() else { return };
    // The level with an encoder of our own most of the time.
    let level = Level::new(if first < 64 { first % 13 } else { 6 }).expect("within the levels");
    // Some are longer than the window, and than what positions are counted to.
    let data = data.repeat(if first % 32 == 7 { 70_000 / data.len().max(1) + 1 } else { 1 });
    let packed = gzip(&data, level, &Control::new()).expect("anything can be compressed");
    let back = gunzip(&packed, data.len() as u64, &Control::new()).expect("what comes out can be read");
    assert!(back == data, "level {level:?}: other bytes come back");
    let blocks = data.len() / 1000 + 2;
    assert!(packed.len() <= data.len() + 32 * blocks, "level {level:?}: {} bytes become {}", data.len(), packed.len());
});
