//! Finds earlier occurrences of what comes next.
//!
//! Positions whose next six bytes hash alike share a row of a table, newest first, each with one byte more of that hash: its
//! tag. All tags of a row are compared at once, so that nearly every position that is looked at shares those six bytes,
//! where a chain leads through all that share three or four, one dependent load after the other (the idea is that of
//! zstd's row-based match finder). Shorter matches are worth less and need less choice: the last two positions of a hash of
//! four bytes and the last one of a hash of three are enough.
//!
//! Positions are kept modulo 2^16. An entry that is older than that looks like one within the window: its bytes are
//! compared as any other's, so that it costs a look and never a wrong match, and nothing needs to be aged.

use super::tables::{MAX_LENGTH, WINDOW};
use crate::sys::simd;

/// Positions in a row.
const WAYS: usize = 32;
/// Bytes that choose a row, and their tag in it.
const KEY: u32 = 6;
const ROW_ORDER: u32 = 11;
const FOUR_ORDER: u32 = 16;
const THREE_ORDER: u32 = 15;

/// What must follow a position for it to be searched for and entered.
pub(super) const LOOKAHEAD: usize = 8;

/// An earlier occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub length: usize,
    pub distance: usize,
}

/// The last positions of one hash. A ring: the newest stands at `newest`, older ones behind it.
#[derive(Debug, Clone)]
#[repr(C, align(128))]
struct Row {
    positions: [u16; WAYS],
    tags: [u8; WAYS],
    newest: u8,
}

impl Row {
    const EMPTY: Self = Self { positions: [0; WAYS], tags: [0; WAYS], newest: 0 };

    #[inline(always)]
    fn put(&mut self, tag: u8, at: usize) {
        self.newest = self.newest.wrapping_sub(1) % WAYS as u8;
        self.tags[usize::from(self.newest) % WAYS] = tag;
        self.positions[usize::from(self.newest) % WAYS] = at as u16;
    }

    /// A bit for each position with this tag, that of the newest lowest.
    #[inline(always)]
    fn tagged(&self, tag: u8) -> u32 {
        simd::equal(&self.tags, tag).rotate_right(u32::from(self.newest))
    }
}

/// Where bytes were seen last.
pub(super) struct Rows {
    rows: Box<[Row; 1 << ROW_ORDER]>,
    /// Hash of four bytes -> the last two positions that have it, the newer first.
    four: Box<[[u16; 2]; 1 << FOUR_ORDER]>,
    /// Hash of three bytes -> the last position that has it.
    three: Box<[u16; 1 << THREE_ORDER]>,
}

#[inline(always)]
fn word(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*data[at..].first_chunk().expect("four bytes"))
}

#[inline(always)]
fn long_word(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*data[at..].first_chunk().expect("eight bytes"))
}

/// Knuth's multiplicative hash.
#[inline(always)]
fn hash(word: u32, order: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> (32 - order)) as usize
}

/// The row and the tag of the first [`KEY`] bytes.
#[inline(always)]
fn key(word: u64) -> (usize, u8) {
    let hash = (word << (64 - 8 * KEY)).wrapping_mul(0x9E37_79B1_85EB_CA87) >> (64 - 8 - ROW_ORDER);
    ((hash >> 8) as usize, hash as u8)
}

/// Whether a distance modulo 2^16 may be one; 0 is a position of that age.
#[inline(always)]
fn is_within(distance: usize, reach: usize) -> bool {
    distance.wrapping_sub(1) < reach
}

/// How many bytes from `a` and `b` on are equal, at most `most`; `a < b`, and `b + most` is no more than there is.
#[inline(always)]
fn common(data: &[u8], a: usize, b: usize, mut length: usize, most: usize) -> usize {
    while length + 8 <= most {
        let differ = long_word(data, a + length) ^ long_word(data, b + length);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while length < most && data[a + length] == data[b + length] {
        length += 1;
    }
    length
}

impl Rows {
    pub(super) fn new() -> Self {
        Self {
            rows: vec![Row::EMPTY; 1 << ROW_ORDER].into_boxed_slice().try_into().expect("the size asked for"),
            four: vec![[0; 2]; 1 << FOUR_ORDER].into_boxed_slice().try_into().expect("the size asked for"),
            three: vec![0; 1 << THREE_ORDER].into_boxed_slice().try_into().expect("the size asked for"),
        }
    }

    /// Forgets everything: what is found later depends on what was entered since alone.
    pub(super) fn clear(&mut self) {
        self.rows.fill(Row::EMPTY);
        self.four.fill([0; 2]);
        self.three.fill(0);
    }

    /// Enters the positions of `range`, each of which [`LOOKAHEAD`] bytes follow.
    #[inline(always)]
    pub(super) fn enter(&mut self, data: &[u8], range: std::ops::Range<usize>) {
        for at in range {
            let next = long_word(data, at);
            let (row, tag) = key(next);
            self.rows[row].put(tag, at);
            let four = &mut self.four[hash(next as u32, FOUR_ORDER)];
            *four = [at as u16, four[0]];
            self.three[hash((next as u32) << 8, THREE_ORDER)] = at as u16;
        }
    }

    /// Enters position `at`, which [`LOOKAHEAD`] bytes follow, and finds a match for it that is longer than `least`, of
    /// which one of `nice` bytes is good enough.
    #[inline(always)]
    pub(super) fn find(&mut self, data: &[u8], at: usize, least: usize, nice: usize) -> Option<Match> {
        let most = MAX_LENGTH.min(data.len() - at);
        let nice = nice.min(most);
        let reach = at.min(WINDOW);
        let here = at as u16;
        let next = long_word(data, at);
        let (row, tag) = key(next);
        let row = &mut self.rows[row];
        let mut tagged = row.tagged(tag);
        let newest = usize::from(row.newest);
        let next = next as u32;
        let entry = &mut self.four[hash(next, FOUR_ORDER)];
        let four = std::mem::replace(entry, [here, entry[0]]);
        let three = std::mem::replace(&mut self.three[hash(next << 8, THREE_ORDER)], here);
        let mut best = Match { length: least, distance: 0 };
        if least < 4 {
            for position in four {
                let distance = usize::from(here.wrapping_sub(position));
                if is_within(distance, reach) && word(data, at - distance) == next {
                    let length = common(data, at - distance, at, 4, most);
                    if length > best.length {
                        best = Match { length, distance };
                    }
                }
            }
            if best.length < 3 {
                let distance = usize::from(here.wrapping_sub(three));
                if is_within(distance, reach) && (word(data, at - distance) ^ next) << 8 == 0 {
                    best = Match { length: 3, distance };
                }
            }
        }
        if best.length < nice {
            // Only what is longer counts: its last bytes are the most likely to differ.
            let mut end = best.length.max(3) - 3;
            let mut last = word(data, at + end);
            while tagged != 0 {
                let slot = newest + tagged.trailing_zeros() as usize;
                tagged &= tagged - 1;
                let distance = usize::from(here.wrapping_sub(row.positions[slot % WAYS]));
                if !is_within(distance, reach) {
                    break;
                }
                if word(data, at - distance + end) == last {
                    let length = common(data, at - distance, at, 0, most);
                    if length > best.length {
                        best = Match { length, distance };
                        if length >= nice {
                            break;
                        }
                        end = length - 3;
                        last = word(data, at + end);
                    }
                }
            }
        }
        row.put(tag, at);
        (best.distance > 0).then_some(best)
    }
}
