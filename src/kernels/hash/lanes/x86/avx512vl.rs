//! AVX-512VL: 8 messages at once in 256-bit registers, which draw less power than 512-bit ones: no clock drop.

use super::eight::{LANES, add, blocks_at, eight_lanes, load, load_state, splat, store_row, store_state};
use super::interleaved;
use super::rounds::{compress_block, expand, round, schedule_block, sixteen_rounds};
use super::scalar::{self, Ahead, COLUMNS};
use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{Block, K, State};
use crate::kernels::hash::engine::Compress;
use crate::kernels::hash::lanes::{Inputs, Kernel, States};
use crate::kernels::hash::portable;
use std::arch::x86_64::*;

eight_lanes!(Backend::Avx512vl, "avx2,avx512f,avx512vl");

#[target_feature(enable = "avx2,avx512f,avx512vl,bmi2")]
fn compress_stream(state: &mut State, blocks: &[Block]) {
    let (groups, rest) = blocks.as_chunks::<COLUMNS>();
    match groups {
        [] => {}
        [group] => compress_few(state, group),
        groups => compress_groups(state, groups),
    }
    if !rest.is_empty() {
        compress_few(state, rest);
    }
}

/// Compresses eight blocks at a time, with the schedule of the next eight in the gaps of their rounds.
#[target_feature(enable = "avx2,avx512f,avx512vl,bmi2")]
fn compress_groups(state: &mut State, groups: &[[Block; COLUMNS]]) {
    let [current, next] = &mut [Ahead::new(), Ahead::new()];
    let (mut current, mut next) = (current, next);
    for (index, group) in groups.iter().enumerate() {
        let words = load(group.each_ref());
        if index == 0 {
            schedule(words, next);
        } else {
            for (row, words) in words.into_iter().enumerate() {
                store_row(next, row, words);
            }
            interleaved::rounds(state, current, next);
        }
        std::mem::swap(&mut current, &mut next);
    }
    scalar::rounds(state, current, COLUMNS);
}

/// Compresses one to eight blocks.
#[target_feature(enable = "avx2,avx512f,avx512vl,bmi2")]
fn compress_few(state: &mut State, blocks: &[Block]) {
    let mut ahead = Ahead::new();
    schedule(load(std::array::from_fn(|column| blocks.get(column).unwrap_or(&blocks[0]))), &mut ahead);
    scalar::rounds(state, &ahead, blocks.len());
}

/// The whole schedules of eight blocks from their transposed words.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn schedule(mut w: [__m256i; 16], ahead: &mut Ahead) {
    schedule_block!(w, |row, vector| store_row(ahead, row, vector));
}

/// Exclusive or of three: truth table 0x96.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn xor3(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
    _mm256_ternarylogic_epi32::<0x96>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    _mm256_ternarylogic_epi32::<0xca>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn sum0(a: __m256i) -> __m256i {
    xor3(_mm256_ror_epi32::<2>(a), _mm256_ror_epi32::<13>(a), _mm256_ror_epi32::<22>(a))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn sum1(e: __m256i) -> __m256i {
    xor3(_mm256_ror_epi32::<6>(e), _mm256_ror_epi32::<11>(e), _mm256_ror_epi32::<25>(e))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn sigma0(w: __m256i) -> __m256i {
    xor3(_mm256_ror_epi32::<7>(w), _mm256_ror_epi32::<18>(w), _mm256_srli_epi32::<3>(w))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn sigma1(w: __m256i) -> __m256i {
    xor3(_mm256_ror_epi32::<17>(w), _mm256_ror_epi32::<19>(w), _mm256_srli_epi32::<10>(w))
}
