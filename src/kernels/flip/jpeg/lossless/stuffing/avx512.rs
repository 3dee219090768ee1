//! Zeros behind 0xFF put in and taken out with AVX-512: 64 bytes at a time are spread out or pushed together.

use std::arch::x86_64::*;

/// Bytes in a register.
const WIDTH: usize = 64;

/// How far ahead of what is read the file is fetched: the walk over it waits for memory and nothing else.
const AHEAD: usize = 1024;

/// Whether the CPU can.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt")
}

/// Appends `bytes` and a zero behind each 0xFF; returns how many it took, all but fewer than 64.
pub(super) fn stuff(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    // Each byte may become two; what is written last may reach as far beyond them as a register and a byte.
    if !is_available() || out.capacity() - out.len() < 2 * bytes.len() + WIDTH + 1 {
        return 0;
    }
    // SAFETY: the CPU has all that the function is compiled for.
    unsafe { spread(bytes, out) }
}

/// Appends what `bytes` begins with, without the zero behind each 0xFF, until `room` bytes or up to 63 more are
/// appended, or a 0xFF with something else behind it, or the end of `bytes`, is less than 65 bytes away; returns how
/// many it took.
pub(super) fn unstuff(bytes: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
    if !is_available() || bytes.len() <= WIDTH || room == 0 {
        return 0;
    }
    let room = room.min(bytes.len());
    out.reserve(room + WIDTH);
    // SAFETY: the CPU has all that the function is compiled for.
    unsafe { compress(bytes, room, out) }
}

/// As [`stuff`]; panics where `out` has not room for `2 * bytes.len() + WIDTH + 1` bytes more.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn spread(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let (chunks, _) = bytes.as_chunks::<WIDTH>();
    let mut length = 0;
    let to = out.spare_capacity_mut();
    for chunk in chunks {
        let lanes = load(chunk);
        let found = _mm512_cmpeq_epi8_mask(lanes, _mm512_set1_epi8(-1));
        if found & found.wrapping_sub(1) != 0 {
            // Two or more.
            for &byte in chunk {
                to[length].write(byte);
                to[length + 1].write(0);
                length += 1 + usize::from(byte == 0xFF);
            }
            continue;
        }
        // With none, or with one at the end, no zero comes between.
        let spread = _mm512_maskz_expand_epi8(!(found << 1), lanes);
        let place = to[length..length + WIDTH + 1].as_mut_ptr().cast::<u8>();
        // SAFETY: the slice is as long as the store and a byte more.
        unsafe { _mm512_storeu_si512(place.cast(), spread) };
        let last = if found >> 63 != 0 { 0 } else { chunk[WIDTH - 1] };
        to[length + WIDTH].write(last);
        length += WIDTH + usize::from(found != 0);
    }
    // SAFETY: every byte up to there was written, and `to`'s bounds were looked at.
    unsafe { out.set_len(out.len() + length) };
    chunks.len() * WIDTH
}

/// As [`unstuff`]; panics where `out` has not room for `room + WIDTH` bytes more.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn compress(bytes: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
    let (mut taken, mut length) = (0, 0);
    // The last byte was 0xFF, so the next is its zero.
    let mut zero_first = 0;
    let to = out.spare_capacity_mut();
    while length < room {
        let Some(chunk) = bytes.get(taken..).and_then(<[u8]>::first_chunk::<{ WIDTH + 1 }>) else { break };
        _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().wrapping_add(taken + AHEAD).cast());
        let lanes = load(chunk[..WIDTH].first_chunk().expect("as long"));
        let behind = load(chunk[1..].first_chunk().expect("as long"));
        let found = _mm512_cmpeq_epi8_mask(lanes, _mm512_set1_epi8(-1));
        if found & _mm512_test_epi8_mask(behind, behind) != 0 {
            break;
        }
        let zeros = found << 1 | zero_first;
        zero_first = found >> 63;
        let code = _mm512_maskz_compress_epi8(!zeros, lanes);
        let place = to[length..length + WIDTH].as_mut_ptr();
        // SAFETY: the slice is as long as the store.
        unsafe { _mm512_storeu_si512(place.cast(), code) };
        length += WIDTH - zeros.count_ones() as usize;
        taken += WIDTH;
    }
    // SAFETY: every byte up to there was written, and `to`'s bounds were looked at.
    unsafe { out.set_len(out.len() + length) };
    taken + zero_first as usize
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(from: &[u8; WIDTH]) -> __m512i {
    // SAFETY: the array is as long as the load.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}
