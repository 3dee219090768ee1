//! How keys and values lie in the file.
//!
//! Everything is in LMDB's unnamed database; the first byte of a key tells the space:
//! ```text
//! 00 'c'                    settings of the store            ([`engine`](super::engine))
//! 00 's'                    number and bytes of entries, and the evictor's hand
//! 01 key                    an entry: tag, [u64 LE when it expires], payload
//! 02 u64-BE key-with-space  what expires when, for the sweeper
//! 03 key                    a running getOrSet               ([`flight`](super::flight))
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

/// Key of the settings.
pub const SETTINGS: &[u8] = b"\0c";
/// Key of the counts.
pub const COUNTS: &[u8] = b"\0s";
/// Space of the entries.
pub const ENTRY: u8 = 1;
/// Space of the expiry index.
pub const EXPIRY: u8 = 2;
/// Space of running `getOrSet`s.
pub const FLIGHT: u8 = 3;

/// Longest key in bytes of UTF-8: with its space and an expiry time it fits LMDB's limit.
pub const MAX_KEY: usize = 1024;
/// Longest value in bytes: LMDB takes up to 4 GiB.
pub const MAX_VALUE: usize = 0x7fff_0000;

/// Tag of a number: eight bytes, little-endian. The tags are JavaScript's (`js/store/codec.js`); others mean nothing here.
pub const NUMBER: u8 = 4;
/// Tag of text: UTF-8.
pub const TEXT: u8 = 2;
/// Tag of JSON in UTF-8, behind one [`MARK`].
pub const JSON: u8 = 5;
/// White space to JSON, and what tells it from text in a string that may be either.
pub const MARK: u8 = b'\r';
/// The tag's bit that says that an expiry time follows.
const EXPIRES: u8 = 0x80;

/// Milliseconds since 1970: what expiry times are compared with.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as u64)
}

/// `key` in `space`.
pub fn key_in(space: u8, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(space);
    full.extend_from_slice(key);
    full
}

/// The expiry index's key for `full`, a key with its space.
pub fn expiry_key(expires: u64, full: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + full.len());
    key.push(EXPIRY);
    key.extend_from_slice(&expires.to_be_bytes());
    key.extend_from_slice(full);
    key
}

/// An entry's value, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What the payload is, as JavaScript numbers it; never 0.
    pub tag: u8,
    /// When it expires, in milliseconds since 1970.
    pub expires: Option<u64>,
    /// The value's bytes.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Takes stored bytes apart; `None` when they are none of ours.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let tag = first & !EXPIRES;
        if first & EXPIRES == 0 {
            return Some(Self { tag, expires: None, payload: rest });
        }
        let (time, payload) = rest.split_first_chunk::<8>()?;
        Some(Self { tag, expires: Some(u64::from_le_bytes(*time)), payload })
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(9 + self.payload.len());
        match self.expires {
            None => bytes.push(self.tag),
            Some(time) => {
                bytes.push(self.tag | EXPIRES);
                bytes.extend_from_slice(&time.to_le_bytes());
            }
        }
        bytes.extend_from_slice(self.payload);
        bytes
    }

    /// Whether it is still to be seen at `now`.
    pub fn is_live(&self, now: u64) -> bool {
        self.expires.is_none_or(|time| time > now)
    }

    /// The number in it.
    pub fn number(&self) -> Option<f64> {
        let bytes = <[u8; 8]>::try_from(self.payload).ok()?;
        (self.tag == NUMBER).then(|| f64::from_le_bytes(bytes))
    }
}

/// What an entry takes of the store's size: LMDB's node around it, whole pages for a value that does not fit half a
/// page, and its line in the expiry index.
pub fn footprint(key: usize, value: usize, expires: bool) -> u64 {
    const PAGE: u64 = 4096;
    let (key, value) = (key as u64 + 17, value as u64);
    let body = if value > PAGE / 2 - key.min(PAGE / 4) { (value + 16).next_multiple_of(PAGE) } else { value };
    key + body + if expires { key + 8 + 16 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_went() {
        for expires in [None, Some(0), Some(u64::MAX)] {
            let record = Record { tag: 3, expires, payload: b"value" };
            assert_eq!(Record::parse(&record.encode()), Some(record));
        }
        assert_eq!(Record::parse(b""), None);
        assert_eq!(Record::parse(&[EXPIRES | 1, 0, 0]), None);
    }

    #[test]
    fn numbers_are_numbers() {
        let payload = 42.5f64.to_le_bytes();
        assert_eq!(Record { tag: NUMBER, expires: None, payload: &payload }.number(), Some(42.5));
        assert_eq!(Record { tag: 2, expires: None, payload: &payload }.number(), None);
        assert_eq!(Record { tag: NUMBER, expires: None, payload: b"1" }.number(), None);
    }

    #[test]
    fn what_expires_sorts_by_time() {
        assert!(expiry_key(255, b"\x01b") < expiry_key(256, b"\x01a"));
    }
}
