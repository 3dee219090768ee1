//! Damaged input: any error will do, a panic or an endless loop will not.

use super::{Direction, pictures, run, towards};
use crate::error::Error;
use crate::kernels::flip::{Lossless, Options};
use proptest::prelude::*;

fn small() -> Options {
    Options { max_pixels: 1 << 16, lossless: Lossless::Never, ..towards(Direction::Both) }
}

#[test]
fn truncated_anywhere() {
    for (name, file) in pictures::one_of_each() {
        for length in 0..file.len() {
            match run(&file[..length], &small()) {
                Ok(_) => {}
                Err(Error::Internal(message)) => panic!("{name} cut to {length}: {message}"),
                Err(_) => {}
            }
        }
    }
}

#[test]
fn every_single_byte_changed() {
    for (name, file) in pictures::one_of_each() {
        // Compressed data is left to the random test: headers are where offsets and lengths stand.
        let places = (0..file.len().min(200)).chain(file.len().saturating_sub(200).max(200)..file.len());
        for at in places {
            for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
                let mut broken = file.clone();
                broken[at] = value;
                if let Err(Error::Internal(message)) = run(&broken, &small()) {
                    panic!("{name} with {value:#x} at {at}: {message}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_damage(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for (name, file) in pictures::one_of_each() {
            let mut broken = file;
            for (index, value) in &changes {
                let at = index.index(broken.len());
                broken[at] = *value;
            }
            if let Err(Error::Internal(message)) = run(&broken, &small()) {
                panic!("{name}: {message}");
            }
        }
    }

    #[test]
    fn random_bytes_behind_a_signature(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (_, file) in pictures::one_of_each() {
            let broken = [&file[..12], &bytes[..]].concat();
            prop_assert!(!matches!(run(&broken, &small()), Err(Error::Internal(_))));
        }
    }
}
