//! The forward DCT with quantisation, in floating point: the algorithm of Arai, Agui and Nakajima (1988), whose
//! scaling is part of the quantisation. Written over vectors of eight so that compilers use what the target has.

use super::pixels::ZIGZAG;
use std::f32::consts::SQRT_2;

type Row = [f32; 8];

/// What coefficients are multiplied with: the step of the quantisation table and the scale of the transform, inverse.
pub struct Quantiser {
    /// In the order the transform leaves coefficients in, transposed.
    factors: [Row; 8],
}

impl Quantiser {
    /// For a table in natural order.
    pub fn new(table: &[u16; 64]) -> Self {
        let scale: Row =
            std::array::from_fn(|k| if k == 0 { 1.0 } else { (k as f32 * std::f32::consts::PI / 16.0).cos() * SQRT_2 });
        let factor = |u: usize, v: usize| 1.0 / (f32::from(table[v * 8 + u]) * scale[u] * scale[v] * 8.0);
        Self { factors: std::array::from_fn(|u| std::array::from_fn(|v| factor(u, v))) }
    }

    /// The quantised coefficients of a block of samples less 128.
    #[inline(always)]
    pub fn transform(&self, block: &[Row; 8]) -> Coefficients {
        let columns = transposed(&transform(block));
        let rows = transform(&columns);
        let mut values = [[0; 8]; 8];
        for ((values, row), factors) in values.iter_mut().zip(&rows).zip(&self.factors) {
            // Baseline Huffman codes end at 1023; no 8-bit picture but for rounding goes beyond.
            *values = std::array::from_fn(|v| round((row[v] * factors[v]).clamp(-1023.0, 1023.0)));
        }
        Coefficients(values)
    }
}

/// Rounds to the nearest whole number, for values of 16 bits: the low bits of the sum's mantissa are the number.
#[inline(always)]
pub(super) fn round(value: f32) -> i16 {
    const MAGIC: f32 = 12_582_912.0;
    (value + MAGIC).to_bits() as i16
}

/// A block's quantised coefficients, in the order the transform leaves them in: moving all of them into zigzag order
/// would cost more than finding the few that are not zero there.
pub struct Coefficients([[i16; 8]; 8]);

impl Coefficients {
    /// Of values by horizontal, then vertical frequency.
    #[inline(always)]
    pub(super) fn new(values: [[i16; 8]; 8]) -> Self {
        Self(values)
    }

    /// The coefficient at a place in zigzag order, below 64.
    #[inline(always)]
    pub fn get(&self, index: usize) -> i16 {
        self.0.as_flattened()[usize::from(PLACES[index & 63]) & 63]
    }

