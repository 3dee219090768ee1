//! WebP: still and animated, the container's chunks, orientation.

use super::{DIRECTIONS, Direction, expected, pictures, run, towards};
use crate::kernels::flip::bytes::Endian;
use crate::kernels::flip::exif::tests::sample;
use image_webp::{ColorType, WebPDecoder, WebPEncoder};
use std::io::Cursor;

fn lossless(pixels: &[u8], width: u32, height: u32, color: ColorType, exif: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = WebPEncoder::new(&mut out);
    if !exif.is_empty() {
        encoder.set_exif_metadata(exif.to_vec());
        encoder.set_icc_profile(vec![9; 33]);
    }
    encoder.encode(pixels, width, height, color).unwrap();
    out
}

fn decoded(file: &[u8]) -> Vec<u8> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut out = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut out).unwrap();
    out
}

#[test]
fn still_pictures_stay_exact() {
    for (color, size) in [(ColorType::Rgb8, 3), (ColorType::Rgba8, 4)] {
        let pixels = pictures::noise(19 * 11 * size, 4);
        for exif in [vec![], sample(Endian::Little, 8, b"no JPEG")] {
            let file = lossless(&pixels, 19, 11, color, &exif);
            for direction in DIRECTIONS {
                let stored = match direction {
                    Direction::Vertical if !exif.is_empty() => Direction::Horizontal,
                    Direction::Horizontal if !exif.is_empty() => Direction::Vertical,
                    other => other,
                };
                let flipped = run(&file, &towards(direction)).unwrap();
                assert_eq!(decoded(&flipped.bytes), expected(&pixels, 19, size, stored));
                let mut decoder = WebPDecoder::new(Cursor::new(&flipped.bytes)).unwrap();
                assert_eq!(decoder.icc_profile().unwrap(), (!exif.is_empty()).then(|| vec![9; 33]));
                assert_eq!(decoder.exif_metadata().unwrap().is_some(), !exif.is_empty());
            }
        }
    }
}

/// An animation on a canvas of 20 x 12 of frames at the given places.
fn animation(places: &[(u32, u32, u32, u32, u8)]) -> Vec<u8> {
    let mut out =
        b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\x12\0\0\0\x13\0\0\x0B\0\0ANIM\x06\0\0\0\xFF\xFF\xFF\xFF\x05\0".to_vec();
    for (index, &(x, y, width, height, flags)) in places.iter().enumerate() {
        let pixels = pictures::noise((width * height * 4) as usize, index as u32);
        let still = lossless(&pixels, width, height, ColorType::Rgba8, &[]);
        let mut data = Vec::new();
        for value in [x / 2, y / 2, width - 1, height - 1, 40 + index as u32] {
            data.extend_from_slice(&value.to_le_bytes()[..3]);
        }
        data.push(flags);
        data.extend_from_slice(&still[12..]);
        out.extend_from_slice(b"ANMF");
        out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        out.extend_from_slice(&data);
    }
    let length = out.len() as u32 - 8;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    out
}

fn shown(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).unwrap();
    decoder.set_background_color([0; 4]).unwrap();
    let mut buffer = vec![0; decoder.output_buffer_size().unwrap()];
    (0..decoder.num_frames()).map(|_| (decoder.read_frame(&mut buffer).unwrap(), buffer.clone())).collect()
}

#[test]
fn every_frame_of_an_animation() {
    let even = [(0, 0, 20, 12, 2), (4, 2, 6, 4, 0), (10, 8, 10, 4, 1), (2, 2, 2, 2, 3)];
    let odd = [(0, 0, 20, 12, 2), (4, 2, 5, 3, 1), (10, 8, 9, 4, 0), (0, 0, 3, 3, 3)];
    for places in [even, odd] {
        let file = animation(&places);
        let before = shown(&file);
        for direction in DIRECTIONS {
            let flipped = run(&file, &towards(direction)).unwrap();
            let after = shown(&flipped.bytes);
            assert_eq!(after.len(), before.len());
            for (index, (old, new)) in before.iter().zip(&after).enumerate() {
                assert_eq!(new.0, old.0);
                // A fully transparent pixel has no colour to compare.
                let visible = |pixels: &[u8]| -> Vec<[u8; 4]> {
                    let pixels = pixels.as_chunks::<4>().0.iter();
                    pixels.map(|&pixel| if pixel[3] == 0 { [0; 4] } else { pixel }).collect()
                };
                let mirrored = expected(&old.1, 20, 4, direction);
                assert_eq!(visible(&new.1), visible(&mirrored), "frame {index}, {direction:?}");
            }
        }
    }
}
