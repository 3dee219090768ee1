//! What any inflater makes of the output, for input of every kind, cut anywhere.

use super::tables::MAX_LENGTH;
use super::*;
use proptest::prelude::*;
use zlib_rs::{Inflate, InflateFlush, Status};

fn deflated(deflater: &mut Deflater, data: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut start = 0;
    for &cut in cuts {
        deflater.deflate(&data[..cut], start, false, &mut out);
        start = cut;
    }
    deflater.deflate(data, start, true, &mut out);
    out
}

/// What libdeflate and zlib-rs, which know nothing of each other, read from a whole stream.
fn assert_inflates_to(stream: &[u8], data: &[u8]) {
    let mut out = vec![0; data.len() + 1];
    let length = libdeflater::Decompressor::new().deflate_decompress(stream, &mut out).expect("libdeflate reads it");
    assert!(out[..length] == *data, "libdeflate reads something else");
    let (mut inflate, mut out) = (Inflate::new(false, 15), vec![0; data.len() + 1]);
    let status = inflate.decompress(stream, &mut out, InflateFlush::Finish).expect("zlib-rs reads it");
    assert_eq!(status, Status::StreamEnd);
    assert_eq!((inflate.total_in(), inflate.total_out()), (stream.len() as u64, data.len() as u64));
    assert!(out[..data.len()] == *data, "zlib-rs reads something else");
}

fn whole(data: &[u8]) -> Vec<u8> {
    let out = deflated(&mut Deflater::new(), data, &[]);
    assert_inflates_to(&out, data);
    out
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Words, numbers and noise, in turns that are longer than the window.
fn mixed(length: usize) -> Vec<u8> {
    let noise = noise(length);
    let mut data = Vec::with_capacity(length + 64);
    while data.len() < length {
        let at = data.len();
        match at / 50_000 % 4 {
            0 => data.extend_from_slice(format!("line {} of {}\n", noise[at], at / 7).as_bytes()),
            1 => data.extend_from_slice(&(at as u64 * 3).to_le_bytes()),
            2 => data.push(noise[at]),
            _ => data.extend_from_slice(&noise[usize::from(noise[at])..][..usize::from(noise[at / 3] % 64)]),
        }
        data.push(b' ');
    }
    data.truncate(length);
    data
}

#[test]
fn inputs_of_every_small_length() {
    let data = mixed(120);
    for length in 0..data.len() {
        whole(&data[..length]);
        whole(&vec![b'x'; length]);
    }
}

#[test]
fn blocks_with_the_fixed_codes_hold_every_byte() {
    for first in (0..=240).step_by(16) {
        let data: Vec<u8> = (first..=first + 15).collect();
        let out = whole(&data);
        assert_eq!(out[0] & 0b111, 0b010, "the block with {first} has the fixed codes and is not the last");
    }
}

#[test]
fn what_cannot_be_compressed_is_stored() {
    let data = noise(200_000);
    let out = whole(&data);
    assert!(out.len() <= data.len() + 5 * 4 + 2, "{}", out.len());
}

#[test]
fn the_longest_and_the_farthest_matches() {
    let near = noise(WINDOW);
    let out = whole(&near.repeat(5)).len();
    assert!(out < WINDOW + 4 * WINDOW / MAX_LENGTH * 4, "all of the repetitions are matches: {out}");
    let far = noise(WINDOW + 1);
    let out = whole(&far.repeat(3)).len();
    assert!(out > 3 * WINDOW, "none is a byte further away: {out}");
    let run = whole(&vec![7; 1 << 20]).len();
    assert!(run < 1200, "{run}");
}

#[test]
fn many_blocks_longer_than_what_positions_are_counted_to() {
    let data = mixed(700_000);
    let out = whole(&data);
    let mut deflater = Deflater::new();
    assert!(deflated(&mut deflater, &data, &[]) == out, "the same again");
    assert!(deflated(&mut deflater, &data, &[]) == out, "whatever was compressed before");
}

#[test]
fn a_block_looks_back_over_its_start_and_no_further_than_the_window() {
    let first = noise(WINDOW);
    let data = [&first[..], &first].concat();
    let mut out = Vec::new();
    Deflater::new().deflate(&data, WINDOW, true, &mut out);
    assert!(out.len() < 400, "{}", out.len());
    let more = [&noise(100_000)[..], &data].concat();
    let mut same = Vec::new();
    Deflater::new().deflate(&more, 100_000 + WINDOW, true, &mut same);
    assert!(out == same, "what is further away changes nothing");
}

/// Bytes with runs, repeats near and far, and few or many kinds of symbols.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::collection::vec(200..=255u8, 0..300),
        (any::<u8>(), 1..2_000usize).prop_map(|(byte, count)| vec![byte; count]),
        ("[a-f ]{1,40}", 1..60usize).prop_map(|(text, count)| text.repeat(count).into_bytes()),
        proptest::collection::vec(any::<u16>(), 0..200)
            .prop_map(|skewed| { skewed.iter().map(|value| value.leading_zeros() as u8 * 9).collect() }),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| {
        let all = pieces.concat();
        [&all[..], &all[all.len() / 3..]].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn anything_comes_back_wherever_it_is_cut(
        data in data(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
        cuts.sort_unstable();
        let out = deflated(&mut Deflater::new(), &data, &cuts);
        assert_inflates_to(&out, &data);
        // A stored block and its end at the worst, and a few bytes for each cut.
        prop_assert!(out.len() <= data.len() + 16 * (cuts.len() + 1));
    }
}
