//! Writes the blocks of a parsed sequential scan in mirrored order (T.81 F.1.2).
#![forbid(unsafe_code)]

use super::super::huffman::{Codes, Table};
use super::super::optimal;
use super::super::scan::{Keeps, Layout, Scan, Slot};
use super::super::writer::BitWriter;
use super::Block;
use crate::error::Result;
use crate::kernels::control::Control;
use std::rc::Rc;

/// The mirrored order of a scan's blocks.
pub(super) struct Order<'a> {
    /// The order within an MCU and what is mirrored.
    pub layout: &'a Layout,
    /// The blocks in the source's order.
    pub blocks: &'a [Block],
    /// MCUs between restart markers, 0 for none.
    pub restart: u32,
}

/// What the walk in mirrored order meets.
enum Event {
    /// A block of the given slot; the DC difference before it; whether that is the source's own.
    Block(Slot, Block, i32, bool),
    /// The end of a restart interval, with its number from 0.
    Restart(u32),
}

impl Order<'_> {
    /// Calls `each` for all blocks, and at all restarts, of the mirrored scan.
    #[inline(always)]
    fn walk(&self, control: &Control, mut each: impl FnMut(Event)) -> Result<()> {
        let Layout { mcus_x, mcus_y, ref slots, flip_rows, flip_columns } = *self.layout;
        let mut left = self.restart;
        let mut restarts = 0;
        let mut dc = [0_i32; 4];
        for y in 0..mcus_y {
            control.check()?;
            let row = if flip_rows { mcus_y - 1 - y } else { y } * mcus_x;
            for x in 0..mcus_x {
                if self.restart > 0 {
                    if left == 0 {
                        each(Event::Restart(restarts));
                        restarts += 1;
                        left = self.restart;
                        dc = [0; 4];
                    }
                    left -= 1;
                }
                let mcu = row + if flip_columns { mcus_x - 1 - x } else { x };
                let first = mcu as usize * slots.len();
                let Some(blocks) = self.blocks.get(first..first + slots.len()) else { continue };
                for &slot in slots {
                    let Some(&block) = blocks.get(slot.source) else { continue };
                    let keeps = match slot.keeps {
                        Keeps::Never => false,
                        Keeps::Inside => x > 0,
                        Keeps::Always => true,
                    };
                    let before = &mut dc[slot.component & 3];
                    let difference = i32::from(block.dc) - *before;
                    *before = i32::from(block.dc);
                    each(Event::Block(slot, block, difference, keeps && self.restart == 0));
                }
            }
        }
        Ok(())
    }
}

/// Replaces those DC tables of the scan's components that lack a category the mirrored scan needs.
///
/// Returns for every component whether its table is a new one. Optimised files have tables for just the differences
/// they hold; a flip makes other ones.
///
/// # Errors
/// `Aborted`.
pub(super) fn fitting_dc_tables(
    order: &Order<'_>,
    scan: &Scan,
    tables: &mut [Rc<Table>],
    control: &Control,
) -> Result<Vec<bool>> {
    // 8-bit samples have categories 0 to 11; a file with larger ones is counted too.
    let mut common = [0; 256];
    common[..12].fill(1);
    let small = order.blocks.iter().all(|block| (-1024..1024).contains(&block.dc));
    if small && tables.iter().all(|table| table.codes().covers(&common)) {
        return Ok(vec![false; tables.len()]);
    }
    let mut counts = vec![[0_u32; 256]; 4];
    order.walk(control, |event| {
        if let Event::Block(slot, _, difference, _) = event {
            let table = scan.components[slot.component].dc_table;
            counts[table][category(difference) as usize] += 1;
        }
    })?;
    let rebuilt: Vec<bool> = scan
        .components
        .iter()
        .zip(tables.iter())
        .map(|(component, table)| !table.codes().covers(&counts[component.dc_table]))
        .collect();
    let mut new: [Option<Rc<Table>>; 4] = [const { None }; 4];
    for ((component, table), _) in scan.components.iter().zip(tables).zip(&rebuilt).filter(|(_, rebuilt)| **rebuilt) {
        let number = component.dc_table;
        *table = Rc::clone(new[number].get_or_insert_with(|| Rc::new(optimal::table(&counts[number]))));
    }
    Ok(rebuilt)
}

/// Writes the mirrored scan; `flipped` is the parsed code, `codes` the DC codes by component, `rebuilt` whether they
/// are others than the source's.
///
/// # Errors
/// `Aborted`.
pub(super) fn emit(
    order: &Order<'_>,
    flipped: &[u8],
    codes: &[Codes],
    rebuilt: &[bool],
    writer: &mut BitWriter<'_>,
    control: &Control,
) -> Result<()> {
    // Blocks that stay neighbours with their DC differences are copied in one piece.
    let (mut from, mut to) = (0, 0);
    order.walk(control, |event| match event {
        Event::Block(slot, block, difference, keeps) => {
            if keeps && !rebuilt[slot.component] {
                if block.start != to {
                    writer.copy(flipped, from, to);
                    from = block.start;
                }
            } else {
                writer.copy(flipped, from, to);
                let size = category(difference);
                let (code, length) = codes[slot.component].get(size as u8);
                // Negative values are sent as their one's complement in `size` bits (F.1.2.1.1).
                let bits = (difference + (difference >> 31)) as u32 & !(!0 << size);
                writer.put(code << size | u64::from(bits), length + size);
                from = block.ac();
            }
            to = block.end();
        }
        Event::Restart(number) => {
            writer.copy(flipped, from, to);
            (from, to) = (0, 0);
            writer.restart(number);
        }
    })?;
    writer.copy(flipped, from, to);
    writer.finish();
    Ok(())
}

/// How many bits the magnitude of a DC difference has (T.81 table F.1); at most 15.
#[inline(always)]
fn category(difference: i32) -> u32 {
    32 - difference.unsigned_abs().leading_zeros()
}
