//! JPEG through samples: what stays of the source's coding, how near the picture stays, orientation, damage.

use super::pictures::{Coded, jpeg, photo};
use super::{DIRECTIONS, Direction, expected, run, towards};
use crate::error::Error;
use crate::kernels::flip::jpeg::frame::Frame;
use crate::kernels::flip::jpeg::segments;
use crate::kernels::flip::{Exact, Lossless, Options};
use jpeg_encoder::{ColorType, SamplingFactor};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

fn never(direction: Direction) -> Options {
    Options { lossless: Lossless::Never, ..towards(direction) }
}

/// Decoded by another decoder than the flip's, to RGB.
fn rgb(file: &[u8]) -> Vec<u8> {
    jpeg_decoder::Decoder::new(file).decode().unwrap()
}

/// The samples as they are stored.
fn decoded(file: &[u8], color: ColorSpace) -> Vec<u8> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(color);
    JpegDecoder::new_with_options(ZCursor::new(file), options).decode().unwrap()
}

/// Peak signal-to-noise ratio in decibels.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / sum.max(1e-9)).log10()
}

fn frame(file: &[u8]) -> Frame {
    Frame::read(&segments::parse(file).unwrap()).unwrap()
}

const FACTORS: [SamplingFactor; 5] =
    [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_1_2, SamplingFactor::F_2_2, SamplingFactor::F_4_1];

#[test]
fn the_picture_is_near_and_its_coding_the_same() {
    for (width, height) in [(61, 45), (64, 48), (16, 1), (1, 17)] {
        let pixels = photo(width, height);
        for factor in FACTORS {
            for (restart, progressive) in [(0, false), (3, false), (0, true), (2, true)] {
                let coded = Coded { factor, quality: 92, restart, progressive };
                let file = jpeg(&pixels, width, height, ColorType::Rgb, coded);
                let before = rgb(&file);
                for direction in DIRECTIONS {
                    let name = format!("{width} x {height}, {coded:?}, {direction:?}");
                    let flipped = run(&file, &never(direction)).unwrap();
                    assert_eq!(flipped.exact, Exact::Nothing);
                    let near = psnr(&rgb(&flipped.bytes), &expected(&before, width, 3, direction));
                    assert!(near >= 36.0, "{name}: {near:.1} dB");
                    let (old, new) = (frame(&file), frame(&flipped.bytes));
                    assert_eq!(new, old, "{name}");
                }
            }
        }
    }
}

#[test]
fn at_quality_90_a_photo_stays_within_40_decibels() {
    let (width, height) = (403, 301);
    let pixels = photo(width, height);
    for factor in [SamplingFactor::F_2_2, SamplingFactor::F_1_1] {
        let file = jpeg(&pixels, width, height, ColorType::Rgb, Coded { factor, ..Coded::default() });
        for quality in [Some(90), None] {
            for direction in DIRECTIONS {
                let flipped = run(&file, &Options { quality, ..never(direction) }).unwrap();
                let before = expected(&rgb(&file), width, 3, direction);
                let near = psnr(&rgb(&flipped.bytes), &before);
                assert!(near >= 40.0, "{factor:?} {quality:?} {direction:?}: {near:.1} dB");
            }
        }
    }
}

#[test]
fn a_quality_of_ones_own_sets_the_tables() {
    let file = jpeg(&photo(32, 32), 32, 32, ColorType::Rgb, Coded::default());
    let flipped = run(&file, &Options { quality: Some(50), ..never(Direction::Vertical) }).unwrap();
    let tables = frame(&flipped.bytes).tables;
    assert_eq!((tables[0].unwrap()[0], tables[1].unwrap()[0]), (16, 17));
}

