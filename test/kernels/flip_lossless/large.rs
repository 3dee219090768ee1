//! Pictures with so much code that it is walked over from many places at once.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, coefficients, flip, flip_checked};
use jpeg_encoder::ColorType;

/// Half a megapixel of `SAMPLINGS[sampling]`.
fn kind(sampling: usize) -> Kind {
    let (_, sampling, mcu_x, mcu_y) = SAMPLINGS[sampling];
    Kind { quality: 92, ..Kind::new(672 / mcu_x * mcu_x, 640 / mcu_y * mcu_y, sampling) }
}

#[test]
fn of_all_samplings() {
    for sampling in 0..SAMPLINGS.len() {
        for optimised in [false, true] {
            let kind = Kind { optimised, ..kind(sampling) };
            let file = kind.encode();
            for direction in DIRECTIONS {
                flip_checked(&file, direction, &format!("{kind:?}"));
            }
        }
    }
}

#[test]
fn of_all_color_models() {
    for color in [ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck] {
        for sampling in [0, 3] {
            let kind = Kind { color, ..kind(sampling) };
            flip_checked(&kind.encode(), DIRECTIONS[2], &format!("{kind:?}"));
        }
    }
}

#[test]
fn of_all_qualities() {
    // From a few coefficients a block to all of them: codes and blocks of every length.
    for quality in [25, 40, 75, 98, 100] {
        let kind = Kind { quality, ..kind(3) };
        let kind = if quality < 50 { Kind { width: 1600, height: 1600, ..kind } } else { kind };
        flip_checked(&kind.encode(), DIRECTIONS[0], &format!("{kind:?}"));
    }
}

#[test]
fn with_restart_markers() {
    // In walks' length, in between, and much shorter: those are walked over one after another.
    for restart in [1, 7, 42, 168, 420, 1000] {
        for sampling in [0, 3] {
            let kind = Kind { restart, ..kind(sampling) };
            let file = kind.encode();
            for direction in DIRECTIONS {
                flip_checked(&file, direction, &format!("{kind:?}"));
            }
        }
    }
}

#[test]
fn damaged_anywhere() {
    for (restart, sampling) in [(0, 3), (0, 0), (420, 3)] {
        let file = Kind { restart, ..kind(sampling) }.encode();
        let step = file.len() / 60;
        for at in (700..file.len()).step_by(step) {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            damaged[at + 1] = damaged[at + 1].wrapping_add(at as u8);
            let direction = DIRECTIONS[at % 3];
            let Ok(flipped) = flip(&damaged, direction) else { continue };
            // What is taken has to come out right.
            let before = coefficients::read(&damaged).expect("what is flipped can be read");
            let after = coefficients::read(&flipped).expect("what comes out can be read");
            let expected = coefficients::mirror(&before, direction != DIRECTIONS[1], direction != DIRECTIONS[0]);
            assert!(expected == after, "byte {at} of {restart} {sampling}: wrong coefficients");
        }
    }
}

#[test]
fn cut_off_anywhere() {
    let file = kind(3).encode();
    for length in (700..file.len()).step_by(file.len() / 40) {
        let mut short = file[..length].to_vec();
        short.extend_from_slice(&[0xFF, 0xD9]);
        assert!(flip(&short, DIRECTIONS[0]).is_err(), "{length} bytes");
    }
}

#[test]
fn with_more_code_than_blocks() {
    // Sixteen times as much code as the picture needs: what is behind its last block is nobody's.
    let kind = Kind { quality: 30, ..Kind::new(512, 512, SAMPLINGS[3].1) };
    let file = kind.encode();
    let data = file.windows(2).position(|pair| pair == [0xFF, 0xDA]).expect("a scan") + 14;
    let code = &file[data..file.len() - 2];
    // The last byte of a scan is padded, which ends most blocks in the middle of a code.
    let mut long = file[..file.len() - 2].to_vec();
    (0..15).for_each(|_| long.extend_from_slice(code));
    long.extend_from_slice(&[0x00; 300_000]);
    long.extend_from_slice(&[0xFF, 0xD9]);
    for direction in DIRECTIONS {
        assert!(flip(&long, direction).unwrap() == flip(&file, direction).unwrap(), "{direction:?}");
    }
}
