//! One frame of a GIF: its descriptor and its LZW-coded colour indexes (GIF89a, sections 20 and 22, appendix F).

use super::{color_table, skip_sub_blocks, truncated};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::bytes::Endian::Little;
use crate::kernels::flip::limits::PixelBudget;
use crate::kernels::flip::mirror::{Raster, mirror};
use crate::kernels::flip::options::Direction;
use weezl::{BitOrder, LzwStatus};

const INTERLACED: u8 = 0x40;

/// The logical screen that frames lie on.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Canvas {
    /// Appends the frame whose descriptor stands at `at` to `out`, mirrored with its position, and returns where the
    /// next block begins.
    ///
    /// # Errors
    /// `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
    pub fn flip_frame(
        self,
        file: &[u8],
        at: usize,
        direction: Direction,
        budget: &mut PixelBudget,
        out: &mut Vec<u8>,
        control: &Control,
    ) -> Result<usize> {
        let mut field = [0; 4];
        for (index, value) in field.iter_mut().enumerate() {
            *value = Little.u16(file, at + 1 + 2 * index).ok_or_else(truncated)?;
        }
        let packed = *file.get(at + 9).ok_or_else(truncated)?;
        let data = at + 10 + color_table(packed);
        let code_size = *file.get(data).ok_or_else(truncated)?;
        let end = skip_sub_blocks(file, data + 1)?;
        budget.take(field[2].into(), field[3].into())?;
        let [left, top, width, height] = field.map(usize::from);
        let coded = sub_blocks(&file[data + 1..end]);
        let mut indexes = decode(&coded, code_size, width * height)?;
        if packed & INTERLACED != 0 {
            indexes = rearranged(&indexes, width, height, |stored, shown| (shown, stored));
        }
        // Viewers clip what reaches over the edge; its mirror image would have to begin before 0.
        let (width, height) = clip(&mut indexes, (left, top), (width, height), self)?;
        mirror(&mut indexes, Raster { width, rows: height, stride: width, bits: 8 }, direction, control)?;
        if packed & INTERLACED != 0 {
            indexes = rearranged(&indexes, width, height, |stored, shown| (stored, shown));
        }
        let left = if direction == Direction::Vertical { left } else { self.width - left - width };
        let top = if direction == Direction::Horizontal { top } else { self.height - top - height };
        out.push(file[at]);
        for value in [left, top, width, height] {
            out.extend_from_slice(&(value as u16).to_le_bytes());
        }
        out.extend_from_slice(&file[at + 9..data]);
        control.check()?;
        encode(&indexes, code_size.max(2), out)?;
        Ok(end)
    }
}

/// The bytes of sub-blocks without their lengths.
fn sub_blocks(blocks: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks.len());
    let mut rest = blocks;
    while let [length, tail @ ..] = rest {
        // The terminator is a block of length 0.
        let (data, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        out.extend_from_slice(data);
        rest = tail;
    }
    out
}

fn decode(coded: &[u8], code_size: u8, length: usize) -> Result<Vec<u8>> {
    if !(1..=8).contains(&code_size) {
        return Err(Error::ImageCorrupt(format!("GIF: LZW codes of {code_size} bits")));
    }
    let mut decoder = weezl::decode::Decoder::new(BitOrder::Lsb, code_size);
    let mut indexes = vec![0; length];
    let (mut input, mut filled) = (coded, 0);
    while filled < length {
        let result = decoder.decode_bytes(input, &mut indexes[filled..]);
        input = &input[result.consumed_in..];
        filled += result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Err(error) => return Err(Error::ImageCorrupt(format!("GIF: {error}"))),
            _ => break,
        }
    }
    if filled < length {
        return Err(Error::ImageCorrupt(format!("GIF: a frame has {filled} of {length} pixels")));
    }
    Ok(indexes)
}

fn encode(indexes: &[u8], code_size: u8, out: &mut Vec<u8>) -> Result<()> {
    let coded = weezl::encode::Encoder::new(BitOrder::Lsb, code_size).encode(indexes);
    let coded = coded.map_err(|error| Error::Internal(format!("GIF encoder: {error}")))?;
    out.push(code_size);
    for block in coded.chunks(255) {
        out.push(block.len() as u8);
        out.extend_from_slice(block);
    }
    out.push(0);
    Ok(())
}

/// Copies rows between the order they are stored in when interlaced (appendix E) and the order they are shown in.
/// `pick` says which of the two is the target and which the source.
fn rearranged(rows: &[u8], width: usize, height: usize, pick: fn(usize, usize) -> (usize, usize)) -> Vec<u8> {
    let mut out = vec![0; rows.len()];
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let shown = passes.into_iter().flat_map(|(first, step)| (first..height).step_by(step));
    for (stored, shown) in shown.enumerate() {
        let (to, from) = pick(stored, shown);
        out[to * width..][..width].copy_from_slice(&rows[from * width..][..width]);
    }
    out
}

/// Cuts off what lies outside the canvas; the size of what is left.
fn clip(
    indexes: &mut Vec<u8>,
    (left, top): (usize, usize),
    (width, height): (usize, usize),
    canvas: Canvas,
) -> Result<(usize, usize)> {
    let visible = (canvas.width.saturating_sub(left).min(width), canvas.height.saturating_sub(top).min(height));
    if visible.0 == 0 || visible.1 == 0 {
        return Err(Error::ImageCorrupt("GIF: a frame lies outside the picture".into()));
    }
    if visible != (width, height) {
        *indexes = indexes.chunks_exact(width).take(visible.1).flat_map(|row| &row[..visible.0]).copied().collect();
    }
    Ok(visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interlacing_is_undone() {
        for height in 1..40 {
            let rows: Vec<u8> = (0..height as u8 * 2).collect();
            let stored = rearranged(&rows, 2, height, |stored, shown| (stored, shown));
            assert_eq!(rearranged(&stored, 2, height, |stored, shown| (shown, stored)), rows);
        }
        assert_eq!(rearranged(&[0, 1, 2, 3, 4], 1, 5, |stored, shown| (stored, shown)), [0, 4, 2, 1, 3]);
    }

    #[test]
    fn what_lies_outside_is_cut() {
        let mut indexes: Vec<u8> = (0..12).collect();
        let canvas = Canvas { width: 5, height: 4 };
        assert_eq!(clip(&mut indexes, (2, 2), (4, 3), canvas).unwrap(), (3, 2));
        assert_eq!(indexes, [0, 1, 2, 4, 5, 6]);
        assert!(clip(&mut indexes, (5, 0), (3, 2), canvas).is_err());
    }
}
