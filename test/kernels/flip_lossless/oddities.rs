//! Rare but legal files.

use super::flip_checked;
use super::make::{Kind, SAMPLINGS};
use super::refusals::find;
use rustcluster::kernels::flip::Direction;

#[test]
fn extended_sequential() {
    let mut file = Kind::new(16, 16, SAMPLINGS[0].1).encode();
    let sof = find(&file, 0xC0);
    file[sof + 1] = 0xC1;
    flip_checked(&file, Direction::Both, "SOF1");
}

#[test]
fn sixteen_bit_quantisers() {
    let file = Kind::new(32, 32, SAMPLINGS[3].1).encode();
    let dqt = find(&file, 0xDB);
    let mut wide = file.clone();
    let values = file[dqt + 5..dqt + 69].iter().flat_map(|&value| [1, value]);
    wide.splice(dqt..dqt + 69, [0xFF, 0xDB, 0, 131, 0x10 | file[dqt + 4]].into_iter().chain(values));
    let flipped = flip_checked(&wide, Direction::Vertical, "16-bit DQT");
    assert!(flipped.windows(131).any(|window| *window == wide[dqt + 2..dqt + 133]), "the table has to stay");
}

#[test]
fn fill_bytes_before_markers() {
    let plain = Kind { restart: 1, ..Kind::new(48, 48, SAMPLINGS[3].1) }.encode();
    let mut filled = Vec::new();
    for (i, &byte) in plain.iter().enumerate() {
        // 0xFF that neither is stuffed nor stands within a segment: EOI and RSTn will do, and the first segments.
        let next = plain.get(i + 1).copied().unwrap_or(0);
        if byte == 0xFF && (matches!(next, 0xD0..=0xD7 | 0xD9) || i == find(&plain, 0xC0) || i == find(&plain, 0xDA)) {
            filled.extend([0xFF; 3]);
        }
        filled.push(byte);
    }
    assert!(filled.len() > plain.len());
    for direction in super::DIRECTIONS {
        let flipped = flip_checked(&filled, direction, "fill bytes");
        assert_eq!(flipped, super::flip(&plain, direction).unwrap());
    }
}

#[test]
fn tables_defined_again_between_scans() {
    // Two gray files' scans as two components of one, each with a Huffman table 0 of its own.
    let gray = |seed| Kind {
        color: jpeg_encoder::ColorType::Luma,
        optimised: true,
        seed,
        ..Kind::new(24, 24, SAMPLINGS[0].1)
    };
    let (first, second) = (gray(1).encode(), Kind { quality: 30, ..gray(2) }.encode());
    let sos = find(&first, 0xDA);
    let mut file = [&[0xFF, 0xD8][..], &first[find(&first, 0xDB)..][..69]].concat();
    file.extend([0xFF, 0xC0, 0, 14, 8, 0, 24, 0, 24, 2, 1, 0x11, 0, 2, 0x11, 0]);
    for (id, source) in [(1, &first), (2, &second)] {
        let mut at = 2;
        while source[at + 1] != 0xDA {
            let length = 2 + (usize::from(source[at + 2]) << 8 | usize::from(source[at + 3]));
            if source[at + 1] == 0xC4 {
                file.extend(&source[at..at + length]);
            }
            at += length;
        }
        file.extend([0xFF, 0xDA, 0, 8, 1, id, 0, 0, 63, 0]);
        file.extend(&source[at + 10..source.len() - 2]);
    }
    file.extend([0xFF, 0xD9]);
    assert_eq!(first[sos + 4], 1, "one component");
    for direction in super::DIRECTIONS {
        flip_checked(&file, direction, "two tables");
    }
}
