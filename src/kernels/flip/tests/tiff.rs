//! TIFF: every coding, predictor, byte order, strips, tiles, planes, pages.

use super::{DIRECTIONS, Direction, expected, pictures, run, towards};
use crate::kernels::flip::bytes::Endian;
use std::io::Cursor;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::encoder::{Compression, DeflateLevel, Predictor, Rational, TiffEncoder, TiffKindBig, colortype};
use tiff::tags::{ResolutionUnit, Tag};

/// All pages as bytes, with the size of a pixel.
fn pages(file: &[u8]) -> Vec<(usize, usize, Vec<u8>)> {
    let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
    let mut out = Vec::new();
    loop {
        let (width, height) = decoder.dimensions().unwrap();
        let bytes = match decoder.read_image().unwrap() {
            DecodingResult::U8(values) => values,
            DecodingResult::U16(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
            DecodingResult::F32(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
            _ => panic!("unexpected samples"),
        };
        out.push((width as usize, bytes.len() / (width * height) as usize, bytes));
        if !decoder.more_images() {
            return out;
        }
        decoder.next_image().unwrap();
    }
}

fn check(file: &[u8], name: &str) {
    let before = pages(file);
    for direction in DIRECTIONS {
        let flipped = run(file, &towards(direction)).unwrap();
        let after = pages(&flipped.bytes);
        assert_eq!(after.len(), before.len(), "{name}");
        for ((width, size, old), (_, _, new)) in before.iter().zip(&after) {
            assert_eq!(*new, expected(old, *width, *size, direction), "{name}, {direction:?}");
        }
        assert!(flipped.bytes.len() < file.len() * 9 / 8 + 1200, "{name}: {} from {}", flipped.bytes.len(), file.len());
    }
}

const CODINGS: [Compression; 4] =
    [Compression::Uncompressed, Compression::Lzw, Compression::Deflate(DeflateLevel::Balanced), Compression::Packbits];

#[test]
fn every_coding_and_predictor() {
    let (width, height) = (37, 29);
    let photo = pictures::photo(width, height);
    let wide: Vec<u16> = pictures::noise(width * height * 4, 5).iter().map(|&value| u16::from(value) * 201).collect();
    let float: Vec<f32> = wide.iter().take(width * height).map(|&value| f32::from(value) / 3.0).collect();
    let (width, height) = (width as u32, height as u32);
    for compression in CODINGS {
        for predictor in [Predictor::None, Predictor::Horizontal] {
            let mut out = Cursor::new(Vec::new());
            let encoder = TiffEncoder::new(&mut out).unwrap();
            let mut encoder = encoder.with_compression(compression).with_predictor(predictor);
            encoder.write_image::<colortype::RGB8>(width, height, &photo).unwrap();
            encoder.write_image::<colortype::RGBA16>(width, height, &wide).unwrap();
            encoder.write_image::<colortype::Gray8>(width, height, &photo[..(width * height) as usize]).unwrap();
            check(
                out.get_ref(),
                &format!("{:?} {predictor:?}", CODINGS.iter().position(|&other| other == compression)),
            );
        }
        let mut out = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::<_, TiffKindBig>::new_big(&mut out).unwrap().with_compression(compression);
        encoder.write_image::<colortype::Gray32Float>(width, height, &float).unwrap();
        encoder.write_image::<colortype::CMYK8>(width, height, &pictures::noise(37 * 29 * 4, 6)).unwrap();
        check(out.get_ref(), "BigTIFF");
    }
}

#[test]
fn tags_stay_where_they_are() {
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap().with_compression(Compression::Lzw);
    let mut image = encoder.new_image::<colortype::Gray8>(20, 10).unwrap();
    image.resolution(ResolutionUnit::Inch, Rational { n: 300, d: 1 });
    image.rows_per_strip(3).unwrap();
    image.encoder().write_tag(Tag::Artist, "somebody").unwrap();
    image.encoder().write_tag(Tag::ModelTiepointTag, &[1.0f64, 2.0, 3.0][..]).unwrap();
    image.encoder().write_tag(Tag::Orientation, 6u16).unwrap();
    image.write_data(&pictures::noise(200, 9)).unwrap();
    let file = out.into_inner();
    let flipped = run(&file, &towards(Direction::Vertical)).unwrap();
    let mut decoder = Decoder::new(Cursor::new(&flipped.bytes)).unwrap();
    assert_eq!(decoder.get_tag_ascii_string(Tag::Artist).unwrap(), "somebody");
    assert_eq!(decoder.get_tag_u32(Tag::Orientation).unwrap(), 6);
    assert_eq!(decoder.get_tag_u32(Tag::RowsPerStrip).unwrap(), 3);
    assert!(decoder.find_tag(Tag::XResolution).unwrap().is_some());
    assert!(decoder.find_tag(Tag::ModelTiepointTag).unwrap().is_none());
    // Seen upside down, stored from right to left.
    assert_eq!(pages(&flipped.bytes)[0].2, expected(&pictures::noise(200, 9), 20, 1, Direction::Horizontal));
}

/// A TIFF of one page with the given tags, which must be in order, and image data.
fn handmade(endian: Endian, tags: &[(u16, &[u32])], offsets: (u16, u16), chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = if endian == Endian::Little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
    out.resize(8, 0);
    let mut starts = Vec::new();
    for chunk in chunks {
        starts.push(out.len() as u32);
        out.extend_from_slice(chunk);
    }
    let lengths: Vec<u32> = chunks.iter().map(|chunk| chunk.len() as u32).collect();
    let mut all: Vec<(u16, &[u32])> = tags.to_vec();
    all.extend([(offsets.0, &starts[..]), (offsets.1, &lengths[..])]);
    all.sort_by_key(|entry| entry.0);
    let directory = out.len().next_multiple_of(2);
    out.resize(directory + 2 + all.len() * 12 + 4, 0);
    endian.put(&mut out, 4, 4, directory as u64).unwrap();
    endian.put(&mut out, directory, 2, all.len() as u64).unwrap();
    for (index, (tag, values)) in all.into_iter().enumerate() {
        let at = directory + 2 + index * 12;
        endian.put(&mut out, at, 2, tag.into()).unwrap();
        endian.put(&mut out, at + 2, 2, 4).unwrap();
        endian.put(&mut out, at + 4, 4, values.len() as u64).unwrap();
        let mut value = at + 8;
        if values.len() > 1 {
            value = out.len();
            endian.put(&mut out, at + 8, 4, value as u64).unwrap();
            out.resize(value + values.len() * 4, 0);
        }
        for (index, &number) in values.iter().enumerate() {
            endian.put(&mut out, value + index * 4, 4, number.into()).unwrap();
        }
    }
    out
}

#[test]
fn tiles_planes_and_bilevel_in_both_byte_orders() {
    for endian in [Endian::Little, Endian::Big] {
        let tiles: Vec<Vec<u8>> = (0..6).map(|index| pictures::noise(16 * 16, index)).collect();
        let tags: [(u16, &[u32]); 7] =
            [(256, &[40]), (257, &[20]), (258, &[8]), (259, &[1]), (262, &[1]), (322, &[16]), (323, &[16])];
        check(&handmade(endian, &tags, (324, 325), &tiles), "tiles");

        let planes: Vec<Vec<u8>> = (0..3).map(|index| pictures::noise(9 * 7, index)).collect();
        let tags: [(u16, &[u32]); 7] =
            [(256, &[9]), (257, &[7]), (258, &[8, 8, 8]), (259, &[1]), (262, &[2]), (277, &[3]), (284, &[2])];
        check(&handmade(endian, &tags, (273, 279), &planes), "planes");
    }
}

#[test]
fn single_bits_turn_round() {
    let tags: [(u16, &[u32]); 3] = [(256, &[11]), (257, &[2]), (262, &[1])];
    let file = handmade(Endian::Big, &tags, (273, 279), &[vec![0b1100_0000, 0b0010_0000, 0b0000_0001, 0b1000_0000]]);
    let flipped = run(&file, &towards(Direction::Horizontal)).unwrap().bytes;
    assert_eq!(flipped[8..12], [0b1000_0000, 0b0110_0000, 0b0011_0000, 0b0000_0000]);
}

#[test]
fn codings_without_an_encoder_are_named() {
    for coding in [2, 4, 7, 50000] {
        let tags: [(u16, &[u32]); 3] = [(256, &[8]), (257, &[1]), (259, &[coding])];
        let file = handmade(Endian::Little, &tags, (273, 279), &[vec![0]]);
        let result = run(&file, &towards(Direction::Both));
        assert!(matches!(result, Err(crate::error::Error::ImageUnsupported(_))), "{coding}");
    }
}
