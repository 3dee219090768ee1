//! The SHA extensions: one stream, or two messages interleaved.
//!
//! `sha256rnds2` takes four cycles but a new one can start every other cycle: two messages at once fill the gap.

use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{Block, K, State};
use crate::kernels::hash::engine::Compress;
use crate::kernels::hash::lanes::{Inputs, Kernel, States};
use std::arch::x86_64::*;

/// How far ahead of the block at hand one stream asks for memory: the hardware's own look-ahead ends at a page.
const AHEAD: usize = 32;

/// The kernel of two lanes, where the CPU has the SHA extensions.
pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
    Backend::ShaNi.is_available().then_some(Kernel::new(2, run))
}

/// The engine for one stream, where the CPU has the SHA extensions.
pub(in crate::kernels::hash) fn stream() -> Option<Compress> {
    Backend::ShaNi.is_available().then_some(run_stream)
}

fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
    let mut pair = [states.get(0), states.get(1)];
    // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features.
    unsafe { compress(&mut pair, [&inputs[0][..blocks], &inputs[1][..blocks]]) };
    states.set(0, &pair[0]);
    states.set(1, &pair[1]);
}

fn run_stream(state: &mut State, blocks: &[Block]) {
    let mut single = [*state];
    // SAFETY: `run_stream` is handed out only where the CPU has these features.
    unsafe { compress(&mut single, [blocks]) };
    [*state] = single;
}

/// Compresses `N` messages of equally many blocks.
#[inline]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn compress<const N: usize>(states: &mut [State; N], blocks: [&[Block]; N]) {
    let swap = _mm_set_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    let count = blocks[0].len();
    let mut packed = [[_mm_setzero_si128(); 2]; N];
    for n in 0..N {
        packed[n] = pack(&states[n]);
    }
    for block in 0..count {
        let before = packed;
        let mut w = [[_mm_setzero_si128(); 4]; N];
        for n in 0..N {
            if N == 1 {
                let ahead = blocks[n].as_ptr().wrapping_add(block + AHEAD);
                // A prefetch never faults, also past the end.
                _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
            }
            for (vector, bytes) in w[n].iter_mut().zip(blocks[n][block].as_chunks::<16>().0) {
                // SAFETY: the chunk is 16 bytes, as many as the load reads, which asks for no alignment.
                *vector = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, swap);
            }
        }
        for four in 0..16 {
            for n in 0..N {
                rounds(&mut packed[n], w[n][four % 4], four);
                if four < 12 {
                    let [w0, w1, w2, w3] = std::array::from_fn(|i| w[n][(four + i) % 4]);
                    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
                    w[n][four % 4] = _mm_sha256msg2_epu32(sum, w3);
                }
            }
        }
        for n in 0..N {
            packed[n] = [_mm_add_epi32(packed[n][0], before[n][0]), _mm_add_epi32(packed[n][1], before[n][1])];
        }
    }
    for n in 0..N {
        states[n] = unpack(packed[n]);
    }
}

/// Rounds 4 `four` to 4 `four` + 3, with their schedule words `w`.
#[inline]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn rounds(state: &mut [__m128i; 2], w: __m128i, four: usize) {
    // SAFETY: `four` is below 16, so the 16 bytes lie within the 64 words of `K`; the load asks for no alignment.
    let constants = unsafe { _mm_loadu_si128(K[4 * four..4 * four + 4].as_ptr().cast()) };
    let wk = _mm_add_epi32(w, constants);
    let [abef, cdgh] = *state;
    let next = _mm_sha256rnds2_epu32(cdgh, abef, wk);
    *state = [_mm_sha256rnds2_epu32(abef, next, _mm_shuffle_epi32::<0x0e>(wk)), next];
}

/// The order the instructions want: a, b, e, f and c, d, g, h, from the highest word down.
#[inline]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn pack(state: &State) -> [__m128i; 2] {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    [_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h)]
}

#[inline]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn unpack([abef, cdgh]: [__m128i; 2]) -> State {
    [
        _mm_extract_epi32::<3>(abef),
        _mm_extract_epi32::<2>(abef),
        _mm_extract_epi32::<3>(cdgh),
        _mm_extract_epi32::<2>(cdgh),
        _mm_extract_epi32::<1>(abef),
        _mm_extract_epi32::<0>(abef),
        _mm_extract_epi32::<1>(cdgh),
        _mm_extract_epi32::<0>(cdgh),
    ]
    .map(i32::cast_unsigned)
}
