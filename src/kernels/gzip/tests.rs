//! Round trips of every form, and what bad input does.

use super::block::BLOCK;
use super::stream::{GunzipStream, GzipStream, Settings};
use super::{Level, file, gunzip, gzip};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use proptest::prelude::*;
use std::fs;

const NO_LIMIT: u64 = u64::MAX;

fn text(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let words = ["flip ", "hash ", "gzip ", "cluster ", "the ", "of ", "broadcast ", "store ", "\n"];
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(words[(state >> 24) as usize % words.len()].as_bytes());
        if state.is_multiple_of(11) {
            text.extend_from_slice(state.to_string().as_bytes());
        }
    }
    text.truncate(length);
    text
}

fn unzipped(data: &[u8]) -> Result<Vec<u8>> {
    gunzip(data, NO_LIMIT, &Control::new())
}

fn zipped(data: &[u8], level: u8) -> Vec<u8> {
    gzip(data, Level::new(level).unwrap(), &Control::new()).unwrap()
}

/// All of a stream of gzip data, fed in pieces of `piece` bytes, at most `most` bytes at a time.
fn streamed_out(data: &[u8], piece: usize, most: usize) -> Result<Vec<u8>> {
    let mut stream = GunzipStream::new(NO_LIMIT);
    let mut out = Vec::new();
    let mut pieces: Vec<&[u8]> = data.chunks(piece).collect();
    pieces.push(b"");
    for (index, piece) in pieces.iter().enumerate() {
        let is_last = index + 1 == pieces.len();
        out.extend(stream.write(piece, is_last, most, &Control::new())?);
        while stream.pending() {
            out.extend(stream.write(b"", is_last, most, &Control::new())?);
        }
    }
    Ok(out)
}

#[test]
fn every_level_and_every_size_around_a_block_comes_back() {
    let data = text(2 * BLOCK + 1);
    for length in [0, 1, 2, 100, 65_536, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1] {
        for level in [0, 1, 6] {
            assert!(unzipped(&zipped(&data[..length], level)).unwrap() == data[..length], "{length} at {level}");
        }
    }
    for level in 0..=Level::MAX {
        assert!(unzipped(&zipped(&data[..50_000], level)).unwrap() == data[..50_000], "level {level}");
    }
    assert!(Level::new(13).is_err());
}

#[test]
fn the_output_is_the_same_for_any_number_of_threads_and_for_files() {
    let data = text(5 * BLOCK + 12_345);
    let alone = zipped(&data, 6);
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| zipped(&data, 6)) == alone, "{threads} threads");
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, packed, back) = (folder.path().join("in"), folder.path().join("in.gz"), folder.path().join("back"));
    fs::write(&source, &data).unwrap();
    let control = Control::new();
    let totals = file::gzip(&source, &packed, Level::default(), &control).unwrap();
    assert!(fs::read(&packed).unwrap() == alone);
    assert_eq!((totals.bytes_in, totals.bytes_out), (data.len() as u64, alone.len() as u64));
    assert_eq!((control.done(), control.total()), (data.len() as u64, Some(data.len() as u64)));
    let totals = file::gunzip(&packed, &back, NO_LIMIT, &Control::new()).unwrap();
    assert_eq!((totals.bytes_in, totals.bytes_out), (alone.len() as u64, data.len() as u64));
    assert!(fs::read(&back).unwrap() == data);
}

#[test]
fn what_follows_a_member_is_read_as_node_reads_it() {
    let (abc, def) = (zipped(b"abc", 6), zipped(b"def", 6));
    let cases: [(Vec<u8>, Option<&[u8]>); 7] = [
        ([&abc[..], &def].concat(), Some(b"abcdef")),
        ([&abc[..], &[0; 10]].concat(), Some(b"abc")),
        ([&abc[..], &[0], &def].concat(), Some(b"abc")),
        ([&abc[..], b"PPPPPPPPPP"].concat(), None),
        ([&abc[..], &[0x1f]].concat(), None),
        ([&abc[..], &[0x1f, 0x8b, 0xff, 0xff]].concat(), None),
        (Vec::new(), None),
    ];
    for (data, expected) in cases {
        assert_eq!(unzipped(&data).ok().as_deref(), expected);
        for piece in [1, 7, 1000] {
            assert_eq!(streamed_out(&data, piece, 2).ok().as_deref(), expected);
        }
    }
}

#[test]
fn a_cut_anywhere_is_truncation_and_every_damaged_checksum_is_corruption() {
    let data = text(3_000);
    let packed = zipped(&data, 6);
    for length in 0..packed.len() {
        assert!(matches!(unzipped(&packed[..length]), Err(Error::GzipTruncated)), "{length}");
        assert!(matches!(streamed_out(&packed[..length], 64, 4096), Err(Error::GzipTruncated)), "{length}");
    }
    for at in packed.len() - 8..packed.len() {
        let mut damaged = packed.clone();
        damaged[at] ^= 1;
        assert!(matches!(unzipped(&damaged), Err(Error::GzipCorrupt(_))));
    }
    assert!(matches!(unzipped(b"hello world"), Err(Error::GzipCorrupt(_))));
}

