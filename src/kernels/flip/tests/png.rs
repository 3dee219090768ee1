//! PNG: every colour type and depth, interlacing, ancillary chunks, orientation, APNG.

use super::{DIRECTIONS, Direction, expected, pictures, run, towards};
use crate::kernels::flip::bytes::Endian;
use crate::kernels::flip::exif::tests::sample;
use png::{BitDepth, ColorType, Decoder, Encoder};
use std::io::Cursor;

const ALL: [(ColorType, BitDepth); 15] = [
    (ColorType::Grayscale, BitDepth::One),
    (ColorType::Grayscale, BitDepth::Two),
    (ColorType::Grayscale, BitDepth::Four),
    (ColorType::Grayscale, BitDepth::Eight),
    (ColorType::Grayscale, BitDepth::Sixteen),
    (ColorType::Rgb, BitDepth::Eight),
    (ColorType::Rgb, BitDepth::Sixteen),
    (ColorType::Indexed, BitDepth::One),
    (ColorType::Indexed, BitDepth::Two),
    (ColorType::Indexed, BitDepth::Four),
    (ColorType::Indexed, BitDepth::Eight),
    (ColorType::GrayscaleAlpha, BitDepth::Eight),
    (ColorType::GrayscaleAlpha, BitDepth::Sixteen),
    (ColorType::Rgba, BitDepth::Eight),
    (ColorType::Rgba, BitDepth::Sixteen),
];

fn picture(width: u32, height: u32, color: ColorType, depth: BitDepth) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette(pictures::noise(3 << depth as usize, 3));
        encoder.set_trns(vec![0, 100]);
    }
    let stride = (width as usize * color.samples() * depth as usize).div_ceil(8);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pictures::noise(stride * height as usize, width)).unwrap();
    writer.finish().unwrap();
    out
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// `file` with `extra` chunks behind its header.
fn with_chunks(file: &[u8], extra: &[Vec<u8>]) -> Vec<u8> {
    [&file[..33], &extra.concat(), &file[33..]].concat()
}

#[test]
fn every_color_type_and_depth() {
    for (color, depth) in ALL {
        for width in [1, 7, 16] {
            let file = picture(width, 5, color, depth);
            let (_, _, pixels) = pictures::decoded(&file);
            for direction in DIRECTIONS {
                let flipped = run(&file, &towards(direction)).unwrap();
                let name = format!("{color:?} {depth:?} {width} {direction:?}");
                assert_eq!(
                    pictures::decoded(&flipped.bytes).2,
                    expected(&pixels, width as usize, 8, direction),
                    "{name}"
                );
                let reader = Decoder::new(Cursor::new(&flipped.bytes)).read_info().unwrap();
                assert_eq!((reader.info().color_type, reader.info().bit_depth), (color, depth));
                assert_eq!(reader.info().palette.is_some(), color == ColorType::Indexed);
            }
        }
    }
}

/// An 8-bit gray picture of 5 x 5 in Adam7 order, for which no encoder is at hand.
#[test]
fn interlaced_pictures_come_out_whole() {
    let pixels: Vec<u8> = (0..25).map(|n| n * 10).collect();
    let mut raw = Vec::new();
    for (x0, y0, dx, dy) in
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    {
        for y in (y0..5).step_by(dy) {
            raw.push(0);
            raw.extend((x0..5).step_by(dx).map(|x| pixels[y * 5 + x]));
        }
    }
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zlib, &raw).unwrap();
    let header = [0, 0, 0, 5, 0, 0, 0, 5, 8, 0, 0, 0, 1];
    let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &zlib.finish().unwrap()), chunk(b"IEND", &[])];
    let file = [&b"\x89PNG\r\n\x1A\n"[..], &parts.concat()].concat();
    let flipped = run(&file, &towards(Direction::Both)).unwrap();
    let gray = image::load_from_memory(&flipped.bytes).unwrap().into_luma8();
    assert_eq!(gray.into_raw(), expected(&pixels, 5, 1, Direction::Both));
}

#[test]
fn chunks_that_stay_true_stay() {
    let kept = [
        chunk(b"gAMA", &45455u32.to_be_bytes()),
        chunk(b"pHYs", &[0, 0, 11, 19, 0, 0, 11, 19, 1]),
        chunk(b"iCCP", b"name\0\0not a real profile"),
        chunk(b"tEXt", b"Comment\0hello"),
    ];
    let file = with_chunks(&picture(9, 9, ColorType::Rgb, BitDepth::Eight), &kept);
    let file = with_chunks(&file, &[chunk(b"iDOT", &[1; 28])]);
    let flipped = run(&file, &towards(Direction::Horizontal)).unwrap().bytes;
    for chunk in kept {
        assert!(flipped.windows(chunk.len()).any(|window| window == chunk));
    }
    assert!(!flipped.windows(4).any(|window| window == b"iDOT"));
}

#[test]
fn what_people_see_is_flipped() {
    let file = picture(9, 5, ColorType::Rgb, BitDepth::Eight);
    let (_, _, pixels) = pictures::decoded(&file);
    for orientation in 1..=8 {
        let file = with_chunks(&file, &[chunk(b"eXIf", &sample(Endian::Big, orientation, b"no JPEG"))]);
        let stored = if orientation >= 5 { Direction::Horizontal } else { Direction::Vertical };
        let flipped = run(&file, &towards(Direction::Vertical)).unwrap();
        assert_eq!(pictures::decoded(&flipped.bytes).2, expected(&pixels, 9, 8, stored), "{orientation}");
    }
}

#[test]
fn every_frame_of_an_apng() {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 12, 8);
    encoder.set_color(ColorType::Rgba);
    encoder.set_animated(3, 2).unwrap();
    encoder.set_frame_delay(1, 25).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let sizes = [(0, 0, 12, 8), (1, 2, 5, 3), (7, 0, 5, 8)];
    for (index, (x, y, width, height)) in sizes.into_iter().enumerate() {
        if index > 0 {
            writer.reset_frame_position().unwrap();
            writer.set_frame_dimension(width, height).unwrap();
            writer.set_frame_position(x, y).unwrap();
            writer.set_blend_op(png::BlendOp::Over).unwrap();
            writer.set_dispose_op(png::DisposeOp::Previous).unwrap();
        }
        writer.write_image_data(&pictures::noise((width * height * 4) as usize, index as u32)).unwrap();
    }
    writer.finish().unwrap();
    for direction in DIRECTIONS {
        let flipped = run(&out, &towards(direction)).unwrap();
        let mut reader = Decoder::new(Cursor::new(&flipped.bytes)).read_info().unwrap();
        assert_eq!(reader.info().animation_control().unwrap().num_plays, 2);
        for (index, (x, y, width, height)) in sizes.into_iter().enumerate() {
            let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut buffer).unwrap();
            let control = *reader.info().frame_control().unwrap();
            let left = if direction == Direction::Vertical { x } else { 12 - x - width };
            let top = if direction == Direction::Horizontal { y } else { 8 - y - height };
            assert_eq!((control.x_offset, control.y_offset, control.width, control.height), (left, top, width, height));
            assert_eq!((control.delay_num, control.delay_den), (1, 25));
            let pixels = pictures::noise((width * height * 4) as usize, index as u32);
            assert_eq!(buffer[..info.buffer_size()], expected(&pixels, width as usize, 4, direction));
        }
    }
}
