//! NIST's CAVP vectors (short, long, Monte Carlo) on every engine and every kernel this CPU has.

use super::{Algorithm, Backend, Hasher, backends, digest, many_on};
use crate::kernels::control::Control;
use std::fs;

/// The `Name = value` lines of a response file, comments and sections left out.
fn lines(algorithm: Algorithm, kind: &str) -> Vec<(String, String)> {
    let name =
        format!("{}/test/fixtures/cavp/{}{kind}.rsp", env!("CARGO_MANIFEST_DIR"), algorithm.name().to_uppercase());
    let text = fs::read_to_string(&name).expect(&name);
    text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, value)| (key.into(), value.into())).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).expect("a hex digit") as u8).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}

/// The messages of a file and, one after the other, their digests.
fn messages(algorithm: Algorithm, kind: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (mut messages, mut digests, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (key, value) in lines(algorithm, kind) {
        match key.as_str() {
            "Len" => bytes = value.parse::<usize>().expect("a length in bits") / 8,
            "Msg" => messages.push(unhex(&value)[..bytes].to_vec()),
            "MD" => digests.extend(unhex(&value)),
            _ => {}
        }
    }
    assert!(messages.len() >= 8 && digests.len() == messages.len() * algorithm.digest_len());
    (messages, digests)
}

#[test]
fn short_and_long_messages() {
    for algorithm in Algorithm::ALL {
        for kind in ["ShortMsg", "LongMsg"] {
            let (messages, want) = messages(algorithm, kind);
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let control = Control::new();
            for (message, want) in messages.iter().zip(want.chunks(algorithm.digest_len())) {
                assert_eq!(digest(algorithm, message, &control).expect("a digest"), want, "{algorithm} {kind}");
            }
            for backend in backends() {
                let got = many_on(backend, algorithm, &messages, &control).expect("digests");
                assert_eq!(got, want, "{algorithm} {kind} on {}", backend.name());
            }
        }
    }
}

/// The seed of the Monte Carlo test of SHAVS, section 6.4, and the 100 digests that it leads to, each by way of 1,000 whose
/// message is the three before it. Each is the seed of the next.
fn monte_carlo(algorithm: Algorithm) -> Vec<Vec<u8>> {
    let lines = lines(algorithm, "Monte");
    let values = lines.iter().filter(|(key, _)| key == "Seed" || key == "MD").map(|(_, value)| unhex(value));
    let values: Vec<Vec<u8>> = values.collect();
    assert_eq!(values.len(), 101);
    values
}

#[test]
fn monte_carlo_on_the_chosen_engine() {
    for algorithm in Algorithm::ALL {
        let values = monte_carlo(algorithm);
        let mut seed = values[0].clone();
        for want in &values[1..] {
            let mut last = [seed.clone(), seed.clone(), seed];
            for _ in 0..1000 {
                let mut hasher = Hasher::new(algorithm).expect("a hasher");
                hasher.update(&last.concat());
                last.rotate_left(1);
                last[2] = hasher.finish();
            }
            seed = last[2].clone();
            assert_eq!(seed, *want, "{algorithm}");
        }
    }
}

/// All 100 at once: the seed of each is known beforehand.
#[test]
fn monte_carlo_in_lanes() {
    for backend in Backend::ALL {
        if !backend.is_available() {
            eprintln!("skipped: this CPU lacks {}", backend.name());
            continue;
        }
        for algorithm in [Algorithm::Sha224, Algorithm::Sha256] {
            let values = monte_carlo(algorithm);
            let length = algorithm.digest_len();
            let mut messages: Vec<Vec<u8>> = values[..100].iter().map(|seed| seed.repeat(3)).collect();
            for _ in 0..1000 {
                let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
                let digests = many_on(backend, algorithm, &slices, &Control::new()).expect("digests");
                for (message, digest) in messages.iter_mut().zip(digests.chunks(length)) {
                    message.rotate_left(length);
                    message[2 * length..].copy_from_slice(digest);
                }
            }
            for (message, want) in messages.iter().zip(&values[1..]) {
                assert_eq!(message[2 * length..], **want, "{algorithm} on {}", backend.name());
            }
        }
    }
}
