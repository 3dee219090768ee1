//! The walk itself, with AVX-512: every lane takes a step at a time, whatever symbol it is at.

use super::super::super::lookup::SIZE;
use super::state::{GROUPS, Lanes, Nodes, Stop};
use super::{LOG_ROOM, STEPS};
use std::arch::x86_64::*;

/// How far ahead of a lane its bytes are fetched.
const AHEAD: usize = 256;

/// Whether the CPU can.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
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
    let reach = |offset: &u64| *offset <= (steps.len() - SIZE) as u64;
    assert!(lanes.table.iter().flatten().all(reach) && nodes.table.iter().all(reach));
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
    /// The lowest six bits of that.
    used: __m512i,
    complement: __m512i,
    table: __m512i,
    node: __m512i,
    limit: __m512i,
}

/// What stays the same.
struct Constants {
    negated: __m512i,
    /// By node: the one behind it, and the steps of that.
    next: [__m512i; 2],
    table: [__m512i; 2],
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
/// Sixteen bytes of code at least; the tables that lanes and nodes name lie within `steps`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi2,popcnt")]
unsafe fn run(
    lanes: &mut Lanes,
    nodes: &Nodes,
    negated: u64,
    steps: &[u64],
    code: &mut [u8],
    log: &mut [u64; LOG_ROOM],
) -> Stop {
    let constants = Constants {
        negated: splat!(negated as i64),
        next: [load(&nodes.next, 0), load(&nodes.next, 8)],
        table: [load(&nodes.behind, 0), load(&nodes.behind, 8)],
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
        used: _mm512_and_si512(load(&lanes.state[g], 0), splat!(63)),
        complement: load(&lanes.complement[g], 0),
        table: load(&lanes.table[g], 0),
        node: load(&lanes.node[g], 0),
        limit: load(&lanes.limit[g], 0),
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
        store(&mut lanes.word[g], group.word);
        store(&mut lanes.ahead[g], group.ahead);
        store(&mut lanes.base[g], group.base);
        store(&mut lanes.bits[g], group.bits);
        store(&mut lanes.state[g], group.state);
        store(&mut lanes.complement[g], group.complement);
        store(&mut lanes.table[g], group.table);
        store(&mut lanes.node[g], group.node);
    }
    stop
}

/// Writes what is complemented so far and goes on by whole bytes, so that 57 bits are ready.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi2,popcnt")]
fn refill(group: &mut Group, constants: &Constants, round: usize) {
    let bytes = swap(_mm512_xor_si512(group.word, group.complement));
    let (mut words, mut bases) = ([0; 8], [0; 8]);
    store(&mut words, bytes);
    store(&mut bases, group.base);
    for (word, base) in words.into_iter().zip(bases) {
        let to = constants.code.wrapping_add(base as usize);
        // SAFETY: bases are kept at 16 bytes or more before the end of the code.
        unsafe { to.cast::<u64>().write_unaligned(word) };
    }
    // Each lane once in eight rounds, which is less than a line: none but the CPU's second cache knows so many streams.
    let next = constants.code.wrapping_add(bases[round % 8] as usize + AHEAD);
    _mm_prefetch::<_MM_HINT_T0>(next.cast_const().cast());
    let whole = _mm512_and_si512(group.used, splat!(0x38));
    group.complement = _mm512_sllv_epi64(group.complement, whole);
    // A shift by 64 leaves nothing.
    let from_ahead = _mm512_srlv_epi64(group.ahead, _mm512_sub_epi64(splat!(64), whole));
    group.word = _mm512_or_si512(_mm512_sllv_epi64(group.word, whole), from_ahead);
    group.bits = _mm512_add_epi64(group.bits, whole);
    group.state = _mm512_sub_epi64(group.state, whole);
    group.used = _mm512_sub_epi64(group.used, whole);
    // No lane comes near the end of the code. Were there a fault in the logic above, it would stay there.
    group.base = _mm512_min_epu64(_mm512_add_epi64(group.base, _mm512_srli_epi64::<3>(whole)), constants.last);
    // SAFETY: eight bytes at 8 behind a base lie within the code.
    let ahead = unsafe { _mm512_i64gather_epi64::<1>(group.base, constants.ahead) };
    group.ahead = swap(ahead);
    // No more than seven are used now. What comes round again lies behind the 57.
    group.next = _mm512_rolv_epi64(group.word, group.state);
}

/// Takes a step. Returns which lanes stand before a symbol that steps do not know, which are at their limit, and the
/// ends of blocks that were reached, as many as told last.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi2,popcnt")]
fn step(group: &mut Group, constants: &Constants) -> (u8, u8, __m512i, usize) {
    /// The lowest 16 bits of each lane.
    const LOW: __mmask32 = 0x1111_1111;
    let index = _mm512_add_epi64(_mm512_srli_epi64::<53>(group.next), group.table);
    // SAFETY: eleven bits behind the start of a table lie within it.
    let mut taken = unsafe { _mm512_i64gather_epi64::<8>(index, constants.steps) };
    let mut state = _mm512_mask_add_epi16(group.state, LOW, group.state, taken);
    let k = _mm512_and_si512(state, splat!(0xFF00));
    let special = _mm512_cmpge_epu64_mask(state, splat!(64 << 8));
    // 64 is a block without EOB, 128 to 191 one with EOB. What else is above 63 reaches into the next block, or is no
    // step.
    let whole = _mm512_cmpeq_epi64_mask(k, splat!(64 << 8));
    let with_eob = _mm512_cmplt_epu64_mask(_mm512_sub_epi64(state, splat!(128 << 8)), splat!(64 << 8));
    let end = whole | with_eob;
    let slow = special & !end;
    if slow != 0 {
        taken = _mm512_maskz_mov_epi64(!slow, taken);
        state = _mm512_mask_mov_epi64(state, slow, group.state);
    }
    let after_dc = _mm512_cmpeq_epi64_mask(k, splat!(1 << 8));

    // An arithmetic shift spreads the top bit: all ones where the coefficient is negated. Rotations heed six bits.
    let negated = _mm512_rolv_epi64(constants.negated, _mm512_srli_epi64::<8>(group.state));
    let first = _mm512_srai_epi64::<63>(_mm512_rolv_epi64(negated, _mm512_srli_epi64::<16>(taken)));
    let second = _mm512_srai_epi64::<63>(_mm512_rolv_epi64(negated, _mm512_srli_epi64::<22>(taken)));
    let second = _mm512_and_si512(second, _mm512_slli_epi64::<18>(taken));
    // (first & taken) | second
    let both = _mm512_ternarylogic_epi64::<0b1111_1000>(second, first, taken);
    let top = _mm512_and_si512(both, splat!(!0 << 46));
    group.complement = _mm512_or_si512(group.complement, _mm512_srlv_epi64(top, group.used));
    group.next = _mm512_rolv_epi64(group.next, taken);
    group.used = _mm512_and_si512(state, splat!(63));

    let mark = _mm512_add_epi64(group.bits, group.used);
    let done = _mm512_mask_cmpge_epu64_mask(end, mark, group.limit);
    let turn = end | after_dc;
    let table = _mm512_permutex2var_epi64(constants.table[0], group.node, constants.table[1]);
    group.table = _mm512_mask_mov_epi64(group.table, turn, table);
    group.node = _mm512_mask2_permutex2var_epi64(constants.next[0], group.node, turn, constants.next[1]);
    group.state = _mm512_mask_and_epi64(state, end, state, splat!(0xFF));
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
