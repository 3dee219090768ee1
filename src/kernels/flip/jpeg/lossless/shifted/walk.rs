//! The walk over a scan's MCUs in the flipped picture's order.
#![forbid(unsafe_code)]

use super::super::job::{Block, Job};
use super::super::scan::Slot;
use super::plane::{Plane, Recoder, Source};
use crate::error::Result;
use crate::kernels::flip::jpeg::fdct::Coefficients;
use crate::sys::simd::{self, Work};

/// Takes the blocks of the flipped scan in order; `component` is an index into the scan's. Implementations are
/// `#[inline(always)]`, see [`Work`].
pub(super) trait Sink {
    /// A block of the source whose coefficients stay; `keeps` says that the block before it in its component is the same
    /// as in the source.
    fn exact(&mut self, component: usize, block: Block, keeps: bool);

    /// A block made anew.
    fn coded(&mut self, component: usize, coefficients: &Coefficients);

    /// A block that only pads an MCU.
    fn padding(&mut self, component: usize);

    /// The end of a restart interval, with its number from 0.
    fn restart(&mut self, number: u32);

    /// Whether to stop, asked at each row.
    fn has_failed(&self) -> bool {
        false
    }
}

/// One component of the scan: where its blocks come from and, where they do not stay as they are, how they are made.
pub(super) struct Part {
    /// Where from.
    pub plane: Plane,
    /// How.
    pub recoder: Option<Recoder>,
}

/// Shows `sink` all blocks, and the end of each restart interval but the last.
///
/// # Errors
/// `Aborted`.
pub(super) fn walk(job: &Job<'_>, parts: &mut [Part], source: Source<'_>, sink: &mut impl Sink) -> Result<()> {
    let slots: Vec<Placed> = placed(&job.layout.slots, parts);
    let (mut left, mut restarts) = (job.restart, 0);
    for y in 0..job.layout.mcus_y {
        job.control.check()?;
        if sink.has_failed() {
            return Ok(());
        }
        (left, restarts) = simd::run(Row { job, parts, slots: &slots, source, sink, y, left, restarts });
    }
    Ok(())
}

/// A block of an MCU.
struct Placed {
    component: usize,
    /// Its place among the component's blocks in an MCU.
    row: u32,
    column: u32,
}

fn placed(slots: &[Slot], parts: &[Part]) -> Vec<Placed> {
    let mut seen = [0; 4];
    let place = |slot: &Slot| {
        let number = &mut seen[slot.component & 3];
        let h = parts.get(slot.component).map_or(1, |part| part.plane.h);
        let placed = Placed { component: slot.component, row: *number / h, column: *number % h };
        *number += 1;
        placed
    };
    slots.iter().map(place).collect()
}

/// What a slot shows in one row of MCUs.
#[derive(Clone, Copy)]
enum Shows {
    Padding,
    Coded { row: u32 },
    Exact { begin: u32, keeps_first: bool },
}

/// One row of MCUs.
struct Row<'a, S> {
    job: &'a Job<'a>,
    parts: &'a mut [Part],
    slots: &'a [Placed],
    source: Source<'a>,
    sink: &'a mut S,
    y: u32,
    left: u32,
    restarts: u32,
}

impl<S: Sink> Work for Row<'_, S> {
    type Output = (u32, u32);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { job, parts, slots, source, sink, y, mut left, mut restarts } = self;
        for part in parts.iter_mut() {
            if let Some(recoder) = &mut part.recoder {
                recoder.make(&part.plane, y, source);
            }
        }
        let shows = |slot: &Placed| {
            let Part { plane, recoder } = &parts[slot.component];
            match plane.row(y * plane.v + slot.row) {
                None => Shows::Padding,
                Some(_) if recoder.is_some() => Shows::Coded { row: slot.row },
                // A row of blocks that goes through all MCUs: only a restart comes between its blocks.
                Some(begin) => Shows::Exact { begin, keeps_first: plane.v == 1 && job.restart == 0 },
            }
        };
        let mut shown = [Shows::Padding; 10];
        shown.iter_mut().zip(slots).for_each(|(to, slot)| *to = shows(slot));
        // Along a flipped axis the block before is another one.
        let stays = |part: &Part| part.plane.columns == super::axis::Axis::Stays;
        let rows_stay: [bool; 4] = std::array::from_fn(|i| parts.get(i).is_some_and(stays));
        for x in 0..job.layout.mcus_x {
            if job.restart > 0 {
                if left == 0 {
                    sink.restart(restarts);
                    restarts += 1;
                    left = job.restart;
                }
                left -= 1;
            }
            for (slot, shows) in slots.iter().zip(&shown) {
                let Part { plane, recoder } = &parts[slot.component];
                let column = x * plane.h + slot.column;
                match (*shows, recoder) {
                    (Shows::Exact { begin, keeps_first }, _) => {
                        let index = plane.column(column).map(|column| (begin + column) as usize);
                        let keeps = rows_stay[slot.component & 3] && (slot.column > 0 || keeps_first && x > 0);
                        match index.map(|index| source.blocks.get(index)) {
                            Some(Some(&block)) => sink.exact(slot.component, block, keeps),
                            _ => sink.padding(slot.component),
                        }
                    }
                    (Shows::Coded { row }, Some(recoder)) => match recoder.block(row, column) {
                        Some(coefficients) => sink.coded(slot.component, coefficients),
                        None => sink.padding(slot.component),
                    },
                    _ => sink.padding(slot.component),
                }
            }
        }
        (left, restarts)
    }
}
