//! ARMv8's SHA2 instructions, two messages interleaved: `sha256h` takes four or five cycles, and another message's
//! can start meanwhile.

use super::{Inputs, Kernel, States};
use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{Block, K, State};
use std::arch::aarch64::*;

/// The kernel of two lanes, where the CPU has the SHA2 instructions.
pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
    Backend::Armv8.is_available().then_some(Kernel::new(2, run))
}

fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
    let mut pair = [states.get(0), states.get(1)];
    // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features.
    unsafe { compress(&mut pair, [&inputs[0][..blocks], &inputs[1][..blocks]]) };
    states.set(0, &pair[0]);
    states.set(1, &pair[1]);
}

/// Compresses two messages of equally many blocks.
#[target_feature(enable = "neon,sha2")]
fn compress(states: &mut [State; 2], blocks: [&[Block]; 2]) {
    let mut packed = [load_state(&states[0]), load_state(&states[1])];
    let [first, second] = blocks;
    for (first, second) in first.iter().zip(second) {
        let before = packed;
        let mut w = [load(first), load(second)];
        for four in 0..16 {
            for n in 0..2 {
                rounds(&mut packed[n], w[n][four % 4], four);
                if four < 12 {
                    let [w0, w1, w2, w3] = std::array::from_fn(|i| w[n][(four + i) % 4]);
                    w[n][four % 4] = vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
                }
            }
        }
        for n in 0..2 {
            packed[n] = [vaddq_u32(packed[n][0], before[n][0]), vaddq_u32(packed[n][1], before[n][1])];
        }
    }
    for n in 0..2 {
        // SAFETY: the state is eight words; each store writes four, the second from the fifth on.
        unsafe { vst1q_u32(states[n].as_mut_ptr(), packed[n][0]) };
        // SAFETY: as above.
        unsafe { vst1q_u32(states[n][4..].as_mut_ptr(), packed[n][1]) };
    }
}

/// Rounds 4 `four` to 4 `four` + 3, with their schedule words `w`. The state is a, b, c, d and e, f, g, h.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn rounds(state: &mut [uint32x4_t; 2], w: uint32x4_t, four: usize) {
    // SAFETY: the slice is four words, as many as the load reads.
    let constants = unsafe { vld1q_u32(K[4 * four..4 * four + 4].as_ptr()) };
    let wk = vaddq_u32(w, constants);
    let [abcd, efgh] = *state;
    *state = [vsha256hq_u32(abcd, efgh, wk), vsha256h2q_u32(efgh, abcd, wk)];
}

#[inline]
#[target_feature(enable = "neon")]
fn load_state(state: &State) -> [uint32x4_t; 2] {
    // SAFETY: the state is eight words; the load reads the first four.
    let abcd = unsafe { vld1q_u32(state.as_ptr()) };
    // SAFETY: the slice is four words, as many as the load reads.
    let efgh = unsafe { vld1q_u32(state[4..].as_ptr()) };
    [abcd, efgh]
}

/// The words of a block, in the CPU's byte order.
#[inline]
#[target_feature(enable = "neon")]
fn load(block: &Block) -> [uint32x4_t; 4] {
    std::array::from_fn(|i| {
        let bytes = &block[16 * i..16 * i + 16];
        // SAFETY: the slice is 16 bytes, as many as the load reads.
        vreinterpretq_u32_u8(vrev32q_u8(unsafe { vld1q_u8(bytes.as_ptr()) }))
    })
}
