//! What is refused, and how.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, flip};
use rustcluster::error::{Error, Result};
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;

fn code(result: Result<Vec<u8>>) -> &'static str {
    result.expect_err("must be refused").code().expect("has a code")
}

/// The offset of the first segment of that kind.
pub fn find(file: &[u8], marker: u8) -> usize {
    let mut at = 2;
    while file[at + 1] != marker {
        at += 2 + (usize::from(file[at + 2]) << 8 | usize::from(file[at + 3]));
    }
    at
}

#[test]
fn a_dimension_that_is_not_whole_mcus() {
    for (name, sampling, mcu_x, mcu_y) in SAMPLINGS {
        let wide = Kind::new(mcu_x * 2 + 1, mcu_y * 2, sampling).encode();
        assert!(flip(&wide, Direction::Vertical).is_ok(), "{name}");
        assert_eq!(code(flip(&wide, Direction::Horizontal)), "ERR_NOT_LOSSLESS", "{name}");
        assert_eq!(code(flip(&wide, Direction::Both)), "ERR_NOT_LOSSLESS", "{name}");
        let high = Kind::new(mcu_x * 2, mcu_y * 2 - 1, sampling).encode();
        assert!(flip(&high, Direction::Horizontal).is_ok(), "{name}");
        assert_eq!(code(flip(&high, Direction::Vertical)), "ERR_NOT_LOSSLESS", "{name}");
    }
    let tall = Kind::new(16, 24, SAMPLINGS[3].1).encode();
    let Err(Error::NotLossless(why)) = flip(&tall, Direction::Vertical) else { panic!("must be refused") };
    assert_eq!(why, "the height 24 is not a multiple of the MCU's 16");
}

#[test]
fn frames_of_other_kinds() {
    let file = Kind::new(16, 16, SAMPLINGS[0].1).encode();
    let sof = find(&file, 0xC0);
    for marker in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
        let mut other = file.clone();
        other[sof + 1] = marker;
        assert_eq!(code(flip(&other, Direction::Vertical)), "ERR_IMAGE_UNSUPPORTED", "{marker:X}");
    }
    let mut twelve_bit = file.clone();
    (twelve_bit[sof + 1], twelve_bit[sof + 4]) = (0xC1, 12);
    assert_eq!(code(flip(&twelve_bit, Direction::Vertical)), "ERR_IMAGE_UNSUPPORTED");
    let mut no_height = file.clone();
    no_height[sof + 5..sof + 7].fill(0);
    assert_eq!(code(flip(&no_height, Direction::Vertical)), "ERR_IMAGE_UNSUPPORTED");
    let mut dnl = file.clone();
    dnl.splice(file.len() - 2.., [0xFF, 0xDC, 0, 4, 0, 16, 0xFF, 0xD9]);
    assert_eq!(code(flip(&dnl, Direction::Vertical)), "ERR_IMAGE_UNSUPPORTED");
}

#[test]
fn what_is_no_jpeg() {
    for bytes in [&b""[..], b"\xFF", b"\xFF\xD8", b"\xFF\xD8\xFF\xD9", b"GIF89a", &[0xFF; 300]] {
        for direction in DIRECTIONS {
            assert_eq!(code(flip(bytes, direction)), "ERR_IMAGE_CORRUPT", "{bytes:?}");
        }
    }
}

#[test]
fn an_aborted_job() {
    let control = Control::new();
    control.abort();
    let file = Kind::new(16, 16, SAMPLINGS[0].1).encode();
    assert_eq!(code(lossless::flip(&file, Direction::Vertical, &[], &[], &control)), "ABORT_ERR");
}

#[test]
fn a_header_that_promises_more_than_the_file_holds() {
    let mut file = Kind::new(16, 16, SAMPLINGS[0].1).encode();
    let sof = find(&file, 0xC0);
    file[sof + 5..sof + 9].fill(0xF8);
    assert_eq!(code(flip(&file, Direction::Vertical)), "ERR_IMAGE_CORRUPT");
}

#[test]
fn corrupt_entropy_coded_data() {
    for progressive in [false, true] {
        let file = Kind { progressive, ..Kind::new(64, 64, SAMPLINGS[3].1) }.encode();
        let sos = find(&file, 0xDA);
        let data = sos + 2 + usize::from(file[sos + 3]);
        let mut ones = file.clone();
        for (i, byte) in ones[data..data + 60].iter_mut().enumerate() {
            // 0xFF00 throughout: the code of all ones that no table has.
            *byte = if i % 2 == 0 { 0xFF } else { 0 };
        }
        assert_eq!(code(flip(&ones, Direction::Vertical)), "ERR_IMAGE_CORRUPT");
        let mut cut = file.clone();
        cut.drain(data + 10..data + 40);
        assert_eq!(code(flip(&cut, Direction::Vertical)), "ERR_IMAGE_CORRUPT");
    }
}

#[test]
fn restart_markers_out_of_order() {
    let file = Kind { restart: 1, ..Kind::new(64, 64, SAMPLINGS[3].1) }.encode();
    let first = file.windows(2).position(|pair| pair == [0xFF, 0xD0]).expect("has RST0");
    let mut swapped = file.clone();
    swapped[first + 1] = 0xD1;
    assert_eq!(code(flip(&swapped, Direction::Vertical)), "ERR_IMAGE_CORRUPT");
    let mut missing = file.clone();
    missing.drain(first..first + 2);
    assert_eq!(code(flip(&missing, Direction::Vertical)), "ERR_IMAGE_CORRUPT");
}

#[test]
fn scans_without_end() {
    // A large gray picture, then one refinement after the other, all of them blank.
    let header = [&[0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, 0x10, 0, 0x10, 0, 1, 1, 0x11, 0][..]].concat();
    // Both tables have the one code 0: DC category 0, and EOB14.
    let table = |class: u8, symbol: u8| [&[0xFF, 0xC4, 0, 20, class, 1][..], &[0; 15], &[symbol]].concat();
    let scan = |ss: u8, se: u8, ah_al: u8| [0xFF, 0xDA, 0, 8, 1, 1, 0, ss, se, ah_al];
    let blocks = 512 * 512;
    let mut file = [header, table(0, 0), table(0x10, 0xE0)].concat();
    file.extend(scan(0, 0, 0));
    file.extend(vec![0; blocks / 8]);
    for k in 1..64 {
        file.extend(scan(k, k, 0));
        // Runs of 16384: a zero bit and fourteen more zeros each.
        file.extend(vec![0; (blocks / 16384 * 15).div_ceil(8)]);
    }
    file.extend([0xFF, 0xD9]);
    let Err(Error::ImageUnsupported(why)) = flip(&file, Direction::Vertical) else { panic!("must be refused") };
    assert_eq!(why, "JPEG: too many scans");
}
