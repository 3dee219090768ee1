//! AVX-512: 16 messages at once, one to each 32-bit element of a 512-bit register.

use super::rounds::{compress_block, expand, round, sixteen_rounds};
use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::K;
use crate::kernels::hash::lanes::{Inputs, Kernel, States};
use std::arch::x86_64::*;

const LANES: usize = 16;

/// The kernel, where the CPU has AVX-512F and AVX-512BW.
pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
    Backend::Avx512.is_available().then_some(Kernel::new(LANES, run))
}

fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
    // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features.
    unsafe { compress(states, inputs, blocks) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compress(states: &mut States, inputs: &Inputs, blocks: usize) {
    let rows = &mut states.0;
    let mut state: [__m512i; 8] = [_mm512_setzero_si512(); 8];
    for (vector, row) in state.iter_mut().zip(rows.iter()) {
        // SAFETY: a row is 16 words, as many bytes as the load reads.
        *vector = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
    }
    for block in 0..blocks {
        let mut w = load(inputs, block);
        state = compress_block!(state, w);
    }
    for (vector, row) in state.iter().zip(rows.iter_mut()) {
        // SAFETY: a row is 16 words, as many bytes as the store writes.
        unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), *vector) };
    }
}

/// Block `block` of every lane, transposed: vector t holds word t of all lanes, in the CPU's byte order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(inputs: &Inputs, block: usize) -> [__m512i; 16] {
    let swap = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    let mut rows = [_mm512_setzero_si512(); LANES];
    for (row, input) in rows.iter_mut().zip(inputs) {
        // SAFETY: a block is 64 bytes, as many as the load reads, which asks for no alignment.
        let bytes = unsafe { _mm512_loadu_si512(input[block].as_ptr().cast()) };
        *row = _mm512_shuffle_epi8(bytes, swap);
    }
    transpose(rows)
}

/// Transposes 16 x 16 words: first 4 x 4 inside each quarter of the registers, then the quarters themselves.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let mut quads = [_mm512_setzero_si512(); 16];
    for i in 0..4 {
        let [r0, r1, r2, r3] = [rows[4 * i], rows[4 * i + 1], rows[4 * i + 2], rows[4 * i + 3]];
        let low01 = _mm512_unpacklo_epi32(r0, r1);
        let high01 = _mm512_unpackhi_epi32(r0, r1);
        let low23 = _mm512_unpacklo_epi32(r2, r3);
        let high23 = _mm512_unpackhi_epi32(r2, r3);
        quads[4 * i] = _mm512_unpacklo_epi64(low01, low23);
        quads[4 * i + 1] = _mm512_unpackhi_epi64(low01, low23);
        quads[4 * i + 2] = _mm512_unpacklo_epi64(high01, high23);
        quads[4 * i + 3] = _mm512_unpackhi_epi64(high01, high23);
    }
    let mut words = [_mm512_setzero_si512(); 16];
    for j in 0..4 {
        // Quarter q of quads[4 i + j] holds word 4 q + j of lanes 4 i to 4 i + 3.
        let even01 = _mm512_shuffle_i32x4::<0b10_00_10_00>(quads[j], quads[4 + j]);
        let odd01 = _mm512_shuffle_i32x4::<0b11_01_11_01>(quads[j], quads[4 + j]);
        let even23 = _mm512_shuffle_i32x4::<0b10_00_10_00>(quads[8 + j], quads[12 + j]);
        let odd23 = _mm512_shuffle_i32x4::<0b11_01_11_01>(quads[8 + j], quads[12 + j]);
        words[j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(even01, even23);
        words[8 + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(even01, even23);
        words[4 + j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(odd01, odd23);
        words[12 + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(odd01, odd23);
    }
    words
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(x: __m512i, y: __m512i) -> __m512i {
    _mm512_add_epi32(x, y)
}

/// Exclusive or of three: truth table 0x96.
#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn choose(e: __m512i, f: __m512i, g: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xca>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum0(a: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<2>(a), _mm512_ror_epi32::<13>(a), _mm512_ror_epi32::<22>(a))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum1(e: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<6>(e), _mm512_ror_epi32::<11>(e), _mm512_ror_epi32::<25>(e))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sigma0(w: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<7>(w), _mm512_ror_epi32::<18>(w), _mm512_srli_epi32::<3>(w))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sigma1(w: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<17>(w), _mm512_ror_epi32::<19>(w), _mm512_srli_epi32::<10>(w))
}
