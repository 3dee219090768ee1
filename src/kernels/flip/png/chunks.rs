//! The chunks of a PNG file (W3C PNG specification, section 5).

use super::corrupt;
use crate::error::Result;
use crate::kernels::flip::bytes::{Endian::Big, array};

/// The eight bytes every PNG starts with.
pub const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];

/// One chunk of a file.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Its four-letter name.
    pub name: [u8; 4],
    /// Its data.
    pub data: &'a [u8],
    /// Length, name, data and checksum.
    pub whole: &'a [u8],
}

/// The chunks of `file` up to IEND; what follows that is no part of a PNG and is left out.
///
/// # Errors
/// `ImageCorrupt` when the file ends before IEND or a critical chunk's checksum is wrong.
pub fn parse(file: &[u8]) -> Result<Vec<Chunk<'_>>> {
    let mut chunks = Vec::new();
    let mut at = SIGNATURE.len();
    loop {
        let chunk = chunk_at(file, at).ok_or_else(|| corrupt("the file ends before its end chunk"))?;
        let critical = chunk.name[0].is_ascii_uppercase() || &chunk.name == b"fcTL" || &chunk.name == b"fdAT";
        let (named, sum) = chunk.whole[4..].split_at(4 + chunk.data.len());
        if critical && Big.u32(sum, 0) != Some(crc32fast::hash(named)) {
            return Err(corrupt("wrong checksum"));
        }
        at += chunk.whole.len();
        chunks.push(chunk);
        if &chunk.name == b"IEND" {
            return Ok(chunks);
        }
    }
}

fn chunk_at(file: &[u8], at: usize) -> Option<Chunk<'_>> {
    let length = Big.u32(file, at)? as usize;
    let name = array(file, at + 4)?;
    let whole = file.get(at..at.checked_add(length)?.checked_add(12)?)?;
    Some(Chunk { name, data: &whole[8..8 + length], whole })
}

/// Appends a chunk.
pub fn push(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(name);
    out.extend_from_slice(data);
    let sum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}
