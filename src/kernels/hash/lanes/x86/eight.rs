//! What the kernels of eight lanes share: loading and transposing blocks in 256-bit registers (AVX2).

use super::scalar::Ahead;
use crate::kernels::hash::constants::Block;
use crate::kernels::hash::lanes::{Inputs, States};
use std::arch::x86_64::*;

/// Lanes in a 256-bit register.
pub(super) const LANES: usize = 8;

/// What a backend of eight lanes offers: a kernel, and an engine for one stream where the CPU has BMI2 beside it.
///
/// In scope must be what [`rounds`](super::rounds) asks for, and `compress_stream`, which runs a stream's blocks with the
/// schedules of eight of them computed ahead in lanes. A macro for the reason given there.
macro_rules! eight_lanes {
    ($backend:expr, $features:literal) => {
        /// The kernel, where the CPU has what it needs.
        pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
            $backend.is_available().then_some(Kernel::new(LANES, run))
        }

        fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
            // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features.
            unsafe { compress(states, inputs, blocks) }
        }

        #[target_feature(enable = $features)]
        fn compress(states: &mut States, inputs: &Inputs, blocks: usize) {
            let mut state = load_state(states);
            for block in 0..blocks {
                let mut w = load(blocks_at(inputs, block));
                state = compress_block!(state, w);
            }
            store_state(states, state);
        }

        /// The engine for one stream, where the CPU has what it needs: eight blocks' schedules ahead in lanes, the rounds
        /// in the integer unit.
        pub(in crate::kernels::hash) fn stream() -> Option<Compress> {
            let available = $backend.is_available() && scalar::is_available();
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
    };
}

pub(super) use eight_lanes;

/// The first eight lanes of the state, one vector for each word.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_state(states: &States) -> [__m256i; 8] {
    let mut vectors = [_mm256_setzero_si256(); 8];
    for (vector, row) in vectors.iter_mut().zip(&states.0) {
        // SAFETY: a row is 16 words, twice what the load reads.
        *vector = unsafe { _mm256_loadu_si256(row.as_ptr().cast()) };
    }
    vectors
}

/// Puts the first eight lanes of the state back; the other lanes stay.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_state(states: &mut States, vectors: [__m256i; 8]) {
    for (vector, row) in vectors.iter().zip(&mut states.0) {
        // SAFETY: a row is 16 words, twice what the store writes.
        unsafe { _mm256_storeu_si256(row.as_mut_ptr().cast(), *vector) };
    }
}

/// Writes the first eight columns of a row.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_row(ahead: &mut Ahead, row: usize, vector: __m256i) {
    // SAFETY: a row is 16 words, twice what the store writes.
    unsafe { _mm256_storeu_si256(ahead.0[row].as_mut_ptr().cast(), vector) };
}

/// Block `block` of each of the first eight lanes.
#[inline]
pub(super) fn blocks_at<'a>(inputs: &Inputs<'a>, block: usize) -> [&'a Block; LANES] {
    std::array::from_fn(|lane| &inputs[lane][block])
}

/// Eight blocks, transposed: vector t holds word t of all of them, in the CPU's byte order.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::kernels::hash) fn load(blocks: [&Block; LANES]) -> [__m256i; 16] {
    let mut words = [_mm256_setzero_si256(); 16];
    let [low, high] = [0, 32].map(|offset| transpose(half(blocks, offset)));
    words[..8].copy_from_slice(&low);
    words[8..].copy_from_slice(&high);
    words
}

/// The eight words from byte `offset` of each block, byte-swapped. `offset` is 0 or 32.
#[inline]
#[target_feature(enable = "avx2")]
fn half(blocks: [&Block; LANES], offset: usize) -> [__m256i; 8] {
    let swap = _mm256_set_epi32(
        0x0c0d_0e0f,
        0x0809_0a0b,
        0x0405_0607,
        0x0001_0203,
        0x0c0d_0e0f,
        0x0809_0a0b,
        0x0405_0607,
        0x0001_0203,
    );
    blocks.map(|block| {
        let bytes = &block[offset..offset + 32];
        // SAFETY: the slice is 32 bytes, as many as the load reads, which asks for no alignment.
        _mm256_shuffle_epi8(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }, swap)
    })
}

/// Transposes 8 x 8 words.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    let mut quads = [_mm256_setzero_si256(); 8];
    for i in 0..2 {
        let [r0, r1, r2, r3] = [rows[4 * i], rows[4 * i + 1], rows[4 * i + 2], rows[4 * i + 3]];
        let low01 = _mm256_unpacklo_epi32(r0, r1);
        let high01 = _mm256_unpackhi_epi32(r0, r1);
        let low23 = _mm256_unpacklo_epi32(r2, r3);
        let high23 = _mm256_unpackhi_epi32(r2, r3);
        quads[4 * i] = _mm256_unpacklo_epi64(low01, low23);
        quads[4 * i + 1] = _mm256_unpackhi_epi64(low01, low23);
        quads[4 * i + 2] = _mm256_unpacklo_epi64(high01, high23);
        quads[4 * i + 3] = _mm256_unpackhi_epi64(high01, high23);
    }
    let mut words = [_mm256_setzero_si256(); 8];
    for j in 0..4 {
        // Half q of quads[4 i + j] holds word 4 q + j of lanes 4 i to 4 i + 3.
        words[j] = _mm256_permute2x128_si256::<0x20>(quads[j], quads[4 + j]);
        words[4 + j] = _mm256_permute2x128_si256::<0x31>(quads[j], quads[4 + j]);
    }
    words
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(x: __m256i, y: __m256i) -> __m256i {
    _mm256_add_epi32(x, y)
}
