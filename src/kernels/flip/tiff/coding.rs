//! The codings of strips and tiles: none, LZW, Deflate, PackBits (TIFF 6.0, sections 9 and 13; Technical Note 2).

use super::corrupt;
use crate::error::{Error, Result};
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::io::{Read, Write};
use weezl::{BitOrder, LzwStatus};

/// How a strip or tile is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Value 1.
    Plain,
    /// Value 5.
    Lzw,
    /// Values 8 and 32946.
    Deflate,
    /// Value 32773.
    PackBits,
}

impl Coding {
    /// From the value of the Compression tag.
    ///
    /// # Errors
    /// `ImageUnsupported`, naming the coding.
    pub fn from_tag(value: u64) -> Result<Self> {
        Ok(match value {
            1 => Self::Plain,
            5 => Self::Lzw,
            8 | 32946 => Self::Deflate,
            32773 => Self::PackBits,
            2..=4 => return Err(Error::ImageUnsupported("TIFF with CCITT (fax) compression".into())),
            6 | 7 => return Err(Error::ImageUnsupported("TIFF with JPEG compression".into())),
            other => return Err(Error::ImageUnsupported(format!("TIFF with compression {other}"))),
        })
    }

    /// How many bytes one coded byte can stand for at most.
    pub fn greatest_ratio(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::PackBits => 64,
            Self::Deflate => 1032,
            Self::Lzw => 2731,
        }
    }

    /// Fills `out` from coded `data`.
    ///
    /// # Errors
    /// `ImageCorrupt` when the data is broken or too short.
    pub fn decode(self, data: &[u8], out: &mut [u8]) -> Result<()> {
        let complete = match self {
            Self::Plain => data.get(..out.len()).map(|data| out.copy_from_slice(data)),
            Self::Lzw => lzw(data, out),
            Self::Deflate => ZlibDecoder::new(data).read_exact(out).ok(),
            Self::PackBits => pack_bits(data, out),
        };
        complete.ok_or_else(|| corrupt("strip or tile"))
    }

    /// Codes rows of `stride` bytes.
    ///
    /// # Errors
    /// `Internal`, should an encoder fail in memory.
    pub fn encode(self, rows: &[u8], stride: usize) -> Result<Vec<u8>> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("TIFF encoder: {error}"));
        match self {
            Self::Plain => Ok(rows.to_vec()),
            Self::Lzw => {
                let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
                encoder.encode(rows).map_err(|error| internal(&error))
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(rows).map_err(|error| internal(&error))?;
                encoder.finish().map_err(|error| internal(&error))
            }
            // Rows are packed one by one: runs must not reach over their ends.
            Self::PackBits => Ok(rows.chunks(stride.max(1)).flat_map(pack_row).collect()),
        }
    }
}

fn lzw(data: &[u8], out: &mut [u8]) -> Option<()> {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut input, mut filled) = (data, 0);
    while filled < out.len() {
        let result = decoder.decode_bytes(input, &mut out[filled..]);
        input = &input[result.consumed_in..];
        filled += result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Err(_) => return None,
            _ => break,
        }
    }
    (filled == out.len()).then_some(())
}

fn pack_bits(data: &[u8], out: &mut [u8]) -> Option<()> {
    let (mut at, mut filled) = (0, 0);
    while filled < out.len() {
        let head = *data.get(at)? as i8;
        at += 1;
        match head {
            -128 => {}
            0.. => {
                let length = (head as usize + 1).min(out.len() - filled);
                out[filled..filled + length].copy_from_slice(data.get(at..at + length)?);
                at += length;
                filled += length;
            }
            _ => {
                let length = (1 - isize::from(head)).unsigned_abs().min(out.len() - filled);
                out[filled..filled + length].fill(*data.get(at)?);
                at += 1;
                filled += length;
            }
        }
    }
    Some(())
}

fn pack_row(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.len() + row.len() / 128 + 1);
    let run = |at: usize| row[at..].iter().take(128).take_while(|&&byte| byte == row[at]).count();
    let mut at = 0;
    while at < row.len() {
        let length = run(at);
        if length >= 2 {
            out.extend_from_slice(&[(257 - length) as u8, row[at]]);
            at += length;
        } else {
            // Up to the next run of three, which is worth a break.
            let mut end = at + 1;
            while end < row.len() && end - at < 128 && run(end) < 3 {
                end += 1;
            }
            out.push((end - at - 1) as u8);
            out.extend_from_slice(&row[at..end]);
            at = end;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coding_round_trips() {
        let rows: Vec<u8> = (0..3000u32).map(|n| if n % 700 < 400 { 7 } else { ((n * n) >> 3) as u8 }).collect();
        for coding in [Coding::Plain, Coding::Lzw, Coding::Deflate, Coding::PackBits] {
            let coded = coding.encode(&rows, 300).unwrap();
            let mut decoded = vec![0; rows.len()];
            coding.decode(&coded, &mut decoded).unwrap();
            assert_eq!(decoded, rows, "{coding:?}");
            for end in 0..coded.len() - 8 {
                assert!(coding.decode(&coded[..end], &mut decoded).is_err(), "{coding:?} {end}");
            }
        }
    }
}