#[test]
fn a_stream_hands_over_what_stood_before_the_damage() {
    let mut packed = zipped(b"before", 6);
    packed.extend_from_slice(b"garbage that is no member");
    let mut stream = GunzipStream::new(NO_LIMIT);
    assert_eq!(stream.write(&packed, false, 1 << 16, &Control::new()).unwrap(), b"before");
    assert!(stream.pending());
    assert!(matches!(stream.write(b"", false, 1 << 16, &Control::new()), Err(Error::GzipCorrupt(_))));
}

#[test]
fn the_limit_is_exact_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let (source, back) = (folder.path().join("in.gz"), folder.path().join("back"));
    for length in [1, 100_000, 3 << 20] {
        let packed = zipped(&vec![0; length], 9);
        fs::write(&source, &packed).unwrap();
        let length = length as u64;
        assert_eq!(gunzip(&packed, length, &Control::new()).unwrap().len() as u64, length);
        assert!(file::gunzip(&source, &back, length, &Control::new()).is_ok());
        fs::remove_file(&back).unwrap();
        let over = [
            gunzip(&packed, length - 1, &Control::new()).unwrap_err(),
            file::gunzip(&source, &back, length - 1, &Control::new()).unwrap_err(),
        ];
        assert!(over.iter().all(|error| error.code() == Some("ERR_BUFFER_TOO_LARGE")));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no partial file");
    }
}

#[test]
fn streams_honour_flushes_and_settings() {
    let data = text(200_000);
    for (level, window_bits, mem_level, strategy) in [(6, 15, 8, 0), (0, 15, 8, 0), (1, 9, 1, 1), (9, 12, 9, 2)] {
        let settings = Settings { level, window_bits, mem_level, strategy };
        let mut stream = GzipStream::new(settings).unwrap();
        let mut packed = Vec::new();
        for (index, piece) in data.chunks(33_333).enumerate() {
            let flush = [0, 1, 2, 3, 5][index % 5];
            packed.extend(stream.write(piece, flush, &Control::new()).unwrap());
            if flush == 2 || flush == 3 {
                let got = GunzipStream::new(NO_LIMIT).write(&packed, false, 1 << 20, &Control::new()).unwrap();
                assert_eq!(got.len(), (index + 1) * 33_333, "all before a flush can be read");
            }
        }
        packed.extend(stream.write(b"", 4, &Control::new()).unwrap());
        assert!(unzipped(&packed).unwrap() == data, "{settings:?}");
    }
    assert!(GzipStream::new(Settings { level: 10, ..Settings::default() }).is_err());
    assert!(GzipStream::new(Settings { strategy: 5, ..Settings::default() }).is_err());
    assert!(GzipStream::new(Settings::default()).unwrap().write(b"", 9, &Control::new()).is_err());
}

#[test]
fn an_aborted_job_stops_and_leaves_nothing() {
    let control = Control::new();
    control.abort();
    assert!(matches!(gzip(b"abc", Level::default(), &control), Err(Error::Aborted)));
    assert!(matches!(gunzip(&zipped(b"abc", 6), NO_LIMIT, &control), Err(Error::Aborted)));
    let folder = tempfile::tempdir().unwrap();
    let (source, packed) = (folder.path().join("in"), folder.path().join("out"));
    fs::write(&source, "abc").unwrap();
    assert!(matches!(file::gzip(&source, &packed, Level::default(), &control), Err(Error::Aborted)));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_directory_and_a_missing_file_are_named_as_the_system_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let pack = |source| file::gzip(source, &folder.path().join("out"), Level::default(), &Control::new()).unwrap_err();
    assert!(matches!(pack(folder.path()), Error::Io { syscall: "read", .. }));
    assert!(matches!(pack(&folder.path().join("absent")), Error::Io { syscall: "open", .. }));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn anything_comes_back_through_every_form(
        data in proptest::collection::vec(any::<u8>(), 0..5_000),
        level in 0..=12u8,
        piece in 1..700usize,
        most in 1..5_000usize,
    ) {
        let packed = zipped(&data, level);
        prop_assert_eq!(&unzipped(&packed).unwrap(), &data);
        prop_assert_eq!(&streamed_out(&packed, piece, most).unwrap(), &data);
    }

    #[test]
    fn damage_never_panics_and_all_forms_agree(
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        piece in 1..500usize,
    ) {
        let mut packed = zipped(&text(2_000), 6);
        for (at, with) in flips {
            let at = at % packed.len();
            packed[at] ^= with;
        }
        let whole = gunzip(&packed, 1 << 20, &Control::new());
        let pieces = streamed_out(&packed, piece, 999);
        prop_assert_eq!(whole.ok(), pieces.ok());
    }
}
