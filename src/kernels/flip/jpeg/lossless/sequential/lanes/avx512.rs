//! The walk itself, with AVX-512: every lane takes a step at a time, whatever symbol it is at.

use super::super::super::lookup::SIZE;
use super::entry::{FIELDS, K_BIAS, KEPT};
use super::state::{GROUPS, Lanes, Nodes, Stop};
use super::{LOG_ROOM, STEPS};
use std::arch::x86_64::*;

/// How far ahead of a lane its bytes are fetched.
const AHEAD: usize = 256;

/// Whether the CPU can.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
}

/// Walks on until a lane needs help or the log might not hold another round; see [`super::walk`].
pub(super) fn walk(
    lanes: &mut Lanes,
    nodes: &Nodes,
    negated: u64,
    steps: &[u64],
    code: &mut [u8],
    log: &mut [u64; LOG_ROOM],
) -> Stop {
    assert!(is_available() && code.len() >= 16);
    let reach = |node: &u64| (*node & !(SIZE as u64 - 1)) <= (steps.len() - SIZE) as u64;
    assert!(lanes.node.iter().flatten().all(reach) && nodes.next.iter().all(reach));
    let within = |base: &u64| *base <= code.len() as u64 - 16;
    assert!(lanes.base.iter().flatten().all(within));
    // SAFETY: the CPU has all that the function is compiled for, and what it asks of the lengths was just looked at.
    unsafe { run(lanes, nodes, negated, steps, code, log) }
}

/// Eight lanes, one to each 64-bit element; see [`Lanes`] for the fields.
#[derive(Clone, Copy)]
struct Group {
    next: __m512i,
    word: __m512i,
    ahead: __m512i,
    base: __m512i,
    bits: __m512i,
    state: __m512i,
    /// Which bits of `word` the steps since the last refill complement, turned right by [`TURNED`].
    complement: __m512i,
    node: __m512i,
    limit: __m512i,
    /// Lanes before a DC difference.
    at_dc: u8,
}

/// How far the value bits of a step, brought together, stand to the right of where they are when nothing is used.
const TURNED: i32 = 38;

/// What stays the same.
struct Constants {
    /// Bit k + 6 for zigzag position k.
    negated: __m512i,
    /// By node: the one behind it.
    next: [__m512i; 2],
    /// The last byte of the code that eight bytes with eight more behind them begin at.
    last: __m512i,
    steps: *const i64,
    code: *mut u8,
    /// Eight bytes on.
    ahead: *const i64,
}

macro_rules! splat {
    ($value:expr) => {
        _mm512_set1_epi64($value)
    };
}

/// # Safety
/// Sixteen bytes of code behind each lane's base; the tables that lanes and nodes name lie within `steps`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
unsafe fn run(
    lanes: &mut Lanes,
    nodes: &Nodes,
    negated: u64,
    steps: &[u64],
    code: &mut [u8],
    log: &mut [u64; LOG_ROOM],
) -> Stop {
    let constants = Constants {
        negated: splat!(negated.reverse_bits().rotate_left(6) as i64),
        next: [load(&nodes.next, 0), load(&nodes.next, 8)],
        last: splat!(code.len() as i64 - 16),
        steps: steps.as_ptr().cast(),
        code: code.as_mut_ptr(),
        ahead: code.as_mut_ptr().wrapping_add(8).cast(),
    };
    let mut groups: [Group; GROUPS] = std::array::from_fn(|g| Group {
        next: load(&lanes.next[g], 0),
        word: load(&lanes.word[g], 0),
        ahead: load(&lanes.ahead[g], 0),
        base: load(&lanes.base[g], 0),
        bits: load(&lanes.bits[g], 0),
        state: load(&lanes.state[g], 0),
        complement: _mm512_setzero_si512(),
        node: load(&lanes.node[g], 0),
        limit: load(&lanes.limit[g], 0),
        at_dc: _mm512_cmplt_epu64_mask(load(&lanes.state[g], 0), splat!(((K_BIAS + 1) << 32) as i64)),
    });
    let mut stop = Stop::default();
    'rounds: for round in 0..STEPS / 3 {
        for group in &mut groups {
            refill(group, &constants, round);
        }
        for _ in 0..3 {
            let mut help = 0;
            for (g, group) in groups.iter_mut().enumerate() {
                let (slow, done, marks, count) = step(group, &constants);
                let room = log[stop.logged..].first_chunk_mut::<8>().expect("LOG_ROOM is enough for STEPS");
                store(room, marks);
                stop.logged += count;
                (stop.slow[g], stop.done[g]) = (slow, done);
                help |= slow | done;
            }
            if help != 0 {
                break 'rounds;
            }
        }
    }
    for (g, group) in groups.iter().enumerate() {
        store(&mut lanes.next[g], group.next);
        store(&mut lanes.word[g], complemented(group));
        store(&mut lanes.ahead[g], group.ahead);
        store(&mut lanes.base[g], group.base);
        store(&mut lanes.bits[g], group.bits);
        store(&mut lanes.state[g], group.state);
        store(&mut lanes.node[g], group.node);
    }
    stop
}

/// The word, complemented as far as its lane has walked.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn complemented(group: &Group) -> __m512i {
    _mm512_xor_si512(group.word, _mm512_rol_epi64::<TURNED>(group.complement))
}

