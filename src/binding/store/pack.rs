//! Several keys and values in one buffer, as they cross between JavaScript (`js/store/pack.js`) and the store. Lengths
//! are u32, times are f64, both little-endian.
//!
//! ```text
//! key     length, bytes of UTF-8
//! value   length + 1, tag, bytes; length 0 alone where there is none
//! entry   key, ttl in milliseconds (0: no end), value
//! ```

use crate::store::op::{Entry, Value};
use crate::store::record::Record;

/// A scan stops at the entry that brings its buffer to this many bytes.
pub const ENOUGH: usize = 256 * 1024;

/// Appends a key.
pub fn key(packed: &mut Vec<u8>, key: &[u8]) {
    packed.extend_from_slice(&(key.len() as u32).to_le_bytes());
    packed.extend_from_slice(key);
}

/// Appends a value, or that there is none.
pub fn value(packed: &mut Vec<u8>, record: Option<Record<'_>>) {
    let length = record.map_or(0, |record| record.payload.len() as u32 + 1);
    packed.extend_from_slice(&length.to_le_bytes());
    if let Some(record) = record {
        packed.push(record.tag);
        packed.extend_from_slice(record.payload);
    }
}

/// Takes entries apart; `None` where the bytes are none.
pub fn entries(packed: &[u8]) -> Option<Vec<Entry>> {
    let (mut rest, mut entries) = (packed, Vec::new());
    while !rest.is_empty() {
        let key = chunk(&mut rest)?.to_vec();
        let (ttl, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        let ttl = f64::from_le_bytes(*ttl);
        let (&tag, payload) = chunk(&mut rest)?.split_first()?;
        let value = Value { tag, payload: payload.to_vec() };
        entries.push(Entry { key, value, ttl: (ttl > 0.0 && ttl.is_finite()).then_some(ttl as u64) });
    }
    Some(entries)
}

fn chunk<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (bytes, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(bytes)
}
