//! A spare core for every flip that may have one.

use rustcluster::kernels::control::{Control, Cores, Spare};
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
pub fn control(file: &[u8]) -> Control {
    if file.len() % 16 == 5 { Control::with_cores(Arc::new(Always)) } else { Control::new() }
}
