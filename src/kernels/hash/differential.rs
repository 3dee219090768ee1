//! Every backend this CPU has against sha2: all short lengths in all lanes, random sets, streams in shared lanes.

use super::constants::INITIAL_256;
use super::driver;
use super::ladder::Ladder;
use super::many::Messages;
use super::{Algorithm, Backend, Hasher, backends, many, many_on, update_many};
use crate::error::Error;
use crate::kernels::control::Control;
use proptest::prelude::*;
use sha2::Digest;

fn pool(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
}

fn available() -> Vec<Backend> {
    for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_available()) {
        eprintln!("skipped: this CPU lacks {}", backend.name());
    }
    backends()
}

#[test]
fn every_length_to_1024_in_every_lane() {
    const LONGEST: usize = 1024;
    let pool = pool(LONGEST + 16);
    for backend in available() {
        let ladder = Ladder::of(backend).expect("an available backend");
        let lanes = ladder.lanes();
        let want: Vec<Vec<[u8; 32]>> = (0..lanes)
            .map(|lane| (0..=LONGEST).map(|length| sha2::Sha256::digest(&pool[lane..lane + length]).into()).collect())
            .collect();
        for first in 0..=LONGEST {
            let lengths: Vec<usize> = (0..lanes).map(|lane| (first + lane) % (LONGEST + 1)).collect();
            let messages: Vec<&[u8]> =
                lengths.iter().enumerate().map(|(lane, length)| &pool[lane..lane + length]).collect();
            // In the order given, so that message i runs in lane i.
            let control = Control::new();
            let mut feed = Messages::new(INITIAL_256, &messages, None, lanes, vec![0; lanes * 32], &control);
            driver::run(&ladder, &mut feed, &control).expect("digests");
            for (lane, digest) in feed.into_digests().chunks(32).enumerate() {
                assert_eq!(
                    digest,
                    want[lane][lengths[lane]],
                    "{} lane {lane} length {}",
                    backend.name(),
                    lengths[lane]
                );
            }
        }
    }
}

#[test]
fn every_length_to_1024_in_waves() {
    const LONGEST: usize = 1024;
    let pool = pool(LONGEST + 40);
    for backend in available() {
        for length in 0..=LONGEST {
            // More than two waves of the widest kernel; the last messages find none.
            let messages: Vec<&[u8]> = (0..37).map(|start| &pool[start..start + length]).collect();
            let want: Vec<u8> = messages.iter().flat_map(sha2::Sha256::digest).collect();
            let got = many_on(backend, Algorithm::Sha256, &messages, &Control::new()).expect("digests");
            assert_eq!(got, want, "{} length {length}", backend.name());
        }
    }
}

#[test]
fn lengths_of_one_shape_in_waves() {
    let pool = pool(300);
    for backend in available() {
        // Whole blocks alone stand beside messages that go on: they have the padding's place in common, not its bytes.
        for (base, spread) in [(0, 56), (64, 56), (128, 56), (56, 8), (120, 8)] {
            for first in 0..spread {
                let lengths = (0..32).map(|lane| base + (first + lane / 2) % spread);
                let messages: Vec<&[u8]> = lengths.map(|length| &pool[first..first + length]).collect();
                let want: Vec<u8> = messages.iter().flat_map(sha2::Sha256::digest).collect();
                let got = many_on(backend, Algorithm::Sha256, &messages, &Control::new()).expect("digests");
                assert_eq!(got, want, "{} from {base} on", backend.name());
            }
        }
    }
}

/// Message lengths that differ wildly: most of a few blocks, some of thousands of bytes.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![4 => 0..200_usize, 2 => 0..3000_usize, 1 => 0..40_000_usize, 1 => Just(64)];
    prop::collection::vec(length, 0..48)
}

/// Cut into pieces of different lengths, some of them empty, some without a whole block.
fn pieces_of(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for size in [0, 1, 63, 0, 200, 7].into_iter().take(bytes.len() % 7) {
        let (piece, after) = rest.split_at(rest.len().min(size));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_sets_on_every_backend(lengths in lengths(), offset in 0..64_usize) {
        let pool = pool(40_100);
        let messages: Vec<&[u8]> = lengths.iter().map(|length| &pool[offset..offset + length]).collect();
        let want: Vec<u8> = messages.iter().flat_map(sha2::Sha256::digest).collect();
        let bytes: usize = lengths.iter().sum();
        let control = Control::new();
        prop_assert_eq!(&many(Algorithm::Sha256, &messages, &control).expect("digests"), &want);
        prop_assert_eq!(control.done(), bytes as u64);
        for backend in backends() {
            let got = many_on(backend, Algorithm::Sha256, &messages, &Control::new()).expect("digests");
            prop_assert_eq!(&got, &want, "{}", backend.name());
        }
    }

    #[test]
    fn streams_in_shared_lanes(pieces in prop::collection::vec(prop::collection::vec(0..700_usize, 1..20), 1..5)) {
        let pool = pool(700);
        let kind = |stream: usize| Algorithm::ALL[stream % 4];
        let width = pieces.iter().map(Vec::len).max().unwrap_or(0);
        let mut shared: Vec<Hasher> = (0..width).map(|stream| Hasher::new(kind(stream)).expect("a hasher")).collect();
        let mut alone = shared.clone();
        for lengths in &pieces {
            for (hasher, length) in alone.iter_mut().zip(lengths) {
                hasher.update(&pool[..*length]);
            }
            let updates = shared.iter_mut().zip(lengths).map(|(hasher, length)| (hasher, pieces_of(&pool[..*length])));
            update_many(updates.collect()).expect("updated");
        }
        for (shared, alone) in shared.into_iter().zip(alone) {
            prop_assert_eq!(shared.finish(), alone.finish());
        }
    }
}

#[test]
fn other_algorithms_keep_their_order_too() {
    let pool = pool(3000);
    let messages: Vec<&[u8]> = [5, 3000, 0, 111, 112, 128, 64].map(|length| &pool[..length]).to_vec();
    for algorithm in Algorithm::ALL {
        let want: Vec<u8> = messages
            .iter()
            .flat_map(|message| match algorithm {
                Algorithm::Sha224 => sha2::Sha224::digest(message).to_vec(),
                Algorithm::Sha256 => sha2::Sha256::digest(message).to_vec(),
                Algorithm::Sha384 => sha2::Sha384::digest(message).to_vec(),
                Algorithm::Sha512 => sha2::Sha512::digest(message).to_vec(),
            })
            .collect();
        assert_eq!(many(algorithm, &messages, &Control::new()).expect("digests"), want, "{algorithm}");
    }
    assert_eq!(many(Algorithm::Sha256, &[], &Control::new()).expect("no digests"), [0; 0]);
}

#[test]
fn an_aborted_control_stops_the_lanes() {
    let control = Control::new();
    control.abort();
    assert!(matches!(many(Algorithm::Sha256, &[[0; 100].as_slice(); 20], &control), Err(Error::Aborted)));
    assert_eq!(control.done(), 0);
}

#[test]
fn a_backend_this_cpu_lacks_is_refused() {
    for backend in Backend::ALL {
        let answer = many_on(backend, Algorithm::Sha256, &[b"abc"], &Control::new());
        assert_eq!(answer.is_ok(), backend.is_available(), "{}", backend.name());
    }
}
