//! Bitmaps: every depth, both row orders, run lengths.

use super::{DIRECTIONS, expected, pictures, run, towards};

/// A bitmap with a BITMAPINFOHEADER; `rows` as they are stored.
fn bitmap(width: i32, height: i32, bits: u16, compression: u32, palette: usize, rows: &[u8]) -> Vec<u8> {
    let offset = 54 + palette * 4;
    let mut out = b"BM".to_vec();
    out.extend_from_slice(&((offset + rows.len()) as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(offset as u32).to_le_bytes());
    out.extend_from_slice(&40u32.to_le_bytes());
    out.extend_from_slice(&width.to_le_bytes());
    out.extend_from_slice(&height.to_le_bytes());
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(&compression.to_le_bytes());
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&(palette as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend((0..palette * 4).map(|n| if n % 4 == 3 { 0 } else { (n / 4 * 37) as u8 }));
    out.extend_from_slice(rows);
    out
}

fn check(file: &[u8], name: &str) {
    let (width, _, pixels) = pictures::decoded(file);
    for direction in DIRECTIONS {
        let flipped = run(file, &towards(direction)).unwrap();
        assert_eq!(pictures::decoded(&flipped.bytes).2, expected(&pixels, width as usize, 8, direction), "{name}");
        let back = run(&flipped.bytes, &towards(direction)).unwrap();
        assert_eq!(pictures::decoded(&back.bytes).2, pixels);
    }
}

#[test]
fn every_depth_and_row_order() {
    for (bits, palette) in [(1, 2), (4, 16), (8, 256), (16, 0), (24, 0), (32, 0)] {
        for width in [1, 5, 8, 13] {
            for height in [6, -6, 1] {
                let stride = (width as usize * bits as usize).div_ceil(32) * 4;
                let rows = pictures::noise(stride * 6, bits.into());
                let rows = &rows[..stride * i32::unsigned_abs(height) as usize];
                let file = bitmap(width, height, bits, 0, palette, rows);
                check(&file, &format!("{bits} bits, {width} x {height}"));
                let flipped = run(&file, &towards(super::Direction::Both)).unwrap();
                assert_eq!(flipped.bytes.len(), file.len());
                assert_eq!(flipped.bytes[..54 + palette * 4], file[..54 + palette * 4]);
            }
        }
    }
}

#[test]
fn run_lengths_come_out_plain() {
    // A run, an absolute run with padding, a jump, an end of line in mid-row.
    let rle8 = [4, 9, 0, 3, 1, 2, 3, 0, 0, 0, 2, 7, 0, 2, 1, 1, 2, 5, 0, 0, 7, 8, 0, 1];
    check(&bitmap(7, 4, 8, 1, 256, &rle8), "RLE8");
    let rle4 = [5, 0x12, 0, 0, 0, 5, 0x34, 0x56, 0x70, 0, 0, 0, 7, 0x89, 0, 1];
    check(&bitmap(7, 3, 4, 2, 16, &rle4), "RLE4");
    let endless = bitmap(7, 3, 4, 2, 16, &rle4[..rle4.len() - 2]);
    assert!(run(&endless, &towards(super::Direction::Both)).is_err());
}
