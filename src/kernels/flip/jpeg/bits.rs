//! Huffman-coded blocks as bits (T.81, annex F.1.2), with the zeros that are stuffed behind 0xFF.

use super::huffman::Codes;

/// Entropy-coded bits, stuffed.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    bits: u64,
    /// How many of the low bits wait to be written, below 32 between calls.
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, bits: 0, count: 0 }
    }

    /// Fills the last byte with ones and appends a marker.
    pub fn marker(&mut self, code: u8) {
        self.finish();
        self.out.extend_from_slice(&[0xFF, code]);
    }

    /// Appends up to 32 bits.
    #[inline(always)]
    fn put(&mut self, value: u32, length: u32) {
        self.bits = self.bits << length | u64::from(value);
        self.count += length;
        if self.count >= 32 {
            self.count -= 32;
            self.word((self.bits >> self.count) as u32);
        }
    }

    #[inline(always)]
    fn word(&mut self, word: u32) {
        // A byte is 0xFF when its complement is zero: the usual test for a zero byte.
        let zeros = !word;
        if zeros.wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
            self.out.extend_from_slice(&word.to_be_bytes());
        } else {
            word.to_be_bytes().into_iter().for_each(|byte| self.byte(byte));
        }
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xFF {
            self.out.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub fn finish(&mut self) {
        let padding = (8 - self.count % 8) % 8;
        self.put((1 << padding) - 1, padding);
        while self.count > 0 {
            self.count -= 8;
            self.byte((self.bits >> self.count) as u8);
        }
    }

    #[inline(always)]
    fn symbol(&mut self, codes: &Codes, run: u32, value: i32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let code = codes[(run << 4 | size) as usize & 0xFF];
        // Negative values are coded as one less, in as many bits.
        let extra = (value + (value >> 31)) as u32 & ((1 << size) - 1);
        self.put(code >> 8 << size | extra, (code & 0xFF) + size);
    }

    /// Appends a block: the difference of its DC coefficient to the one before, and its AC coefficients in zigzag
    /// order.
    #[inline(always)]
    pub fn block(&mut self, coefficients: &[i16; 64], difference: i32, (dc, ac): &(Codes, Codes)) {
        self.symbol(dc, 0, difference);
        let mut rest = nonzero(coefficients) & !1;
        let mut previous = 0;
        while rest != 0 {
            let index = rest.trailing_zeros();
            rest &= rest - 1;
            let mut run = index - previous - 1;
            while run > 15 {
                self.put(ac[0xF0] >> 8, ac[0xF0] & 0xFF);
                run -= 16;
            }
            self.symbol(ac, run, i32::from(coefficients[index as usize & 63]));
            previous = index;
        }
        if previous != 63 {
            self.put(ac[0] >> 8, ac[0] & 0xFF);
        }
    }
}

/// One bit for each coefficient that is not zero, the first in the lowest.
#[inline(always)]
fn nonzero(coefficients: &[i16; 64]) -> u64 {
    let flags: [u8; 64] = coefficients.map(|value| u8::from(value != 0));
    let eights = flags.as_chunks::<8>().0.iter().enumerate();
    // Gathers the lowest bits of eight bytes in the highest byte.
    eights.fold(0, |mask, (index, flags)| {
        mask | (u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_stuffed_and_padded() {
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        writer.put(0xFF, 8);
        writer.put(0x12_FF34, 24);
        writer.put(0b101, 3);
        writer.finish();
        writer.finish();
        assert_eq!(out, [0xFF, 0, 0x12, 0xFF, 0, 0x34, 0b1011_1111]);
    }

    #[test]
    fn masks_find_every_place() {
        for place in 0..64 {
            let mut coefficients = [0; 64];
            coefficients[place] = -3;
            assert_eq!(nonzero(&coefficients), 1 << place);
        }
        assert_eq!(nonzero(&[1; 64]), u64::MAX);
    }
}
