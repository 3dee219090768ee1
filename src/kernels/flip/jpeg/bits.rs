//! Huffman-coded blocks as bits (T.81, annex F.1.2), with the zeros that are stuffed behind 0xFF.

use super::fdct::Coefficients;
use super::huffman::Codes;

/// Entropy-coded bits, stuffed.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    buffer: Box<[u8; BUFFER]>,
    pending: Pending,
}

const BUFFER: usize = 4096;
/// Above what a block may need: 64 codes of 16 and 11 bits, every byte of them stuffed, and what waited before.
const BLOCK: usize = 512;

/// Where a writer stands: small enough to stay in registers for a whole block.
#[derive(Clone, Copy)]
struct Pending {
    /// Bits that wait to be written, the last in the lowest place.
    bits: u64,
    /// How many more there is room for.
    free: u32,
    /// How much of the buffer is taken.
    at: usize,
}

impl Pending {
    /// Appends up to 32 bits.
    #[inline(always)]
    fn put(&mut self, buffer: &mut [u8; BUFFER], value: u32, length: u32) {
        if length < self.free {
            self.free -= length;
            self.bits = self.bits << length | u64::from(value);
        } else {
            let over = length - self.free;
            self.word(buffer, self.bits << self.free | u64::from(value) >> over);
            self.bits = value.into();
            self.free = 64 - over;
        }
    }

    #[inline(always)]
    fn word(&mut self, buffer: &mut [u8; BUFFER], word: u64) {
        // A byte is 0xFF when its complement is zero: the usual test for a zero byte.
        if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0 {
            word.to_be_bytes().into_iter().for_each(|byte| self.byte(buffer, byte));
        } else if let Some(place) = buffer[self.at..].first_chunk_mut() {
            *place = word.to_be_bytes();
            self.at += 8;
        }
    }

    #[inline(always)]
    fn byte(&mut self, buffer: &mut [u8; BUFFER], byte: u8) {
        if let Some(place) = buffer[self.at..].first_chunk_mut() {
            *place = [byte, 0];
            self.at += 1 + usize::from(byte == 0xFF);
        }
    }

    #[inline(always)]
    fn symbol(&mut self, buffer: &mut [u8; BUFFER], codes: &Codes, run: u32, value: i32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let code = codes[(run << 4 | size) as usize & 0xFF];
        // Negative values are coded as one less, in as many bits.
        let extra = (value + (value >> 31)) as u32 & ((1 << size) - 1);
        self.put(buffer, code >> 8 << size | extra, (code & 0xFF) + size);
    }
}

impl<'a> BitWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, buffer: Box::new([0; BUFFER]), pending: Pending { bits: 0, free: 64, at: 0 } }
    }

    /// Fills the last byte with ones and appends a marker.
    pub fn marker(&mut self, code: u8) {
        self.finish();
        self.out.extend_from_slice(&[0xFF, code]);
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(&self.buffer[..self.pending.at]);
        self.pending.at = 0;
    }

    /// Fills the last byte with ones and hands everything out.
    pub fn finish(&mut self) {
        let mut count = 64 - self.pending.free;
        let padding = (8 - count % 8) % 8;
        let bits = self.pending.bits << padding | ((1 << padding) - 1);
        count += padding;
        while count > 0 {
            count -= 8;
            self.pending.byte(&mut self.buffer, (bits >> count) as u8);
        }
        self.pending.free = 64;
        self.flush();
    }

    /// Appends a block: the difference of its DC coefficient to the one before, and its AC coefficients.
    #[inline(always)]
    pub fn block(&mut self, coefficients: &Coefficients, difference: i32, (dc, ac): &(Codes, Codes)) {
        if self.pending.at > BUFFER - BLOCK {
            self.flush();
        }
        let buffer = &mut *self.buffer;
        let mut pending = self.pending;
        pending.symbol(buffer, dc, 0, difference);
        let mut rest = coefficients.nonzero() & !1;
        let mut previous = 0;
        while rest != 0 {
            let index = rest.trailing_zeros();
            rest &= rest - 1;
            let mut run = index - previous - 1;
            while run > 15 {
                pending.put(buffer, ac[0xF0] >> 8, ac[0xF0] & 0xFF);
                run -= 16;
            }
            pending.symbol(buffer, ac, run, coefficients.get(index as usize).into());
            previous = index;
        }
        if previous != 63 {
            pending.put(buffer, ac[0] >> 8, ac[0] & 0xFF);
        }
        self.pending = pending;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_stuffed_and_padded() {
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        for (value, length) in [(0xFF, 8), (0x12_FF34, 24), (0xABCD_EF01, 32), (0b101, 3)] {
            writer.pending.put(&mut writer.buffer, value, length);
        }
        writer.finish();
        writer.finish();
        assert_eq!(out, [0xFF, 0, 0x12, 0xFF, 0, 0x34, 0xAB, 0xCD, 0xEF, 0x01, 0b1011_1111]);
    }

    #[test]
    fn words_begin_and_end_anywhere() {
        for before in 0..64 {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            (0..before).for_each(|_| writer.pending.put(&mut writer.buffer, 0, 1));
            (0..8).for_each(|_| writer.pending.put(&mut writer.buffer, 0x1234_5678, 32));
            writer.finish();
            let bits: String = out.iter().map(|byte| format!("{byte:08b}")).collect();
            let expected = format!("{}{}", "0".repeat(before), format!("{:032b}", 0x1234_5678).repeat(8));
            assert!(bits.starts_with(&expected) && bits.len() - expected.len() < 8, "{before}");
        }
    }
}
