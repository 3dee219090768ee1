//! Writes entropy-coded data: bits, stuffed zeros, padding, restart markers (T.81 F.1.2.3, B.1.1.5).
#![forbid(unsafe_code)]

use super::entropy::load_bits;

/// Appends bits to a file.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits not written yet, flushed left, zeros behind them.
    pending: u64,
    /// How many those are, 0 to 63.
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Starts at a whole byte.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, count: 0 }
    }

    /// Appends the lower `count` bits of `bits`, which has no others; `count` is at most 63.
    #[inline(always)]
    pub fn put(&mut self, bits: u64, count: u32) {
        // In two shifts, since 64 is no legal one.
        self.put_top(bits << (63 - count) << 1, count);
    }

    /// Appends the upper `count` bits of `bits`, which has no others; `count` is at most 64.
    #[inline(always)]
    fn put_top(&mut self, bits: u64, count: u32) {
        let word = self.pending | bits >> self.count;
        let total = self.count + count;
        if total < 64 {
            self.pending = word;
            self.count = total;
        } else {
            self.write_word(word);
            self.pending = bits << (63 - self.count) << 1;
            self.count = total - 64;
        }
    }

    /// Copies the bits `from..to` of `source`.
    #[inline(always)]
    pub fn copy(&mut self, source: &[u8], mut from: u32, to: u32) {
        while to - from >= 64 {
            self.put_top(load_bits(source, from), 64);
            from += 64;
        }
        let rest = to - from;
        if rest > 0 {
            self.put_top(load_bits(source, from) & !(!0 >> rest), rest);
        }
    }

    /// Ends a restart interval: pads the last byte with ones and writes RSTn, n being `number` modulo 8.
    pub fn restart(&mut self, number: u32) {
        self.finish();
        self.out.extend_from_slice(&[0xFF, 0xD0 | (number & 7) as u8]);
    }

    /// Pads the last byte with ones and writes all that is pending.
    pub fn finish(&mut self) {
        let padded = self.pending | !0 >> self.count;
        for byte in padded.to_be_bytes().into_iter().take(self.count.div_ceil(8) as usize) {
            self.write_byte(byte);
        }
        self.pending = 0;
        self.count = 0;
    }

    #[inline(always)]
    fn write_word(&mut self, word: u64) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        // The classic test for a zero byte, put to the complement.
        if (!word).wrapping_sub(ONES) & word & (ONES << 7) == 0 {
            self.out.extend_from_slice(&word.to_be_bytes());
        } else {
            self.write_stuffed(word);
        }
    }

    #[inline(never)]
    fn write_stuffed(&mut self, word: u64) {
        word.to_be_bytes().into_iter().for_each(|byte| self.write_byte(byte));
    }

    fn write_byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xFF {
            self.out.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffs_pads_and_restarts() {
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        writer.put(0xFF, 8);
        writer.put(0b101, 3);
        writer.restart(9);
        writer.put(0x7FFF_FFFF, 31);
        writer.put(0, 0);
        writer.put(0xFF00_FFFF_FFFF, 49);
        writer.finish();
        // 31 ones and one of the 49 bits, which begin with a one; 8 zeros; the rest.
        let whole = [0xFF, 0, 0xBF, 0xFF, 0xD1, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFE];
        assert_eq!(out[..whole.len()], whole);
    }

    #[test]
    fn copies_any_range_of_bits() {
        let source: Vec<u8> = (0..64_u32).map(|i| (i * 37 % 251) as u8).collect();
        for from in 0..20 {
            for to in from..200 {
                let mut out = Vec::new();
                let mut writer = BitWriter::new(&mut out);
                writer.put(1, 1);
                writer.copy(&source, from, to);
                writer.finish();
                let bit = |i: u32| source[i as usize / 8] >> (7 - i % 8) & 1;
                let mut expected: Vec<u8> = std::iter::once(1).chain((from..to).map(bit)).collect();
                expected.resize(expected.len().next_multiple_of(8), 1);
                let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
                let stuffed = |byte: u8| std::iter::once(byte).chain((byte == 0xFF).then_some(0));
                let bytes: Vec<u8> = expected.chunks(8).map(byte).flat_map(stuffed).collect();
                assert_eq!(out, bytes, "{from}..{to}");
            }
        }
    }
}
