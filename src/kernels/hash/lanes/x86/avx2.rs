//! AVX2: 8 messages at once, one to each 32-bit element of a 256-bit register.

use super::eight::{LANES, add, blocks_at, load, load_state, splat, store_row, store_state};
use super::rounds::{compress_block, expand, round, schedule_block, sixteen_rounds};
use super::scalar::{self, Ahead};
use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{Block, K, State};
use crate::kernels::hash::engine::Compress;
use crate::kernels::hash::lanes::{Inputs, Kernel, States};
use crate::kernels::hash::portable;
use std::arch::x86_64::*;

/// The kernel, where the CPU has AVX2.
pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
    Backend::Avx2.is_available().then_some(Kernel::new(LANES, run))
}

fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
    // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features.
    unsafe { compress(states, inputs, blocks) }
}

#[target_feature(enable = "avx2")]
fn compress(states: &mut States, inputs: &Inputs, blocks: usize) {
    let mut state = load_state(states);
    for block in 0..blocks {
        let mut w = load(blocks_at(inputs, block));
        state = compress_block!(state, w);
    }
    store_state(states, state);
}

/// The engine for one stream, where the CPU has BMI2 beside: eight blocks' schedules ahead in lanes, the rounds in the
/// integer unit.
pub(in crate::kernels::hash) fn stream() -> Option<Compress> {
    let available = Backend::Avx2.is_available() && scalar::is_available();
    available.then_some(run_stream)
}

fn run_stream(state: &mut State, blocks: &[Block]) {
    if let [block] = blocks {
        // Eight schedules for one block cost more than they save.
        return portable::compress(state, std::slice::from_ref(block));
    }
    // SAFETY: `run_stream` is handed out only where the CPU has these features.
    unsafe { compress_stream(state, blocks) }
}

#[target_feature(enable = "avx2,bmi2")]
fn compress_stream(state: &mut State, blocks: &[Block]) {
    let mut ahead = Ahead::new();
    for group in blocks.chunks(LANES) {
        let mut w = load(std::array::from_fn(|lane| group.get(lane).unwrap_or(&group[0])));
        schedule_block!(w, |row, vector| store_row(&mut ahead, row, vector));
        scalar::rounds(state, &ahead, group.len());
    }
}

/// Rotates right by `R`; `L` is 32 - `R`. AVX2 has no rotate.
#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const R: i32, const L: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_srli_epi32::<R>(x), _mm256_slli_epi32::<L>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(x, y), z)
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(f, g), e), g)
}

/// The exclusive or of neighbours that is needed here is also needed a round later, and the compiler sees that.
#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(b, c)), b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum0(a: __m256i) -> __m256i {
    xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum1(e: __m256i) -> __m256i {
    xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sigma0(w: __m256i) -> __m256i {
    xor3(rotate::<7, 25>(w), rotate::<18, 14>(w), _mm256_srli_epi32::<3>(w))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sigma1(w: __m256i) -> __m256i {
    xor3(rotate::<17, 15>(w), rotate::<19, 13>(w), _mm256_srli_epi32::<10>(w))
}
