//! A deflate encoder (RFC 1951) for blocks of a larger whole: it knows what came before them, and its output goes on.
//!
//! It makes what zlib's level 6 makes, or less, in about 0.6 of the time. Rows of a hash table find matches ([`rows`]), a
//! match is put off by a byte where the next one is better ([`parse`], lazy evaluation as in zlib), a deflate block ends
//! where the data changes ([`split`]), and each has the shortest of the codings that deflate allows ([`block`]).
//!
//! Its tables take 576 KiB, which is why there is one encoder to a thread.

mod bits;
mod block;
mod header;
mod huffman;
mod parse;
mod prices;
mod rows;
mod split;
pub(super) mod tables;

use crate::sys::simd;
use bits::Bits;
use block::Sequence;
use parse::Parse;
use prices::Prices;
use rows::{LOOKAHEAD, Rows};

pub(super) use tables::WINDOW;

/// Memory that one input after the other is compressed with.
pub(super) struct Deflater {
    rows: Rows,
    sequences: Vec<Sequence>,
}

impl Deflater {
    pub(super) fn new() -> Self {
        Self { rows: Rows::new(), sequences: Vec::new() }
    }

    /// Appends to `out` what `data[start..]` becomes: deflate data that ends when `is_last`, and otherwise goes on at a
    /// whole byte. Its reader must have seen the last [`WINDOW`] bytes of `data[..start]` before.
    ///
    /// The output depends on nothing but those bytes: neither on the CPU nor on what was compressed before.
    pub(super) fn deflate(&mut self, data: &[u8], start: usize, is_last: bool, out: &mut Vec<u8>) {
        let data = &data[start.saturating_sub(WINDOW)..];
        let mut at = start.min(WINDOW);
        let searched = data.len().saturating_sub(LOOKAHEAD);
        self.rows.clear();
        self.rows.enter(data, 0..at.min(searched));
        let mut bits = Bits::new(out);
        let mut prices = Prices::guess(&data[at..]);
        while at < data.len() {
            let Self { rows, sequences } = self;
            at = simd::run(Parse { rows, sequences, data, start: at, searched, prices: &mut prices, bits: &mut bits });
        }
        if is_last { block::write_end(&mut bits) } else { block::write_boundary(&mut bits) }
    }
}

#[cfg(test)]
mod tests;
