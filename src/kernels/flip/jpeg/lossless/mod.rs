//! Flips a JPEG without decoding it to pixels: nothing is lost.
//!
//! Mirroring a picture mirrors each 8x8 block and the order of the blocks. A mirrored block has the same DCT
//! coefficients, those of odd vertical (or horizontal) frequency negated (T.81 A.3.3: the basis functions are even or
//! odd). No coefficient changes its place, so every run/size symbol of the entropy code stays as it is and a negated
//! value is its own bits complemented (T.81 F.1.2.1). Hence a flip needs no coefficients at all: parse the bits once,
//! complement some of them, and copy blocks in the mirrored order; only what spans blocks is coded anew, which is the
//! DC differences, the end-of-band runs of progressive scans and the restart markers.
//!
//! | file | holds | T.81 |
//! |---|---|---|
//! | `flipper` | the walk over a whole file | B.2.1 |
//! | `marker` | segments of a file | B.1.1, B.2.4 |
//! | `frame` | frame header, which sizes can be flipped | B.2.2, A.1.1, A.2.4 |
//! | `scan` | scan header, order of the blocks in an MCU | B.2.3, A.2 |
//! | `huffman`, `optimal`, `tables` | code tables: read, built, written | B.2.4.2, C, K.2 |
//! | `lookup` | decoding tables, up to two coefficients and EOB a step | F.2.2.3 |
//! | `entropy` | entropy-coded data without stuffing and RSTn | B.1.1.5, F.1.2.3 |
//! | `stuffing` | the zero behind each 0xFF | F.1.2.3 |
//! | `reader`, `place` | bits in, complemented in place | F.2.2 |
//! | `writer` | bits out, with stuffing | F.1.2.3 |
//! | `job`, `order` | one scan, and the walk over its blocks in mirrored order | A.2 |
//! | `dc` | DC differences | F.1.2.1 |
//! | `sequential` | sequential scans; `lanes` in it walks over one from many places at once | F |
//! | `progressive` | progressive scans | G |
//! | `shifted` | sequential scans of which some components do not line up and are coded anew | F, A.3.3 |
//! | `scratch` | memory kept between flips | |

mod dc;
mod entropy;
mod flipper;
mod frame;
mod huffman;
mod job;
mod lookup;
mod marker;
mod optimal;
mod order;
mod place;
mod progressive;
mod reader;
mod scan;
mod scratch;
mod sequential;
mod shifted;
mod stuffing;
mod tables;
mod writer;

use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::options::Direction;

/// Mirrors the stored picture of a JPEG file without loss.
///
/// `file` is the whole input, SOI first. `direction` is along the *stored* axes (the caller has already turned what
/// people see into what is stored, by the EXIF orientation). `metadata` holds the APPn and COM segments of the output,
/// markers included, ready to stand behind SOI: the caller decides what is kept. `trailer` is written behind EOI.
///
/// # Errors
/// `NotLossless` (with the reason) when this file has to go through pixels, `ImageCorrupt`, `ImageUnsupported`,
/// `Aborted`.
pub fn flip(file: &[u8], direction: Direction, metadata: &[u8], trailer: &[u8], control: &Control) -> Result<Vec<u8>> {
    flipper::Flipper::new(file, direction, false, metadata, control).run(trailer)
}

/// Mirrors without loss those components of a JPEG file whose blocks line up in the mirrored picture, luma as a rule, and
/// codes the others anew by their own quantisation tables: chroma of a 4:2:0 picture whose height is 8 beyond a multiple of
/// 16. Their samples are rounded by nothing but that quantisation. Arguments are those of [`flip`].
///
/// # Errors
/// As [`flip`]; `NotLossless` when no component lines up, when one that does not ends within a sample, and for progressive
/// files.
pub fn flip_partly(
    file: &[u8],
    direction: Direction,
    metadata: &[u8],
    trailer: &[u8],
    control: &Control,
) -> Result<Vec<u8>> {
    flipper::Flipper::new(file, direction, true, metadata, control).run(trailer)
}

/// Takes back the memory of a flipped file that is not needed any more, for the next [`flip`] to write into.
///
/// Nobody has to call this. At most 64 MiB are kept, together with the flips' own working memory.
pub fn recycle(flipped: Vec<u8>) {
    scratch::give_output(flipped);
}

/// The error for bytes that break T.81.
fn corrupt(what: impl Into<String>) -> Error {
    Error::ImageCorrupt(what.into())
}

/// The zigzag positions whose coefficients a flip negates; bit 63 - k stands for position k (T.81 figure 5).
///
/// A vertical flip negates odd vertical frequencies, a horizontal one odd horizontal ones, both together those where
/// exactly one of the two is odd.
fn negated(direction: Direction) -> u64 {
    let mut set = 0;
    let (mut row, mut column) = (0_u32, 0_u32);
    for k in 0..64 {
        let odd = match direction {
            Direction::Vertical => row,
            Direction::Horizontal => column,
            Direction::Both => row + column,
        };
        set |= u64::from(odd & 1) << (63 - k);
        // Along the anti-diagonals: up-right on even ones, down-left on odd ones, turning at the edges.
        if (row + column) % 2 == 0 {
            match (row, column) {
                (_, 7) => row += 1,
                (0, _) => column += 1,
                _ => (row, column) = (row - 1, column + 1),
            }
        } else {
            match (row, column) {
                (7, _) => column += 1,
                (_, 0) => row += 1,
                _ => (row, column) = (row + 1, column - 1),
            }
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negated_positions_follow_figure_5() {
        // The first ten positions in zigzag order are (row, column) 00 01 10 20 11 02 03 12 21 30, the last is 77.
        assert_eq!(negated(Direction::Vertical) >> 54, 0b00_1010_0101);
        assert_eq!(negated(Direction::Horizontal) >> 54, 0b01_0010_1010);
        assert_eq!(negated(Direction::Both), negated(Direction::Vertical) ^ negated(Direction::Horizontal));
        for direction in [Direction::Vertical, Direction::Horizontal, Direction::Both] {
            assert_eq!(negated(direction).count_ones(), 32);
        }
        assert_eq!(negated(Direction::Vertical) & 1, 1);
        assert_eq!(negated(Direction::Both) & 1, 0);
    }
}
