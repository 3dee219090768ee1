//! Pictures that are whole blocks high (or wide), but not whole MCUs: luma has to stay exact, chroma as near as its
//! quantiser allows.

use super::hostile::{mutant, random};
use super::jpegtran::{run, tools_missing};
use super::make::{Kind, SAMPLINGS};
use super::refusals::find;
use super::{DIRECTIONS, app_segments, coefficients, flip};
use jpeg_encoder::ColorType;
use rustcluster::error::{Error, Result};
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;
use std::f64::consts::PI;

/// Flips, keeping JFIF and Adobe segments.
pub fn flip_partly(file: &[u8], direction: Direction) -> Result<Vec<u8>> {
    lossless::flip_partly(file, direction, &app_segments(file), &[], &Control::new())
}

/// A component's samples, neither rounded nor cut off to 8 bits, row by row; `width` x `height` of them.
struct Samples {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

fn cosine(x: usize, k: usize) -> f64 {
    let scale = if k == 0 { 0.125_f64.sqrt() } else { 0.5 };
    scale * ((2 * x + 1) as f64 * k as f64 * PI / 16.0).cos()
}

/// The other dimension of the transform, `by(x, k)` times each, on rows of eight.
fn rows(block: &[f64; 64], by: impl Fn(usize, usize) -> f64) -> [f64; 64] {
    // Turned by the way, so that doing it twice does both dimensions.
    std::array::from_fn(|i| (0..8).map(|j| block[i % 8 * 8 + j] * by(i / 8, j)).sum())
}

impl Samples {
    fn of(plane: &coefficients::Plane, (width, height): (usize, usize), quantiser: &[u16; 64]) -> Self {
        let mut values = vec![0.0; width * height];
        for (index, block) in plane.blocks.iter().enumerate() {
            let mut natural = [0.0; 64];
            for (k, &value) in block.iter().enumerate() {
                natural[coefficients::ZIGZAG[k]] = f64::from(value) * f64::from(quantiser[k]);
            }
            let samples = rows(&rows(&natural, cosine), cosine);
            let (left, top) = (index % plane.blocks_x * 8, index / plane.blocks_x * 8);
            for (i, &sample) in samples.iter().enumerate() {
                let (x, y) = (left + i % 8, top + i / 8);
                if x < width && y < height {
                    values[y * width + x] = sample;
                }
            }
        }
        Self { width, height, values }
    }

    fn mirrored(&self, direction: Direction) -> Self {
        let (width, height) = (self.width, self.height);
        let at = |i: usize| {
            let (x, y) = (i % width, i / width);
            let x = if direction == Direction::Vertical { x } else { width - 1 - x };
            let y = if direction == Direction::Horizontal { y } else { height - 1 - y };
            self.values[y * width + x]
        };
        Self { width, height, values: (0..width * height).map(at).collect() }
    }

    /// The coefficients of the block at (x, y) in units of the quantiser, its padding repeating the last samples.
    fn block(&self, x: usize, y: usize, quantiser: &[u16; 64]) -> [f64; 64] {
        let sample = |i: usize| {
            let (x, y) = ((x * 8 + i % 8).min(self.width - 1), (y * 8 + i / 8).min(self.height - 1));
            self.values[y * self.width + x]
        };
        let natural = rows(&rows(&std::array::from_fn(sample), |k, x| cosine(x, k)), |k, x| cosine(x, k));
        std::array::from_fn(|k| natural[coefficients::ZIGZAG[k]] / f64::from(quantiser[k]))
    }

