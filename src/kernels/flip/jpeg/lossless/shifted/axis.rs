//! One axis of a component under a flip, and what moving samples along it does to coefficients.
#![forbid(unsafe_code)]

use std::f64::consts::PI;
use std::rc::Rc;

/// What becomes of a component's blocks along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// Not flipped: they stay where they are, those that only pad an MCU too.
    Stays,
    /// Flipped, and whole blocks: they change their order.
    Mirrored,
    /// Flipped, and so many samples short of whole blocks, 1 to 7: what pads the last block would come to lie before the
    /// first, so all samples move on by as many.
    Shifted(u32),
}

impl Axis {
    /// The axis along which a component has so many samples.
    pub fn new(flipped: bool, samples: u32) -> Self {
        match samples.wrapping_neg() % 8 {
            _ if !flipped => Self::Stays,
            0 => Self::Mirrored,
            missing => Self::Shifted(missing),
        }
    }

    /// Where the block at place `to` stood, `real` being how many the axis has without those that pad an MCU. None for
    /// what is padding in the flipped picture.
    pub fn source(self, to: u32, real: u32) -> Option<u32> {
        match self {
            Self::Stays => Some(to),
            Self::Mirrored | Self::Shifted(_) => real.checked_sub(to + 1),
        }
    }

    /// The matrices that move samples, where they have to move.
    pub fn shift(self) -> Option<Rc<Shift>> {
        match self {
            Self::Shifted(by) => Some(Rc::new(Shift::new(by))),
            Self::Stays | Self::Mirrored => None,
        }
    }
}

/// How the coefficients of mirrored blocks add up to those of shifted ones, along one axis. For each frequency of a
/// mirrored block, what it adds to each frequency of the shifted one.
///
/// A shifted block begins within one mirrored block and ends within the next. The DCT is linear, so the way over samples
/// (inverse transform, move, forward transform) is a matrix; nothing is rounded or cut off to 8 bits on that way.
pub(super) struct Shift {
    /// Of the mirrored block that it begins in.
    pub first: [[f32; 8]; 8],
    /// Of the one behind that.
    pub second: [[f32; 8]; 8],
    /// Of the last one, in place of `first`: its last sample is repeated up to the shifted block's end.
    pub last: [[f32; 8]; 8],
}

impl Shift {
    /// A shift by 1 to 7 samples.
    fn new(by: u32) -> Self {
        let by = by as usize;
        // The orthonormal DCT, which is T.81's along one axis (A.3.3).
        let basis = |k: usize, x: usize| {
            let scale = if k == 0 { 0.125_f64.sqrt() } else { 0.5 };
            scale * ((2 * x + 1) as f64 * k as f64 * PI / 16.0).cos()
        };
        // `at` says which sample of the mirrored block comes to lie where, if any does.
        let matrix = |at: &dyn Fn(usize) -> Option<usize>| {
            let entry = |from: usize, to: usize| {
                (0..8).filter_map(|x| Some(basis(from, at(x)?) * basis(to, x))).sum::<f64>() as f32
            };
            std::array::from_fn(|from| std::array::from_fn(|to| entry(from, to)))
        };
        Self {
            first: matrix(&|x| (x + by < 8).then_some(x + by)),
            second: matrix(&|x| (x + by).checked_sub(8)),
            last: matrix(&|x| Some((x + by).min(7))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_told_apart() {
        assert_eq!(Axis::new(false, 12), Axis::Stays);
        assert_eq!(Axis::new(true, 16), Axis::Mirrored);
        assert_eq!([9, 12, 15].map(|samples| Axis::new(true, samples)), [7, 4, 1].map(Axis::Shifted));
    }

    #[test]
    fn blocks_come_from_their_mirror_image() {
        assert_eq!(Axis::Stays.source(5, 3), Some(5));
        let mirrored = [0, 1, 2, 3].map(|to| Axis::Mirrored.source(to, 3));
        assert_eq!(mirrored, [Some(2), Some(1), Some(0), None]);
    }

    /// Twenty-four samples' coefficients, orthonormal.
    fn transform(samples: &[f64; 24]) -> [[f64; 8]; 3] {
        let scale = |k: usize| if k == 0 { 0.125_f64.sqrt() } else { 0.5 };
        let cosine = |k: usize, x: usize| ((2 * x + 1) as f64 * k as f64 * PI / 16.0).cos();
        let sum = |block: usize, k: usize| (0..8).map(|x| samples[block * 8 + x] * cosine(k, x)).sum::<f64>();
        std::array::from_fn(|block| std::array::from_fn(|k| scale(k) * sum(block, k)))
    }

    #[test]
    fn matrices_move_samples() {
        let samples: [f64; 24] = std::array::from_fn(|x| ((x * x * 7 + 3) % 41) as f64 - 20.0);
        let from = transform(&samples);
        for by in 1..8 {
            let shift = Shift::new(by as u32);
            let expected = transform(&std::array::from_fn(|x| samples[(x + by).min(23)]));
            for block in 0..3 {
                for to in 0..8 {
                    let product = |matrix: &[[f32; 8]; 8], block: &[f64; 8]| -> f64 {
                        (0..8).map(|k| f64::from(matrix[k][to]) * block[k]).sum()
                    };
                    let found = match from.get(block + 1) {
                        Some(next) => product(&shift.first, &from[block]) + product(&shift.second, next),
                        None => product(&shift.last, &from[block]),
                    };
                    assert!((found - expected[block][to]).abs() < 1e-4, "{by} {block} {to}");
                }
            }
        }
    }
}
