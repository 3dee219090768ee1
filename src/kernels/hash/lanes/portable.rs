//! One lane in plain Rust, so that what schedules lanes works on every CPU.

use super::{Inputs, Kernel, States};
use crate::kernels::hash::portable;

/// The kernel.
pub(in crate::kernels::hash) const KERNEL: Kernel = Kernel::new(1, compress);

fn compress(states: &mut States, inputs: &Inputs, blocks: usize) {
    let mut state = states.get(0);
    portable::compress(&mut state, &inputs[0][..blocks]);
    states.set(0, &state);
}