    /// Peak signal-to-noise ratio, in decibels.
    fn psnr(&self, other: &Self) -> f64 {
        let error: f64 = self.values.iter().zip(&other.values).map(|(a, b)| (a - b).powi(2)).sum();
        10.0 * (255.0 * 255.0 * self.values.len() as f64 / error.max(1e-9)).log10()
    }
}

/// The quantisation tables of a file, all of 8 bits.
fn quantisers(file: &[u8]) -> [[u16; 64]; 4] {
    let mut tables = [[1; 64]; 4];
    let mut at = 2;
    while file[at + 1] != 0xDA {
        let end = at + 2 + (usize::from(file[at + 2]) << 8 | usize::from(file[at + 3]));
        if file[at + 1] == 0xDB {
            for table in file[at + 4..end].chunks_exact(65) {
                tables[usize::from(table[0])] = std::array::from_fn(|k| table[k + 1].into());
            }
        }
        at = end;
    }
    tables
}

/// Flips partly, and asserts that what lines up is exact, and that all else is the nearest that its quantiser can say.
/// Returns the flipped file and the least PSNR of a component coded anew.
fn flip_checked(file: &[u8], direction: Direction, what: &str) -> (Vec<u8>, f64) {
    let flipped = flip_partly(file, direction).unwrap_or_else(|error| panic!("{what} {direction:?}: {error}"));
    let before = coefficients::read(file).unwrap_or_else(|| panic!("{what}: the judge cannot read the source"));
    let after = coefficients::read(&flipped).unwrap_or_else(|| panic!("{what} {direction:?}: unreadable output"));
    let tables = quantisers(file);
    assert_eq!(tables, quantisers(&flipped), "{what} {direction:?}: other quantisation tables");
    let mirrored = coefficients::mirror(&before, direction != Direction::Horizontal, direction != Direction::Vertical);
    let most = |factor: fn(&coefficients::Plane) -> u32| before.planes.iter().map(factor).max().unwrap();
    let (h_max, v_max) = (most(|plane| plane.h), most(|plane| plane.v));
    let mut least = f64::INFINITY;
    for ((old, new), exact) in before.planes.iter().zip(&after.planes).zip(&mirrored.planes) {
        let width = (before.width * old.h).div_ceil(h_max) as usize;
        let height = (before.height * old.v).div_ceil(v_max) as usize;
        let whole = (direction == Direction::Vertical || width.is_multiple_of(8))
            && (direction == Direction::Horizontal || height.is_multiple_of(8));
        if whole {
            assert!(new == exact, "{what} {direction:?}: component {} is not exact", old.id);
            continue;
        }
        let quantiser = &tables[usize::from(old.quantiser)];
        // What is not flipped keeps its padding; only there is the width or height that of whole blocks.
        let width = if direction == Direction::Vertical { old.blocks_x * 8 } else { width };
        let height = if direction == Direction::Horizontal { old.blocks_y * 8 } else { height };
        let expected = Samples::of(old, (width, height), quantiser).mirrored(direction);
        for (index, block) in new.blocks.iter().enumerate() {
            let exact = expected.block(index % new.blocks_x, index / new.blocks_x, quantiser);
            for (k, (&value, exact)) in block.iter().zip(exact).enumerate() {
                let far = (f64::from(value) - exact.clamp(-1023.0, 1023.0)).abs();
                assert!(
                    far < 0.501,
                    "{what} {direction:?}: component {}, block {index}, {k}: {value} for {exact}",
                    old.id
                );
            }
        }
        least = least.min(expected.psnr(&Samples::of(new, (width, height), quantiser)));
    }
    (flipped, least)
}

/// Whether a flip of a picture of this size has anything exact.
fn takes(kind: &Kind, direction: Direction) -> bool {
    (direction == Direction::Vertical || kind.width.is_multiple_of(8))
        && (direction == Direction::Horizontal || kind.height.is_multiple_of(8))
}

/// Sizes of whole blocks and of other kinds, none of them whole MCUs both ways.
fn sizes(mcu_x: u16, mcu_y: u16) -> Vec<(u16, u16)> {
    let mut sizes = vec![(mcu_x * 2 + 5, mcu_y + 8), (mcu_x + 8, mcu_y + 3), (8, 8), (mcu_x + 8, mcu_y * 2 + 8)];
    sizes.extend((1..mcu_y / 8).map(|blocks| (mcu_x * 2, mcu_y * 2 + blocks * 8)));
    sizes.extend((1..mcu_x / 8).map(|blocks| (mcu_x * 2 + blocks * 8, mcu_y)));
    sizes
}

#[test]
fn luma_is_exact_and_chroma_the_nearest() {
    let mut flipped = 0;
    for (name, sampling, mcu_x, mcu_y) in SAMPLINGS {
        for (width, height) in sizes(mcu_x, mcu_y) {
            for (quality, restart, optimised) in [(30, 0, false), (92, 0, true), (85, 1, false), (100, 3, false)] {
                let kind = Kind { quality, restart, optimised, ..Kind::new(width, height, sampling) };
                let file = kind.encode();
                for direction in DIRECTIONS {
                    let what = format!("{name} {kind:?}");
                    if !takes(&kind, direction) {
                        let refused = flip_partly(&file, direction);
                        assert!(matches!(refused, Err(Error::NotLossless(_))), "{what} {direction:?}: {refused:?}");
                        continue;
                    }
                    let (once, _) = flip_checked(&file, direction, &what);
                    // What comes out is a legal input.
                    flip_checked(&once, direction, &what);
                    flipped += 1;
                }
            }
        }
    }
    assert!(flipped > 200, "{flipped} flips");
}

#[test]
fn other_color_models() {
    for color in [ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck] {
        for (_, sampling, mcu_x, mcu_y) in SAMPLINGS.into_iter().take(4) {
            let kind = Kind { color, ..Kind::new(mcu_x + 8, mcu_y + 8, sampling) };
            let file = kind.encode();
            for direction in DIRECTIONS {
                flip_checked(&file, direction, &format!("{kind:?}"));
            }
        }
    }
}

#[test]
fn whole_mcus_come_out_as_without() {
    let file = Kind::new(48, 32, SAMPLINGS[3].1).encode();
    for direction in DIRECTIONS {
        assert_eq!(flip_partly(&file, direction).unwrap(), flip(&file, direction).unwrap());
    }
}

#[test]
fn large_pictures_hardly_change_nor_grow() {
    // So large that the code is walked over from many places at once, and with more noise in chroma than any camera makes.
    for (quality, least) in [(95, 39.0), (85, 30.0), (60, 25.0)] {
        for optimised in [false, true] {
            let kind = Kind { quality, optimised, ..Kind::new(672, 648, SAMPLINGS[3].1) };
            let file = kind.encode();
            let (flipped, near) = flip_checked(&file, Direction::Vertical, &format!("{kind:?}"));
            assert!(near >= least, "{kind:?}: {near:.1} dB");
            assert!(flipped.len() * 50 <= file.len() * 51, "{kind:?}: {} of {}", flipped.len(), file.len());
        }
    }
}

#[test]
fn progressive_files_are_refused() {
    let file = Kind { progressive: true, ..Kind::new(32, 24, SAMPLINGS[3].1) }.encode();
    assert!(matches!(flip_partly(&file, Direction::Vertical), Err(Error::NotLossless(_))));
}

#[test]
fn a_missing_quantisation_table_is_corrupt() {
    let mut file = Kind::new(32, 24, SAMPLINGS[3].1).encode();
    let sof = find(&file, 0xC0);
    // The number of the second component's table.
    file[sof + 10 + 5] = 3;
    assert!(matches!(flip_partly(&file, Direction::Vertical), Err(Error::ImageCorrupt(_))));
}

#[test]
fn one_table_for_scans_of_their_own() {
    // Optimised by what is there: shifted samples need other symbols, so the second scan needs a table of its own.
    let gray = Kind { color: ColorType::Luma, optimised: true, quality: 60, ..Kind::new(16, 24, SAMPLINGS[0].1) };
    let file = gray.encode();
    let (sof, sos) = (find(&file, 0xC0), find(&file, 0xDA));
    let mut both = [&file[..sof], &[0xFF, 0xC0, 0, 14, 8, 0, 24, 0, 16, 2, 1, 0x12, 0, 2, 0x11, 0]].concat();
    both.extend(&file[sof + 13..sos]);
    for id in [1, 2] {
        // The second component has two rows of blocks of the three; what is behind them is nobody's.
        both.extend([0xFF, 0xDA, 0, 8, 1, id, 0, 0, 63, 0]);
        both.extend(&file[sos + 10..file.len() - 2]);
    }
    both.extend([0xFF, 0xD9]);
    flip_checked(&both, Direction::Vertical, "one table");
}

#[test]
fn what_jpegtran_makes() {
    if tools_missing() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scan_header = |file: &[u8]| {
        let at = find(file, 0xDA);
        file[at..at + 2 + usize::from(file[at + 3])].to_vec()
    };
    let mut moved = 0;
    // Together, each alone, and chroma together.
    for color in [ColorType::Rgb, ColorType::Cmyk] {
        for (name, sampling, mcu_x, mcu_y) in SAMPLINGS.into_iter().skip(1).take(3) {
            let plain = Kind { color, quality: 75, ..Kind::new(mcu_x * 2 + 8, mcu_y * 2 + 8, sampling) }.encode();
            let scripts = match color {
                ColorType::Rgb => &["0,1,2;", "0; 1; 2;", "0; 1 2;", "0 2; 1;"][..],
                _ => &["0,1,2,3;", "0 3; 1; 2;"],
            };
            for (restart, script) in
                ["0", "1", "2B"].into_iter().flat_map(|restart| scripts.iter().map(move |s| (restart, s)))
            {
                let path = folder.path().join("script");
                std::fs::write(&path, script).expect("the folder is writable");
                let args = ["-optimize", "-restart", restart, "-scans", path.to_str().expect("ASCII")];
                let made = run("jpegtran", &args, &plain).expect("jpegtran is there");
                for direction in DIRECTIONS {
                    let (flipped, _) = flip_checked(&made, direction, &format!("{name} {color:?} {args:?} {script}"));
                    moved += u32::from(scan_header(&made) != scan_header(&flipped));
                }
            }
        }
    }
    // All components of an optimised CMYK file share one table: those made anew get one of their own.
    assert!(moved > 0, "no scan needed another table");
}

#[test]
fn hostile_bytes_never_panic() {
    let mut random = random();
    for (sampling, restart, optimised) in [(3, 0, false), (3, 1, false), (3, 0, true), (2, 0, true)] {
        let file = Kind { restart, optimised, ..Kind::new(40, 24, SAMPLINGS[sampling].1) }.encode();
        for length in 0..file.len() {
            let result = flip_partly(&file[..length], DIRECTIONS[length % 3]);
            assert!(matches!(result, Err(Error::ImageCorrupt(_))), "{length} of {}: {result:?}", file.len());
        }
        for _ in 0..1000 {
            let mutant = mutant(&file, &mut random);
            for direction in DIRECTIONS {
                // Whatever comes out has to be a file that can be flipped back.
                if let Ok(flipped) = flip_partly(&mutant, direction) {
                    flip_partly(&flipped, direction).expect("an output is a legal input");
                }
            }
        }
    }
}