#[test]
fn gray_cmyk_and_ycck_stay_what_they_are() {
    let (width, height) = (30, 21);
    let rgb = photo(width, height);
    let gray = &rgb[..width * height];
    let four: Vec<u8> = rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], pixel[1] / 2]).collect();
    for (color, stored, pixels, size) in [
        (ColorType::Luma, ColorSpace::Luma, gray, 1),
        (ColorType::Cmyk, ColorSpace::CMYK, &four[..], 4),
        (ColorType::CmykAsYcck, ColorSpace::YCCK, &four[..], 4),
    ] {
        let coded = Coded { factor: SamplingFactor::F_1_1, quality: 95, ..Coded::default() };
        let file = jpeg(pixels, width, height, color, coded);
        let before = decoded(&file, stored);
        for (direction, quality) in [(Direction::Vertical, None), (Direction::Horizontal, Some(95))] {
            let flipped = run(&file, &Options { quality, ..never(direction) }).unwrap();
            let near = psnr(&decoded(&flipped.bytes, stored), &expected(&before, width, size, direction));
            assert!(near >= 40.0, "{color:?}: {near:.1} dB");
            let adobe = |file: &[u8]| {
                let layout = segments::parse(file).unwrap();
                layout
                    .segments
                    .iter()
                    .filter(|segment| segment.code == 0xEE)
                    .map(|part| part.payload.to_vec())
                    .collect()
            };
            let (old, new): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (adobe(&file), adobe(&flipped.bytes));
            assert_eq!(old, new);
        }
    }
}

#[test]
fn rgb_by_its_identifiers_stays_rgb() {
    let (width, height) = (24, 24);
    let mut file = jpeg(
        &photo(width, height),
        width,
        height,
        ColorType::Ycbcr,
        Coded { factor: SamplingFactor::F_1_1, ..Coded::default() },
    );
    let layout = segments::parse(&file).unwrap();
    let places: Vec<usize> = layout
        .segments
        .iter()
        .filter(|segment| segment.code == 0xC0 || segment.code == 0xDA)
        .flat_map(|segment| {
            let (first, step) = if segment.code == 0xC0 { (10, 3) } else { (5, 2) };
            (0..3).map(move |index| segment.span.start + first + step * index)
        })
        .collect();
    for (place, id) in places.into_iter().zip(b"RGBRGB") {
        file[place] = *id;
    }
    // JFIF would say YCbCr.
    file.drain(2..20);
    let before = decoded(&file, ColorSpace::RGB);
    let flipped = run(&file, &Options { quality: Some(90), ..never(Direction::Both) }).unwrap();
    let ids: Vec<u8> = frame(&flipped.bytes).components.iter().map(|component| component.id).collect();
    assert_eq!(ids, b"RGB");
    let near = psnr(&decoded(&flipped.bytes, ColorSpace::RGB), &expected(&before, width, 3, Direction::Both));
    assert!(near >= 38.0, "{near:.1} dB");
}

#[test]
fn truncated_files_are_corrupt_wherever_they_end() {
    for progressive in [false, true] {
        let coded = Coded { progressive, restart: 2, ..Coded::default() };
        let file = jpeg(&photo(40, 30), 40, 30, ColorType::Rgb, coded);
        for length in 1..file.len() {
            for options in [never(Direction::Vertical), towards(Direction::Both)] {
                let result = run(&file[..length], &options);
                match result {
                    Err(Error::ImageCorrupt(_)) => {}
                    Err(Error::ImageUnsupported(_)) if length < 2 => {}
                    other => panic!("{length} of {}: {other:?}", file.len()),
                }
            }
        }
    }
}

