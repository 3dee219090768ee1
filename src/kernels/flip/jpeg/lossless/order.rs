//! The blocks of a scan in mirrored order.
#![forbid(unsafe_code)]

use super::job::Job;
use super::scan::{Keeps, Layout, Slot};
use crate::error::Result;
use crate::sys::simd::{self, Work};
use std::ops::Range;

/// Takes the blocks of a scan in mirrored order. Implementations are `#[inline(always)]`, see [`Work`].
pub(super) trait Visitor {
    /// A block: what stands at its place in the MCU, its number in the source's coding order, and whether the block
    /// before it in its component is the same as in the source.
    fn block(&mut self, slot: &Slot, index: usize, keeps: bool);

    /// The end of a restart interval, with its number from 0.
    fn restart(&mut self, number: u32);

    /// Blocks that stand one behind another in the source and here, each of them with the block before it in its
    /// component the same: the rest of a row. Those who do nothing with that return false and are shown each block.
    fn unchanged(&mut self, _blocks: Range<usize>, _slots: &[Slot]) -> bool {
        false
    }

    /// Whether to stop, asked at each row.
    fn has_failed(&self) -> bool {
        false
    }
}

/// Shows `visitor` all blocks of the mirrored scan and the end of each restart interval but the last.
///
/// # Errors
/// `Aborted`.
pub(super) fn walk(job: &Job<'_>, visitor: &mut impl Visitor) -> Result<()> {
    simd::run(Walk { job, visitor })
}

struct Walk<'a, V> {
    job: &'a Job<'a>,
    visitor: &'a mut V,
}

impl<V: Visitor> Work for Walk<'_, V> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { job, visitor } = self;
        let Layout { mcus_x, mcus_y, ref slots, flip_rows, flip_columns } = *job.layout;
        let restart = job.restart;
        let mut left = restart;
        let mut restarts = 0;
        let rows_stay = restart == 0 && slots.iter().all(|slot| slot.keeps != Keeps::Never);
        for y in 0..mcus_y {
            job.control.check()?;
            if visitor.has_failed() {
                return Ok(());
            }
            let row = if flip_rows { mcus_y - 1 - y } else { y } * mcus_x;
            for x in 0..mcus_x {
                if rows_stay && x == 1 {
                    let (begin, end) = ((row + 1) as usize * slots.len(), (row + mcus_x) as usize * slots.len());
                    if visitor.unchanged(begin..end, slots) {
                        break;
                    }
                }
                if restart > 0 {
                    if left == 0 {
                        visitor.restart(restarts);
                        restarts += 1;
                        left = restart;
                    }
                    left -= 1;
                }
                let mcu = row + if flip_columns { mcus_x - 1 - x } else { x };
                let first = mcu as usize * slots.len();
                for slot in slots {
                    let keeps = restart == 0
                        && match slot.keeps {
                            Keeps::Never => false,
                            Keeps::Inside => x > 0,
                            Keeps::Always => true,
                        };
                    visitor.block(slot, first + slot.source, keeps);
                }
            }
        }
        Ok(())
    }
}
