//! Writes entropy-coded data: bits, stuffed zeros, padding, restart markers (T.81 F.1.2.3, B.1.1.5).
#![forbid(unsafe_code)]

use super::entropy::load_bits;
use super::stuffing;

/// Bytes that are put together before stuffing: few enough for the CPU's first cache.
const STAGE: usize = 8 << 10;

/// What one call may write behind those: a [`CHUNK`] and a byte begun.
const SLACK: usize = CHUNK + 8;

/// Bytes that are copied at once.
const CHUNK: usize = 64;

/// Appends bits to a file.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits not stuffed yet. What stands behind them is of no account.
    stage: Box<[u8; STAGE + SLACK]>,
    /// How many those are, fewer than 8 * [`STAGE`] between two calls.
    count: usize,
}

impl<'a> BitWriter<'a> {
    /// Starts at a whole byte.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, stage: Box::new([0; STAGE + SLACK]), count: 0 }
    }

    /// Appends the lower `count` bits of `bits`, which has no others; `count` is at most 63.
    #[inline(always)]
    pub fn put(&mut self, bits: u64, count: u32) {
        // In two shifts, since 64 is no legal one.
        self.put_top(bits << (63 - count) << 1, count);
    }

    /// Appends the upper `count` bits of `bits`; `count` is at most 64.
    #[inline(always)]
    fn put_top(&mut self, bits: u64, count: u32) {
        let (byte, begun) = (self.count / 8, self.count % 8);
        let Some(to) = self.stage[byte..].first_chunk_mut::<9>() else { return };
        let first = u64::from(to[0] & !(0xFF >> begun)) << 56 | bits >> begun;
        let [b0, b1, b2, b3, b4, b5, b6, b7] = first.to_be_bytes();
        *to = [b0, b1, b2, b3, b4, b5, b6, b7, (bits << 8 >> begun) as u8];
        self.advance(count as usize);
    }

    /// Copies the bits `from..to` of `source`.
    #[inline(always)]
    pub fn copy(&mut self, source: &[u8], mut from: u32, to: u32) {
        while from < to {
            let (byte, begun) = (self.count / 8, self.count % 8);
            // The bit of the source that falls on the first bit of the byte begun.
            let window = from.checked_sub(begun as u32).and_then(|first| {
                let window = source.get(first as usize / 8..)?.first_chunk::<{ CHUNK + 1 }>()?;
                Some((window, first % 8))
            });
            let place = self.stage[byte..].first_chunk_mut::<CHUNK>();
            let (Some((window, shift)), Some(place)) = (window, place) else {
                // At one of the source's ends.
                let part = (to - from).min(64);
                self.put_top(load_bits(source, from), part);
                from += part;
                continue;
            };
            let kept = place[0] & !(0xFF >> begun);
            shift_left(window, shift, place);
            place[0] = kept | place[0] & 0xFF >> begun;
            let part = (to - from).min((8 * CHUNK - begun) as u32);
            self.advance(part as usize);
            from += part;
        }
    }

    #[inline(always)]
    fn advance(&mut self, count: usize) {
        self.count += count;
        if self.count >= 8 * STAGE {
            self.stuff();
        }
    }

    /// Writes all whole bytes.
    #[inline(never)]
    fn stuff(&mut self) {
        let whole = self.count / 8;
        stuffing::stuff(&self.stage[..whole], self.out);
        self.stage[0] = self.stage[whole];
        self.count %= 8;
    }

    /// Ends a restart interval: pads the last byte with ones and writes RSTn, n being `number` modulo 8.
    pub fn restart(&mut self, number: u32) {
        self.finish();
        self.out.extend_from_slice(&[0xFF, 0xD0 | (number & 7) as u8]);
    }

    /// Pads the last byte with ones and writes all that is pending.
    pub fn finish(&mut self) {
        self.put_top(!0, (self.count.wrapping_neg() % 8) as u32);
        self.stuff();
    }
}

/// Shifts by `bits`, at most 7, to the left. Byte by byte, as the compiler then takes a register full of them at once.
#[inline(always)]
fn shift_left(from: &[u8; CHUNK + 1], bits: u32, to: &mut [u8; CHUNK]) {
    for (i, to) in to.iter_mut().enumerate() {
        *to = from[i] << bits | from[i + 1] >> 1 >> (7 - bits);
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
