//! Streams of every kind joined, cut and damaged.

use super::*;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use proptest::prelude::*;

fn deflate(level: i32, data: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
    let mut out = vec![0; compressor.deflate_compress_bound(data.len())];
    let length = compressor.deflate_compress(data, &mut out).unwrap();
    out.truncate(length);
    out
}

fn joined(level: i32, first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut stream = deflate(level, first);
    open_end(&mut stream, 0).expect("a whole stream");
    stream.extend(deflate(level, second));
    let mut out = vec![0; first.len() + second.len()];
    let length = Decompressor::new().deflate_decompress(&stream, &mut out).expect("still deflate");
    assert_eq!(length, out.len());
    out
}

/// Bytes with runs and repeats, so that every kind of symbol and block occurs.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 1..2_000usize).prop_map(|(byte, count)| vec![byte; count]),
        ("[a-f ]{1,40}", 1..60usize).prop_map(|(text, count)| text.repeat(count).into_bytes()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn joins_stored_fixed_and_dynamic_blocks() {
    let long: Vec<u8> = (0..400_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 19).to_le_bytes()).collect();
    for level in 0..=12 {
        for first in [&b""[..], b"a", b"hello hello hello hello", &long[..70_000], &long] {
            assert_eq!(joined(level, first, b"and on"), [first, b"and on"].concat());
        }
    }
}

#[test]
fn what_is_cut_off_is_no_whole_stream() {
    let whole = deflate(6, &b"some words, some words, and other words".repeat(9));
    for length in 0..whole.len() {
        assert_eq!(walk(&whole[..length]), None, "{length} of {}", whole.len());
    }
}

proptest! {
    #[test]
    fn joins_whatever_was_compressed(level in 0..=9, first in data(), second in data()) {
        prop_assert_eq!(joined(level, &first, &second), [first, second].concat());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = walk(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(data in data(), flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..9)) {
        let mut stream = deflate(6, &data);
        for (at, with) in flips {
            let at = at % stream.len();
            stream[at] ^= with;
        }
        let _ = walk(&stream);
    }
}