/// Writes what is complemented so far and goes on by whole bytes, so that 57 bits are ready.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn refill(group: &mut Group, constants: &Constants, round: usize) {
    let word = complemented(group);
    group.complement = _mm512_setzero_si512();
    let (mut words, mut bases) = ([0; 8], [0; 8]);
    store(&mut words, swap(word));
    store(&mut bases, group.base);
    for (word, base) in words.into_iter().zip(bases) {
        let to = constants.code.wrapping_add(base as usize);
        // SAFETY: bases are kept at 16 bytes or more before the end of the code.
        unsafe { to.cast::<u64>().write_unaligned(word) };
    }
    // Each lane once in eight rounds, which is less than a line: none but the CPU's second cache knows so many streams.
    let next = constants.code.wrapping_add(bases[round % 8] as usize + AHEAD);
    _mm_prefetch::<_MM_HINT_T0>(next.cast_const().cast());
    let whole = _mm512_and_si512(group.state, splat!(0x38));
    group.word = _mm512_shldv_epi64(word, group.ahead, whole);
    group.bits = _mm512_add_epi64(group.bits, whole);
    group.state = _mm512_sub_epi64(group.state, whole);
    // No lane comes near the end of the code. Were there a fault in the logic above, it would stay there.
    let base = _mm512_maskz_srli_epi32::<3>(0x5555, group.bits);
    group.base = _mm512_min_epu32(base, constants.last);
    // SAFETY: eight bytes at 8 behind a base lie within the code.
    let ahead = unsafe { _mm512_i64gather_epi64::<1>(group.base, constants.ahead) };
    group.ahead = swap(ahead);
    // No more than seven are used now. What comes round again lies behind the 57.
    group.next = _mm512_rolv_epi64(group.word, group.state);
}

/// Takes a step. Returns which lanes stand before a symbol that steps do not know, which are at their limit, and the
/// ends of blocks that were reached, as many as told last.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn step(group: &mut Group, constants: &Constants) -> (u8, u8, __m512i, usize) {
    /// The bytes that hold how many bits are used, and the zigzag position.
    const COUNTS: __mmask64 = 0x1111_1111_1111_1111;
    let index = _mm512_srli_epi64::<53>(group.next);
    // (node & !2047) | index
    let index = _mm512_ternarylogic_epi64::<0b1110_1100>(group.node, index, splat!(!(SIZE as i64 - 1)));
    // SAFETY: eleven bits behind the start of a table lie within it.
    let mut taken = unsafe { _mm512_i64gather_epi64::<8>(index, constants.steps) };
    let mut state = _mm512_mask_add_epi8(group.state, COUNTS, group.state, taken);
    let slow = _mm512_testn_epi64_mask(state, splat!((KEPT << 32) as i64));
    let mut end = _mm512_cmpge_epu64_mask(state, splat!(((K_BIAS + 64) << 32) as i64));
    let mut turn = end | group.at_dc;
    group.at_dc = end;
    if slow != 0 {
        taken = _mm512_maskz_mov_epi64(!slow, taken);
        state = _mm512_mask_mov_epi64(state, slow, group.state);
        end &= !slow;
        turn &= !slow;
    }

    // The position to the last byte of either half, where the step says how far behind it each coefficient stands.
    let k = _mm512_shuffle_epi8(group.state, _mm512_set4_epi32(0x0CFF_FFFF, 0x0CFF_FFFF, 0x04FF_FFFF, 0x04FF_FFFF));
    // Eight bits of `negated` from each byte's position on, of which the top bit of each half counts: spread, it is all
    // ones where the coefficient is negated.
    let negated = _mm512_multishift_epi64_epi8(_mm512_add_epi8(taken, k), constants.negated);
    let negated = _mm512_srai_epi32::<31>(negated);
    let halves = _mm512_ternarylogic_epi64::<0b1000_0000>(negated, taken, splat!(FIELDS as i64));
    let swapped = _mm512_shuffle_epi32::<0b10_11_00_01>(halves);
    // (halves | swapped) & the lower field
    let both = _mm512_ternarylogic_epi64::<0b1010_1000>(halves, swapped, splat!((FIELDS & 0xFFFF_FFFF) as i64));
    // Rotations heed six bits.
    group.complement = _mm512_or_si512(group.complement, _mm512_rorv_epi64(both, group.state));
    group.next = _mm512_rolv_epi64(group.next, taken);

    // (state & 0xFF) | position 0
    let begin = splat!((K_BIAS << 32) as i64);
    group.state = _mm512_mask_ternarylogic_epi64::<0b1110_1100>(state, end, begin, splat!(0xFF));
    let mark = _mm512_add_epi64(group.bits, group.state);
    let done = _mm512_mask_cmpge_epu64_mask(end, mark, group.limit);
    group.node = _mm512_mask2_permutex2var_epi64(constants.next[0], group.node, turn, constants.next[1]);
    (slow, done, _mm512_maskz_compress_epi64(end, mark), end.count_ones() as usize)
}

/// Turns the bytes of each lane round.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn swap(lanes: __m512i) -> __m512i {
    let order = _mm512_set4_epi32(0x0809_0A0B, 0x0C0D_0E0F, 0x0001_0203, 0x0405_0607);
    _mm512_shuffle_epi8(lanes, order)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(from: &[u64], at: usize) -> __m512i {
    let from: &[u64; 8] = from[at..].first_chunk().expect("eight lanes");
    // SAFETY: the array is as long as the load.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(to: &mut [u64; 8], lanes: __m512i) {
    // SAFETY: the array is as long as the store.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), lanes) };
}
