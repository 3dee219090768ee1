//! A baseline JPEG encoder (T.81, annex F.1): one interleaved scan, the typical Huffman tables of annex K.

use super::fdct::Quantiser;
use super::frame::Frame;
use super::huffman::{AC, Codes, DC};
use super::mirrored::Mirrored;
use super::pixels::ZIGZAG;
use super::segments::{marker, push};
use crate::error::Result;
use crate::kernels::control::Control;

/// Appends the picture from its tables to EOI. `factors` are the sampling factors of the first and fourth component,
/// the others have 1 x 1; `tables` the quantisation tables of those and of the others, in natural order.
///
/// # Errors
/// `Aborted`, looked at once per row of MCUs.
pub fn encode(
    image: &Mirrored<'_>,
    frame: &Frame,
    factors: (u8, u8),
    tables: &[[u16; 64]; 2],
    out: &mut Vec<u8>,
    control: &Control,
) -> Result<()> {
    headers(frame, factors, tables, out);
    let factors = (usize::from(factors.0), usize::from(factors.1));
    let size = (usize::from(frame.width), usize::from(frame.height));
    let quantisers = [Quantiser::new(&tables[0]), Quantiser::new(&tables[1])];
    let codes = [(DC[0].codes(), AC[0].codes()), (DC[1].codes(), AC[1].codes())];
    let mcus = size.0.div_ceil(8 * factors.0);
    let mut bands: Vec<Band> = (0..frame.components.len())
        .map(|component| {
            let is_full = is_first_kind(component);
            Band::new(component, if is_full { factors } else { (1, 1) }, mcus, is_full || factors == (1, 1))
        })
        .collect();
    let mut writer = BitWriter { out, bits: 0, count: 0 };
    let (mut left, mut restarts) = (frame.restart_interval, 0);
    for row in 0..size.1.div_ceil(8 * factors.1) {
        control.check()?;
        for band in &mut bands {
            let down = if band.is_full { 1 } else { factors.1 };
            band.load(image, row, size.1.div_ceil(down));
        }
        for mcu in 0..mcus {
            if frame.restart_interval > 0 {
                if left == 0 {
                    writer.finish();
                    writer.out.extend_from_slice(&[0xFF, 0xD0 + restarts]);
                    restarts = (restarts + 1) % 8;
                    left = frame.restart_interval;
                    bands.iter_mut().for_each(|band| band.previous = 0);
                }
                left -= 1;
            }
            for band in &mut bands {
                let kind = usize::from(!is_first_kind(band.component));
                for v in 0..band.factors.1 {
                    for h in 0..band.factors.0 {
                        let block = band.block(mcu * band.factors.0 + h, v);
                        let coefficients = quantisers[kind].transform(&block);
                        let difference = i32::from(coefficients[0]) - i32::from(band.previous);
                        band.previous = coefficients[0];
                        writer.block(&coefficients, difference, &codes[kind]);
                    }
                }
            }
        }
    }
    writer.finish();
    out.extend_from_slice(&[0xFF, marker::EOI]);
    Ok(())
}

/// Whether a component is coded as luma: the first, and the black of four.
fn is_first_kind(component: usize) -> bool {
    component % 3 == 0
}

fn headers(frame: &Frame, factors: (u8, u8), tables: &[[u16; 64]; 2], out: &mut Vec<u8>) {
    let kinds = if frame.components.len() == 1 { 1 } else { 2 };
    for (number, table) in tables.iter().enumerate().take(kinds) {
        let values = ZIGZAG.iter().map(|&position| table[position] as u8);
        push(out, marker::DQT, &std::iter::once(number as u8).chain(values).collect::<Vec<u8>>());
    }
    let mut header = vec![8];
    header.extend_from_slice(&frame.height.to_be_bytes());
    header.extend_from_slice(&frame.width.to_be_bytes());
    header.push(frame.components.len() as u8);
    let mut scan = vec![frame.components.len() as u8];
    for (index, component) in frame.components.iter().enumerate() {
        let (kind, sampling) = if is_first_kind(index) { (0, factors.0 << 4 | factors.1) } else { (1, 0x11) };
        header.extend_from_slice(&[component.id, sampling, kind]);
        scan.extend_from_slice(&[component.id, kind * 0x11]);
    }
    scan.extend_from_slice(&[0, 63, 0]);
    push(out, 0xC0, &header);
    for kind in 0..kinds {
        for (class, table) in [(0x00, &DC[kind]), (0x10, &AC[kind])] {
            push(out, marker::DHT, &[&[class | kind as u8][..], &table.lengths, table.symbols].concat());
        }
    }
    if frame.restart_interval > 0 {
        push(out, marker::DRI, &frame.restart_interval.to_be_bytes());
    }
    push(out, marker::SOS, &scan);
}

/// The samples of one component in one row of MCUs.
struct Band {
    component: usize,
    factors: (usize, usize),
    /// Whether it is coded at full resolution.
    is_full: bool,
    stride: usize,
    samples: Vec<u8>,
    /// The DC coefficient coded last.
    previous: i16,
}

impl Band {
    fn new(component: usize, factors: (usize, usize), mcus: usize, is_full: bool) -> Self {
        Self { component, factors, is_full, stride: mcus * factors.0 * 8, samples: Vec::new(), previous: 0 }
    }

    /// Loads the `row`-th row of MCUs; `height` is the number of the component's lines. The last sample and the last
    /// line are repeated up to whole blocks.
    fn load(&mut self, image: &Mirrored<'_>, row: usize, height: usize) {
        self.samples.clear();
        let lines = self.factors.1 * 8;
        for line in row * lines..(row + 1) * lines {
            if line >= height {
                let last = self.samples.len() - self.stride;
                self.samples.extend_from_within(last..);
                continue;
            }
            if self.is_full {
                image.full(line, self.component, &mut self.samples);
            } else {
                image.reduced(line, self.component, &mut self.samples);
            }
            let last = self.samples.last().copied().unwrap_or(0);
            self.samples.resize(self.samples.len().next_multiple_of(self.stride), last);
        }
    }

    /// The block in a column and row of blocks, less 128.
    #[inline]
    fn block(&self, column: usize, row: usize) -> [[f32; 8]; 8] {
        std::array::from_fn(|y| {
            let at = (row * 8 + y) * self.stride + column * 8;
            let line: [u8; 8] = self.samples[at..].first_chunk().copied().unwrap_or([128; 8]);
            line.map(|sample| f32::from(i16::from(sample) - 128))
        })
    }
}

/// Entropy-coded bits, stuffed.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    bits: u64,
    /// How many of the low bits wait to be written, below 32 between calls.
    count: u32,
}

impl BitWriter<'_> {
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
    fn finish(&mut self) {
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

    #[inline(always)]
    fn block(&mut self, coefficients: &[i16; 64], difference: i32, (dc, ac): &(Codes, Codes)) {
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
        let mut writer = BitWriter { out: &mut out, bits: 0, count: 0 };
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
