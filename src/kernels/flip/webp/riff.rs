//! The chunks of a WebP file (RFC 9649, section 2.3).

use super::corrupt;
use crate::error::Result;
use crate::kernels::flip::bytes::{Endian::Little, array};

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Its four-character code.
    pub name: [u8; 4],
    /// Its data, without padding.
    pub data: &'a [u8],
}

/// The chunks of a whole file.
///
/// # Errors
/// `ImageCorrupt` when the file is shorter than it says.
pub fn parse(file: &[u8]) -> Result<Vec<Chunk<'_>>> {
    let length = Little.u32(file, 4).ok_or_else(|| corrupt("header"))? as usize;
    let body = length.checked_add(8).and_then(|end| file.get(12..end));
    list(body.ok_or_else(|| corrupt("the file is shorter than it says"))?)
}

/// The chunks in `body`, which ends with the last of them. The padding byte of the last one may be missing.
///
/// # Errors
/// `ImageCorrupt` when a chunk reaches past the end.
pub fn list(body: &[u8]) -> Result<Vec<Chunk<'_>>> {
    let mut chunks = Vec::new();
    let mut rest = body;
    while rest.len() >= 8 {
        let (chunk, next) = first(rest).ok_or_else(|| corrupt("a chunk is shorter than it says"))?;
        chunks.push(chunk);
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok(chunks)
}

fn first(bytes: &[u8]) -> Option<(Chunk<'_>, usize)> {
    let length = Little.u32(bytes, 4)? as usize;
    let data = bytes.get(8..length.checked_add(8)?)?;
    Some((Chunk { name: array(bytes, 0)?, data }, 8 + length.next_multiple_of(2)))
}

/// Appends a chunk, padded to an even length.
pub fn push(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}

/// The 24-bit number at `at`.
pub fn u24(bytes: &[u8], at: usize) -> Option<u32> {
    let [low, middle, high] = array(bytes, at)?;
    Some(u32::from_le_bytes([low, middle, high, 0]))
}
