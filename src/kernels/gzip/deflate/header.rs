//! The head of a deflate block with codes of its own (RFC 1951, section 3.2.7).

use super::bits::Writer;
use super::huffman::{self, Code};
use super::tables::{DISTANCES, LITLEN, ORDER};

/// The code lengths of a block's two alphabets.
pub(super) struct Lengths {
    pub litlen: [u8; LITLEN],
    pub distances: [u8; DISTANCES],
}

/// Code lengths, run-length coded and then coded in turn.
pub(super) struct Header {
    /// Symbols of the code length alphabet with their extra bits.
    items: Vec<(u8, u8)>,
    codes: [Code; 19],
    litlen: usize,
    distances: usize,
    order: usize,
}

impl Header {
    pub(super) fn new(lengths: &Lengths) -> Self {
        let used = |lengths: &[u8], least| {
            lengths.iter().rposition(|&length| length > 0).map_or(least, |last| last + 1).max(least)
        };
        let (litlen, distances) = (used(&lengths.litlen, 257), used(&lengths.distances, 1));
        let all: Vec<u8> = lengths.litlen[..litlen].iter().chain(&lengths.distances[..distances]).copied().collect();
        let items = runs(&all);
        let mut frequencies = [0; 19];
        for &(symbol, _) in &items {
            frequencies[usize::from(symbol)] += 1;
        }
        let (mut own, mut codes) = ([0; 19], [Code::default(); 19]);
        huffman::lengths(&frequencies, 7, &mut own);
        huffman::codes(&own, &mut codes);
        let order = ORDER.iter().rposition(|&symbol| own[symbol] > 0).map_or(4, |last| (last + 1).max(4));
        Self { items, codes, litlen, distances, order }
    }

    /// Its size.
    pub(super) fn bits(&self) -> u64 {
        let item =
            |&(symbol, _): &(u8, u8)| u64::from(self.codes[usize::from(symbol)].length) + u64::from(run_extra(symbol));
        3 + 14 + 3 * self.order as u64 + self.items.iter().map(item).sum::<u64>()
    }

    pub(super) fn write(&self, bits: &mut Writer<'_>) {
        bits.write(0b100, 3);
        bits.write(
            (self.litlen - 257) as u64 | ((self.distances - 1) as u64) << 5 | ((self.order - 4) as u64) << 10,
            14,
        );
        for &symbol in &ORDER[..self.order] {
            bits.write(u64::from(self.codes[symbol].length), 3);
        }
        for &(symbol, extra) in &self.items {
            let code = self.codes[usize::from(symbol)];
            bits.put(u64::from(code.bits), u32::from(code.length));
            bits.write(u64::from(extra), u32::from(run_extra(symbol)));
        }
    }
}

fn run_extra(symbol: u8) -> u8 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// Code lengths as symbols of the code length alphabet.
fn runs(lengths: &[u8]) -> Vec<(u8, u8)> {
    let mut items = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (run[0], run.len());
        if length > 0 {
            items.push((length, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most) = match (length, left) {
                (0, 11..) => (18, 11, 138),
                (0, _) => (17, 3, 10),
                _ => (16, 3, 6),
            };
            let count = left.min(most);
            items.push((symbol, (count - least) as u8));
            left -= count;
        }
        items.extend(std::iter::repeat_n((length, 0), left));
    }
    items
}