#[test]
fn a_hidden_gap_before_the_end_is_corrupt() {
    for (factor, restart) in [(SamplingFactor::F_2_2, 0), (SamplingFactor::F_1_1, 0), (SamplingFactor::F_2_2, 3)] {
        let file = jpeg(&photo(90, 70), 90, 70, ColorType::Rgb, Coded { factor, restart, ..Coded::default() });
        let scan = segments::parse(&file).unwrap().segments.last().unwrap().span.clone();
        for missing in [24, 60, 200, 1000] {
            let mut damaged = file[..scan.end - missing].to_vec();
            // A cut between the two bytes of a stuffed 0xFF would make another marker.
            while damaged.last() == Some(&0xFF) {
                damaged.pop();
            }
            damaged.extend_from_slice(&[0xFF, 0xD9]);
            let result = run(&damaged, &never(Direction::Vertical));
            assert!(matches!(result, Err(Error::ImageCorrupt(_))), "{factor:?} {restart} {missing}: {result:?}");
        }
    }
}

#[test]
fn headers_of_giants_and_of_other_processes() {
    let mut file = jpeg(&photo(16, 16), 16, 16, ColorType::Rgb, Coded::default());
    let place =
        segments::parse(&file).unwrap().segments.iter().find(|segment| segment.code == 0xC0).unwrap().span.start;
    let original = file.clone();
    file[place + 5..place + 9].fill(0xFF);
    assert!(matches!(run(&file, &Options::default()), Err(Error::ImageTooLarge(_))));
    file.clone_from(&original);
    file[place + 5..place + 7].fill(0);
    assert!(matches!(run(&file, &Options::default()), Err(Error::ImageUnsupported(_))));
    for (offset, value) in [(1, 0xC9), (1, 0xC3), (4, 12)] {
        file.clone_from(&original);
        file[place + offset] = value;
        assert!(matches!(run(&file, &never(Direction::Both)), Err(Error::ImageUnsupported(_))), "{value}");
    }
}

#[test]
fn subsampling_the_decoder_gets_wrong_is_refused() {
    for factor in [SamplingFactor::F_4_2, SamplingFactor::F_1_4, SamplingFactor::F_2_4] {
        let file = jpeg(&photo(64, 64), 64, 64, ColorType::Rgb, Coded { factor, ..Coded::default() });
        assert!(matches!(run(&file, &never(Direction::Both)), Err(Error::ImageUnsupported(_))), "{factor:?}");
    }
}

#[test]
fn require_never_goes_through_samples() {
    let file = jpeg(&photo(17, 17), 17, 17, ColorType::Rgb, Coded::default());
    let options = Options { lossless: Lossless::Require, ..towards(Direction::Vertical) };
    assert!(matches!(run(&file, &options), Err(Error::NotLossless(_))));
}

#[test]
fn luma_stays_exact_where_it_is_whole_blocks() {
    let (width, height) = (96, 72);
    let pixels = photo(width, height);
    let coded = Coded { factor: SamplingFactor::F_2_2, ..Coded::default() };
    let file = jpeg(&pixels, width, height, ColorType::Rgb, coded);
    let luma = |file: &[u8]| -> Vec<u8> { decoded(file, ColorSpace::YCbCr).chunks(3).map(|pixel| pixel[0]).collect() };
    let auto = run(&file, &towards(Direction::Vertical)).unwrap();
    assert_eq!((auto.exact, frame(&auto.bytes)), (Exact::Part, frame(&file)));
    assert!(luma(&auto.bytes) == expected(&luma(&file), width, 1, Direction::Vertical));
    let pixels = run(&file, &never(Direction::Vertical)).unwrap();
    let before = expected(&rgb(&file), width, 3, Direction::Vertical);
    let [near, through_pixels] = [&auto.bytes, &pixels.bytes].map(|file| psnr(&rgb(file), &before));
    assert!(near >= 42.0 && near > through_pixels, "{near:.1} dB, through pixels {through_pixels:.1}");
    assert!(auto.bytes.len() * 50 <= file.len() * 51, "{} of {}", auto.bytes.len(), file.len());

    assert_eq!(run(&file, &towards(Direction::Horizontal)).unwrap().exact, Exact::All);
    let require = Options { lossless: Lossless::Require, ..towards(Direction::Vertical) };
    assert!(matches!(run(&file, &require), Err(Error::NotLossless(_))));
}
