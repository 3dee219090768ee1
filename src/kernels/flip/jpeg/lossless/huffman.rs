//! Huffman tables: read from DHT, checked, turned into codes, written back (T.81 B.2.4.2, C.2).
#![forbid(unsafe_code)]

use super::corrupt;
use crate::error::Result;

/// A table as DHT transmits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// How many codes have 1 to 16 bits.
    pub counts: [u8; 16],
    /// The symbols in the order of their codes, as many as `counts` sums up to.
    pub symbols: Vec<u8>,
}

/// The code of every symbol.
#[derive(Clone)]
pub(super) struct Codes {
    code: [u16; 256],
    length: [u8; 256],
}

impl Table {
    /// Reads one table off the front of a DHT payload, behind its class and number byte; returns the rest too.
    ///
    /// # Errors
    /// `ImageCorrupt` when the payload is too short, or more codes are announced than bits can tell apart.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8])> {
        let Some((counts, rest)) = payload.split_first_chunk::<16>() else {
            return Err(corrupt("a Huffman table is cut short"));
        };
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total > 256 || total > rest.len() {
            return Err(corrupt("a Huffman table is cut short"));
        }
        let mut free = 1_i32;
        for &count in counts {
            free = free * 2 - i32::from(count);
            if free < 0 {
                return Err(corrupt("a Huffman table has more codes than its lengths allow"));
            }
        }
        let (symbols, rest) = rest.split_at(total);
        Ok((Self { counts: *counts, symbols: symbols.to_vec() }, rest))
    }

    /// Calls `each` with every symbol, its code and the code's length in bits, shortest first (C.2).
    pub fn for_each(&self, mut each: impl FnMut(u8, u32, u32)) {
        let mut code = 0_u32;
        let mut symbols = self.symbols.iter();
        for (length, &count) in (1..).zip(&self.counts) {
            for &symbol in symbols.by_ref().take(usize::from(count)) {
                each(symbol, code, length);
                code += 1;
            }
            code <<= 1;
        }
    }

    /// The codes by symbol; of a symbol that stands twice the shortest code is taken.
    pub fn codes(&self) -> Codes {
        let mut codes = Codes { code: [0; 256], length: [0; 256] };
        self.for_each(|symbol, code, length| {
            let symbol = usize::from(symbol);
            if codes.length[symbol] == 0 {
                codes.code[symbol] = code as u16;
                codes.length[symbol] = length as u8;
            }
        });
        codes
    }

    /// The bytes it takes in a DHT segment of its own.
    pub fn size(&self) -> u64 {
        21 + self.symbols.len() as u64
    }

    /// Appends the table as it stands in a DHT segment behind its class and number byte.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.counts);
        out.extend_from_slice(&self.symbols);
    }
}

impl Codes {
    /// The code of a symbol and its length in bits, 0 when the table has none.
    #[inline(always)]
    pub fn get(&self, symbol: u8) -> (u64, u32) {
        (u64::from(self.code[usize::from(symbol)]), u32::from(self.length[usize::from(symbol)]))
    }

    /// Whether all symbols with a count above 0 have a code.
    pub fn covers(&self, counts: &[u32; 256]) -> bool {
        self.length.iter().zip(counts).all(|(&length, &count)| count == 0 || length > 0)
    }

    /// The bits that these counts of symbols take; those without a code are not counted.
    pub fn cost(&self, counts: &[u32; 256]) -> u64 {
        self.length.iter().zip(counts).map(|(&length, &count)| u64::from(length) * u64::from(count)).sum()
    }
}
