//! AVX2: 8 messages at once, one to each 32-bit element of a 256-bit register.

use super::eight::{LANES, add, blocks_at, eight_lanes, load, load_state, splat, store_row, store_state};
use super::rounds::{compress_block, expand, round, schedule_block, sixteen_rounds};
use super::scalar::{self, Ahead};
use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{Block, K, State};
use crate::kernels::hash::engine::Compress;
use crate::kernels::hash::lanes::{Inputs, Kernel, States};
use crate::kernels::hash::portable;
use std::arch::x86_64::*;

eight_lanes!(Backend::Avx2, "avx2");

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
