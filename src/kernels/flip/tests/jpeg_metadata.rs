//! JPEG metadata: what stays, what is corrected, what goes.

use super::pictures::{Coded, jpeg, photo};
use super::{DIRECTIONS, Direction, expected, run, towards};
use crate::kernels::flip::bytes::Endian;
use crate::kernels::flip::exif::tests::{sample, thumbnail};
use crate::kernels::flip::jpeg::mpf::{self, tests::join};
use crate::kernels::flip::jpeg::{photoshop, segments};
use crate::kernels::flip::xmp;
use jpeg_encoder::{ColorType, SamplingFactor};

fn plain(width: usize, height: usize) -> Vec<u8> {
    let coded = Coded { factor: SamplingFactor::F_1_1, quality: 95, ..Coded::default() };
    jpeg(&photo(width, height), width, height, ColorType::Rgb, coded)
}

/// `file` with segments behind SOI.
fn with(file: &[u8], extra: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = file[..2].to_vec();
    for (code, payload) in extra {
        assert!(segments::push(&mut out, *code, payload));
    }
    out.extend_from_slice(&file[2..]);
    out
}

fn payloads(file: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let layout = segments::parse(file).unwrap();
    let metadata = layout.segments.iter().filter(|segment| segments::marker::is_metadata(segment.code));
    metadata.map(|segment| (segment.code, segment.payload.to_vec())).collect()
}

fn rgb(file: &[u8]) -> Vec<u8> {
    zune_jpeg::JpegDecoder::new(zune_core::bytestream::ZCursor::new(file)).decode().unwrap()
}

/// The mean difference of samples: small when one picture is the other in the other coding.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

#[test]
fn what_stays_true_stays_in_order() {
    let extra = vec![
        (0xE2, [b"ICC_PROFILE\0\x01\x01".to_vec(), vec![7; 500]].concat()),
        (0xE1, [xmp::SIGNATURE, b"<x:xmpmeta><dc:title>t</dc:title></x:xmpmeta>"].concat()),
        (0xFE, b"a comment".to_vec()),
        (0xE5, b"a maker's own".to_vec()),
    ];
    let file = [with(&plain(20, 20), &extra), b"bytes behind the end".to_vec()].concat();
    let flipped = run(&file, &towards(Direction::Vertical)).unwrap().bytes;
    assert_eq!(payloads(&flipped), payloads(&file));
    assert!(flipped.ends_with(b"\xFF\xD9bytes behind the end"));
}

#[test]
fn what_becomes_false_goes() {
    let resource = |id: u16| [b"8BIM".as_slice(), &id.to_be_bytes(), &[0, 0, 0, 0, 0, 2, 1, 2]].concat();
    let extra = vec![
        (0xEB, b"JP\0\0 a signed claim".to_vec()),
        (0xED, [photoshop::SIGNATURE, &resource(1028), &resource(1036)].concat()),
        (0xE1, [xmp::SIGNATURE, b"<a><mwg-rs:Regions>faces</mwg-rs:Regions><b/></a>"].concat()),
    ];
    let flipped = run(&with(&plain(20, 20), &extra), &towards(Direction::Vertical)).unwrap().bytes;
    let left = payloads(&flipped);
    assert!(!left.iter().any(|(code, _)| *code == 0xEB));
    assert!(left.contains(&(0xED, [photoshop::SIGNATURE, &resource(1028)].concat())));
    assert!(left.contains(&(0xE1, [xmp::SIGNATURE, b"<a><b/></a>"].concat())));
}

#[test]
fn what_people_see_is_flipped_and_the_thumbnail_with_it() {
    let (picture, small) = (plain(40, 24), plain(16, 8));
    for orientation in 1..=8 {
        for direction in DIRECTIONS {
            let exif = [b"Exif\0\0".to_vec(), sample(Endian::Little, orientation, &small)].concat();
            let file = with(&picture, &[(0xE1, exif)]);
            let flipped = run(&file, &towards(direction)).unwrap().bytes;
            let stored = match direction {
                Direction::Vertical if orientation >= 5 => Direction::Horizontal,
                Direction::Horizontal if orientation >= 5 => Direction::Vertical,
                other => other,
            };
            assert!(difference(&rgb(&flipped), &expected(&rgb(&file), 40, 3, stored)) < 2.0);
            let (_, exif) = payloads(&flipped).into_iter().find(|(code, _)| *code == 0xE1).unwrap();
            assert_eq!(crate::kernels::flip::exif::orientation(&exif[6..]), Some(orientation.into()));
            let new = rgb(thumbnail(&exif[6..]).unwrap());
            assert!(difference(&new, &expected(&rgb(&small), 16, 3, stored)) < 3.0, "{orientation} {direction:?}");
        }
    }
}

#[test]
fn a_jfif_thumbnail_is_flipped() {
    let mut file = plain(16, 16);
    let pixels: Vec<u8> = (0..3 * 2 * 3).collect();
    let payload = [&b"JFIF\0\x01\x02\0\0\x01\0\x01\x03\x02"[..], &pixels].concat();
    file = with(&[&[0xFF, 0xD8], &file[20..]].concat(), &[(0xE0, payload)]);
    let flipped = run(&file, &towards(Direction::Both)).unwrap().bytes;
    assert_eq!(payloads(&flipped)[0].1[14..], expected(&pixels, 3, 3, Direction::Both));
}

#[test]
fn pictures_behind_the_first_are_flipped_and_found() {
    let (first, second, third) = (plain(40, 24), plain(24, 24), plain(16, 8));
    let packet = format!("<a hdrgm:Version=\"1.0\" Item:Length=\"{}\"/>", second.len());
    let first = with(&first, &[(0xE1, [xmp::SIGNATURE, packet.as_bytes()].concat())]);
    let mut file = join(&first, &[&second, &third]);
    file.extend_from_slice(b"a film");
    for direction in DIRECTIONS {
        let flipped = run(&file, &towards(direction)).unwrap().bytes;
        let layout = segments::parse(&flipped).unwrap();
        let index = mpf::read(&flipped, &layout).unwrap();
        let places: Vec<_> = index.pictures.into_iter().map(Option::unwrap).collect();
        for (place, (old, width)) in places.iter().zip([(&second, 24), (&third, 16)]) {
            let new = rgb(&flipped[place.clone()]);
            assert!(difference(&new, &expected(&rgb(old), width, 3, direction)) < 3.0);
        }
        assert_eq!(places[0].start, layout.end);
        assert!(flipped.ends_with(b"a film"));
        let packet = payloads(&flipped).into_iter().find(|(code, _)| *code == 0xE1).unwrap().1;
        let length = format!("Item:Length=\"{}\"", places[0].len());
        assert!(String::from_utf8_lossy(&packet).contains(&length));
    }
}

#[test]
fn a_gain_map_that_cannot_be_flipped_goes_with_all_that_names_it() {
    let packet = b"<a dc:title='t' hdrgm:Version=\"1.0\"><Container:Directory>x</Container:Directory></a>";
    let first = with(
        &plain(40, 24),
        &[(0xE1, [xmp::SIGNATURE, packet].concat()), (0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0".to_vec())],
    );
    let file = [join(&first, &[b"no picture at all"]), b"tail".to_vec()].concat();
    let flipped = run(&file, &towards(Direction::Vertical)).unwrap().bytes;
    let left = payloads(&flipped);
    assert!(!left.iter().any(|(code, _)| *code == 0xE2));
    assert!(left.contains(&(0xE1, [xmp::SIGNATURE, b"<a dc:title='t' ></a>"].concat())), "{left:?}");
    assert!(flipped.ends_with(b"\xFF\xD9tail"));
}
