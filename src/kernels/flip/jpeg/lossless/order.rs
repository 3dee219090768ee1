//! The blocks of a scan in mirrored order.
#![forbid(unsafe_code)]

use super::job::Job;
use super::scan::{Keeps, Layout, Slot};
use crate::error::Result;

/// What the walk in mirrored order meets.
pub(super) enum Event {
    /// A block.
    Block {
        /// What stands at its place in the MCU.
        slot: Slot,
        /// Its number in the source's coding order.
        index: usize,
        /// Whether the block before it in its component is the same as in the source.
        keeps: bool,
    },
    /// The end of a restart interval, with its number from 0.
    Restart(u32),
}

/// Calls `each` for all blocks of the mirrored scan and at the end of each restart interval but the last.
///
/// # Errors
/// `Aborted`.
#[inline(always)]
pub(super) fn walk(job: &Job<'_>, mut each: impl FnMut(Event)) -> Result<()> {
    let Layout { mcus_x, mcus_y, ref slots, flip_rows, flip_columns } = *job.layout;
    let restart = job.restart;
    let mut left = restart;
    let mut restarts = 0;
    for y in 0..mcus_y {
        job.control.check()?;
        let row = if flip_rows { mcus_y - 1 - y } else { y } * mcus_x;
        for x in 0..mcus_x {
            if restart > 0 {
                if left == 0 {
                    each(Event::Restart(restarts));
                    restarts += 1;
                    left = restart;
                }
                left -= 1;
            }
            let mcu = row + if flip_columns { mcus_x - 1 - x } else { x };
            let first = mcu as usize * slots.len();
            for &slot in slots {
                let keeps = restart == 0
                    && match slot.keeps {
                        Keeps::Never => false,
                        Keeps::Inside => x > 0,
                        Keeps::Always => true,
                    };
                each(Event::Block { slot, index: first + slot.source, keeps });
            }
        }
    }
    Ok(())
}
