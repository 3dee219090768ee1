//! No bytes make the flip panic or run on.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, flip};
use rustcluster::error::Error;

fn samples() -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    for (_, sampling, mcu_x, mcu_y) in [SAMPLINGS[0], SAMPLINGS[3]] {
        for (restart, optimised, progressive) in
            [(0, false, false), (1, false, false), (0, true, false), (0, false, true), (1, false, true)]
        {
            let kind = Kind { restart, optimised, progressive, ..Kind::new(mcu_x * 2, mcu_y * 2, sampling) };
            samples.push(kind.encode());
        }
    }
    samples
}

#[test]
fn truncated_at_every_byte() {
    for file in samples() {
        for length in 0..file.len() {
            for direction in DIRECTIONS {
                let result = flip(&file[..length], direction);
                assert!(matches!(result, Err(Error::ImageCorrupt(_))), "{length} of {}: {result:?}", file.len());
            }
        }
    }
}

/// Numbers at random, the same ones each time (xorshift).
pub fn random() -> impl FnMut() -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    }
}

/// The file with one to four bytes changed, taken out or put in.
pub fn mutant(file: &[u8], random: &mut impl FnMut() -> usize) -> Vec<u8> {
    let mut mutant = file.to_vec();
    for _ in 0..1 + random() % 4 {
        let at = random() % mutant.len();
        match random() % 4 {
            0 => mutant[at] = random() as u8,
            1 => mutant[at] ^= 1 << (random() % 8),
            2 => drop(mutant.remove(at)),
            _ => mutant.insert(at, [0, 0xFF, 0xD0, random() as u8][random() % 4]),
        }
    }
    mutant
}

#[test]
fn mutated_at_random() {
    let mut random = random();
    for file in samples() {
        for _ in 0..1000 {
            let mutant = mutant(&file, &mut random);
            for direction in DIRECTIONS {
                // Whatever comes out has to be a file that can be flipped back.
                if let Ok(flipped) = flip(&mutant, direction) {
                    flip(&flipped, direction).expect("an output is a legal input");
                }
            }
        }
    }
}
