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

/// The Monte Carlo test of SHAVS, section 6.4: each message is the three digests before it.
fn monte_carlo(algorithm: Algorithm, counts: usize, hash: impl Fn(&[u8]) -> Vec<u8>) {
    let lines = lines(algorithm, "Monte");
    let mut values = lines.iter().filter(|(key, _)| key == "Seed" || key == "MD").map(|(_, value)| unhex(value));
    let mut seed = values.next().expect("a seed");
    for want in values.take(counts) {
        let mut last = [seed.clone(), seed.clone(), seed];
        for _ in 0..1000 {
            let next = hash(&last.concat());
            last.rotate_left(1);
            last[2] = next;
        }
        seed = last[2].clone();
        assert_eq!(seed, want, "{algorithm}");
    }
}

#[test]
fn monte_carlo_on_the_chosen_engine() {
    for algorithm in Algorithm::ALL {
        monte_carlo(algorithm, 100, |message| {
            let mut hasher = Hasher::new(algorithm).expect("a hasher");
            hasher.update(message);
            hasher.finish()
        });
    }
}

#[test]
fn monte_carlo_in_lanes() {
    for backend in Backend::ALL {
        if !backend.is_available() {
            eprintln!("skipped: this CPU lacks {}", backend.name());
            continue;
        }
        for algorithm in [Algorithm::Sha224, Algorithm::Sha256] {
            monte_carlo(algorithm, 1, |message| {
                let digests = many_on(backend, algorithm, &[message; 16], &Control::new()).expect("digests");
                let (first, others) = digests.split_at(algorithm.digest_len());
                assert!(others.chunks(first.len()).all(|other| other == first), "lanes differ on {}", backend.name());
                first.to_vec()
            });
        }
    }
}
