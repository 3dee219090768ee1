//! What it takes to flip one scan.
#![forbid(unsafe_code)]

use super::corrupt;
use super::entropy::Entropy;
use super::scan::{Layout, Scan};
use super::tables::Tables;
use crate::error::Result;
use crate::kernels::control::Control;
use crate::kernels::flip::options::Direction;

/// A scan of the source.
pub(super) struct Job<'a> {
    /// Its header.
    pub scan: &'a Scan,
    /// Its header's segment, which the output takes over.
    pub header: &'a [u8],
    /// The order of its blocks.
    pub layout: &'a Layout,
    /// MCUs between restart markers, 0 for none.
    pub restart: u32,
    /// Which way to mirror.
    pub direction: Direction,
    /// Tables in force in the source.
    pub tables: &'a Tables,
    /// The caller's way to abort.
    pub control: &'a Control,
}

/// Where a flipped scan goes.
pub(super) struct Output<'a> {
    /// The file so far.
    pub file: &'a mut Vec<u8>,
    /// Tables in force in it.
    pub tables: &'a mut Tables,
}

/// Where a block stands in a sequential scan's code and what its DC is. Vector code writes eight of them at a time.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Block {
    /// Bit position of its DC code.
    pub start: u32,
    /// Its DC coefficient.
    pub dc: i16,
    /// Bits of the DC code and its value bits (5, from bit 11), bits of the whole block (11).
    pub lengths: u16,
}

impl Block {
    /// Bit position of its AC codes.
    #[inline(always)]
    pub fn ac(self) -> u32 {
        self.start + u32::from(self.lengths >> 11)
    }

    /// Bit position behind its last code.
    #[inline(always)]
    pub fn end(self) -> u32 {
        self.start + u32::from(self.lengths & 0x7FF)
    }
}

/// A block's part of a progressive AC scan.
#[derive(Clone, Copy, Default)]
pub(super) struct Band {
    /// Which coefficients become nonzero here, bit k for zigzag position k.
    pub new: u64,
    /// Bit position of its first symbol.
    pub start: u32,
    /// Bit position of the correction bits behind its end of band.
    pub tail: u32,
    /// Bits of its symbols with all that belongs to them, EOBn left out.
    pub length: u16,
    /// How many correction bits stand behind its end of band.
    pub tail_length: u8,
    /// Whether an EOBn ends it.
    pub ends: bool,
}

impl Job<'_> {
    /// MCUs in a restart interval, the last one perhaps excepted.
    pub fn interval(&self) -> u32 {
        if self.restart == 0 { self.mcus() } else { self.restart }
    }

    /// MCUs in the scan.
    pub fn mcus(&self) -> u32 {
        self.layout.mcus_x * self.layout.mcus_y
    }

    /// Reads the scan's code from offset `at` of `file`; returns the offset behind it.
    ///
    /// # Errors
    /// Those of [`Entropy::read`]; `ImageCorrupt` when there are fewer than `least` bits for each block, so that no
    /// header can make us allocate more than the file's size warrants.
    pub fn read(&self, (file, at): (&[u8], usize), least: u64, entropy: &mut Entropy) -> Result<usize> {
        let end = entropy.read(file, at, u64::from(self.mcus().div_ceil(self.interval())))?;
        if self.layout.blocks() * least > entropy.len() as u64 * 8 {
            return Err(corrupt("the entropy-coded data is too short for the picture"));
        }
        Ok(end)
    }

    /// Calls `each` for every row, or part of a row, of MCUs that no restart marker cuts: with the number of MCUs,
    /// with the first byte of a restart interval where one begins, and with the bit that it ends at; `ends` are the
    /// intervals' last bytes.
    ///
    /// # Errors
    /// `Aborted`, and those of `each`.
    pub fn for_each_row(
        &self,
        ends: &[u32],
        mut each: impl FnMut(u32, Option<usize>, u64) -> Result<()>,
    ) -> Result<()> {
        let mut begin = 0;
        for (i, &end) in (0..).zip(ends) {
            let mut left = self.interval().min(self.mcus() - i * self.interval());
            let mut starts = Some(begin);
            while left > 0 {
                self.control.check()?;
                let now = left.min(self.layout.mcus_x);
                each(now, starts.take(), u64::from(end) * 8)?;
                left -= now;
            }
            begin = end as usize;
        }
        Ok(())
    }
}