    /// One bit for each coefficient that is not zero, the first in zigzag order in the lowest.
    #[inline(always)]
    pub fn nonzero(&self) -> u64 {
        // Loops, not `map`: what is called rather than inlined is compiled without the wider instructions.
        let mut flags = [[0; 8]; 8];
        for (flag, &value) in flags.as_flattened_mut().iter_mut().zip(self.0.as_flattened()) {
            *flag = u8::from(value != 0);
        }
        flags.iter().zip(&MASKS).fold(0, |mask, (flags, masks)| {
            // Gathers the lowest bits of eight bytes in the highest byte.
            mask | masks[(u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize]
        })
    }
}

/// Where the transform leaves the n-th coefficient in zigzag order.
pub(super) const PLACES: [u8; 64] = {
    let mut out = [0; 64];
    let mut index = 0;
    while index < 64 {
        out[index] = (ZIGZAG[index] % 8 * 8 + ZIGZAG[index] / 8) as u8;
        index += 1;
    }
    out
};

/// For each row the transform leaves, and each set of its places: the set in zigzag order.
static MASKS: [[u64; 256]; 8] = {
    let mut out = [[0; 256]; 8];
    let mut index = 0;
    while index < 64 {
        let (row, bit) = (PLACES[index] as usize / 8, PLACES[index] % 8);
        let mut set = 0;
        while set < 256 {
            if set >> bit & 1 == 1 {
                out[row][set] |= 1 << index;
            }
            set += 1;
        }
        index += 1;
    }
    out
};

#[inline(always)]
fn transposed(block: &[Row; 8]) -> [Row; 8] {
    std::array::from_fn(|x| std::array::from_fn(|y| block[y][x]))
}

#[inline(always)]
fn add(a: Row, b: Row) -> Row {
    std::array::from_fn(|index| a[index] + b[index])
}

#[inline(always)]
fn sub(a: Row, b: Row) -> Row {
    std::array::from_fn(|index| a[index] - b[index])
}

#[inline(always)]
fn scale(a: Row, by: f32) -> Row {
    std::array::from_fn(|index| a[index] * by)
}

/// One dimension, down the columns of all eight rows at once.
#[inline(always)]
fn transform(d: &[Row; 8]) -> [Row; 8] {
    let (s0, s7) = (add(d[0], d[7]), sub(d[0], d[7]));
    let (s1, s6) = (add(d[1], d[6]), sub(d[1], d[6]));
    let (s2, s5) = (add(d[2], d[5]), sub(d[2], d[5]));
    let (s3, s4) = (add(d[3], d[4]), sub(d[3], d[4]));
    // Even part.
    let (e0, e3) = (add(s0, s3), sub(s0, s3));
    let (e1, e2) = (add(s1, s2), sub(s1, s2));
    let z1 = scale(add(e2, e3), 0.707_106_77);
    // Odd part.
    let (o0, o1, o2) = (add(s4, s5), add(s5, s6), add(s6, s7));
    let z5 = scale(sub(o0, o2), 0.382_683_43);
    let z2 = add(scale(o0, 0.541_196_1), z5);
    let z4 = add(scale(o2, 1.306_563), z5);
    let z3 = scale(o1, 0.707_106_77);
    let (z11, z13) = (add(s7, z3), sub(s7, z3));
    [add(e0, e1), add(z11, z4), add(e3, z1), sub(z13, z2), sub(e0, e1), add(z13, z2), sub(e3, z1), sub(z11, z4)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::flip::tests::pictures::noise;

    /// The definition, T.81 annex A.3.3.
    fn exact(block: &[Row; 8], u: usize, v: usize) -> f64 {
        let c = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let cosine = |x: usize, k: usize| ((2 * x + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos();
        let sum: f64 = (0..64)
            .map(|index| f64::from(block[index / 8][index % 8]) * cosine(index % 8, u) * cosine(index / 8, v))
            .sum();
        sum * c(u) * c(v) / 4.0
    }

    #[test]
    fn agrees_with_the_definition() {
        let quantiser = Quantiser::new(&std::array::from_fn(|index| index as u16 / 8 + 1));
        for seed in 0..20 {
            let samples = noise(64, seed);
            let block: [Row; 8] =
                std::array::from_fn(|y| std::array::from_fn(|x| f32::from(samples[y * 8 + x]) - 128.0));
            let coefficients = quantiser.transform(&block);
            for (index, &natural) in ZIGZAG.iter().enumerate() {
                let step = (natural as u16 / 8 + 1) as f64;
                let expected = exact(&block, natural % 8, natural / 8) / step;
                assert!((f64::from(coefficients.get(index)) - expected).abs() < 0.501, "{index}");
            }
        }
    }

    #[test]
    fn masks_find_every_place() {
        for (index, &place) in PLACES.iter().enumerate() {
            let mut coefficients = Coefficients([[0; 8]; 8]);
            coefficients.0.as_flattened_mut()[usize::from(place)] = -3;
            assert_eq!((coefficients.nonzero(), coefficients.get(index)), (1 << index, -3));
        }
        assert_eq!(Coefficients([[1; 8]; 8]).nonzero(), u64::MAX);
    }
}
