//! Mirrors a buffer of pixels in place.

use super::options::Direction;
use crate::error::Result;
use crate::kernels::control::Control;

/// How pixels lie in a buffer: `rows` rows of `stride` bytes, each of `width` pixels of `bits` bits.
///
/// Pixels of less than a byte are packed from the most significant bit on; what is left of a row is padding.
#[derive(Debug, Clone, Copy)]
pub struct Raster {
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub rows: usize,
    /// Bytes from the start of a row to the start of the next, at least `width * bits / 8`.
    pub stride: usize,
    /// Bits of a pixel, all its samples together.
    pub bits: usize,
}

/// Mirrors the pixels of `buffer` along the stored axes. Padding bytes of a row stay with their row.
///
/// # Errors
/// `Aborted`, looked at once per row.
pub fn mirror(buffer: &mut [u8], raster: Raster, direction: Direction, control: &Control) -> Result<()> {
    if direction != Direction::Horizontal {
        swap_rows(buffer, raster, control)?;
    }
    if direction != Direction::Vertical {
        for row in buffer.chunks_exact_mut(raster.stride.max(1)).take(raster.rows) {
            control.check()?;
            reverse_row(row, raster.width, raster.bits);
        }
    }
    Ok(())
}

fn swap_rows(buffer: &mut [u8], raster: Raster, control: &Control) -> Result<()> {
    let Raster { rows, stride, .. } = raster;
    let Some(picture) = buffer.get_mut(..rows * stride) else { return Ok(()) };
    let (upper, lower) = picture.split_at_mut(rows / 2 * stride);
    // An odd row in the middle heads the lower half and stays where it is.
    for (top, bottom) in upper.chunks_exact_mut(stride.max(1)).zip(lower.chunks_exact_mut(stride.max(1)).rev()) {
        control.check()?;
        top.swap_with_slice(bottom);
    }
    Ok(())
}

/// Reverses the order of the `width` pixels of `bits` bits at the start of `row`.
pub fn reverse_row(row: &mut [u8], width: usize, bits: usize) {
    let used = (width * bits).div_ceil(8).min(row.len());
    let row = &mut row[..used];
    match bits {
        1 | 2 | 4 => reverse_packed(row, width, bits),
        8 => row.reverse(),
        16 => row.as_chunks_mut::<2>().0.reverse(),
        24 => row.as_chunks_mut::<3>().0.reverse(),
        32 => row.as_chunks_mut::<4>().0.reverse(),
        48 => row.as_chunks_mut::<6>().0.reverse(),
        64 => row.as_chunks_mut::<8>().0.reverse(),
        96 => row.as_chunks_mut::<12>().0.reverse(),
        128 => row.as_chunks_mut::<16>().0.reverse(),
        _ if bits.is_multiple_of(8) => reverse_groups(row, bits / 8),
        _ => reverse_bits(row, width, bits),
    }
}

/// Pixels of any whole number of bytes: all bytes backwards, then each pixel's bytes forwards again.
fn reverse_groups(row: &mut [u8], size: usize) {
    row.reverse();
    row.chunks_exact_mut(size).for_each(<[u8]>::reverse);
}

/// Pixels of 1, 2 or 4 bits: whole bytes backwards, then the padding, now in front, is shifted out.
fn reverse_packed(row: &mut [u8], width: usize, bits: usize) {
    row.reverse();
    for byte in row.iter_mut() {
        let mut value = byte.reverse_bits();
        // The bits within a pixel have to be in order again.
        if bits >= 2 {
            value = (value & 0x55) << 1 | (value >> 1) & 0x55;
        }
        if bits == 4 {
            value = (value & 0x33) << 2 | (value >> 2) & 0x33;
        }
        *byte = value;
    }
    let padding = row.len() * 8 - width * bits;
    if padding > 0 {
        for index in 0..row.len() {
            let next = row.get(index + 1).copied().unwrap_or(0);
            row[index] = row[index] << padding | next >> (8 - padding);
        }
    }
}

/// Pixels of odd sizes (12-bit TIFF samples): bit by bit.
fn reverse_bits(row: &mut [u8], width: usize, bits: usize) {
    let source = row.to_vec();
    row.fill(0);
    for pixel in 0..width {
        for bit in 0..bits {
            let from = (width - 1 - pixel) * bits + bit;
            let to = pixel * bits + bit;
            let value = source[from / 8] >> (7 - from % 8) & 1;
            row[to / 8] |= value << (7 - to % 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(row: &[u8], pixel: usize, bits: usize) -> Vec<u8> {
        (0..bits).map(|bit| pixel * bits + bit).map(|at| row[at / 8] >> (7 - at % 8) & 1).collect()
    }

    #[test]
    fn every_pixel_size_reverses() {
        for bits in [1, 2, 4, 8, 12, 16, 24, 32, 36, 40, 48, 64, 96, 128, 144] {
            for width in 1..20_usize {
                let length = (width * bits).div_ceil(8);
                let row: Vec<u8> = (0..length).map(|index| (index * 73 + 41) as u8 ^ (index as u8) << 3).collect();
                let mut reversed = row.clone();
                reverse_row(&mut reversed, width, bits);
                for pixel in 0..width {
                    let mirrored = get(&reversed, width - 1 - pixel, bits);
                    assert_eq!(get(&row, pixel, bits), mirrored, "{bits} bits, {width} wide");
                }
            }
        }
    }

    #[test]
    fn rows_change_places_and_abort_is_seen() {
        let raster = Raster { width: 2, rows: 3, stride: 3, bits: 8 };
        let picture = [1, 2, 0xAA, 3, 4, 0xBB, 5, 6, 0xCC];
        let control = Control::new();
        let mut both = picture;
        mirror(&mut both, raster, Direction::Both, &control).unwrap();
        assert_eq!(both, [6, 5, 0xCC, 4, 3, 0xBB, 2, 1, 0xAA]);
        control.abort();
        assert!(mirror(&mut both, raster, Direction::Vertical, &control).is_err());
    }
}
