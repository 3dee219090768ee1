//! A scan's component: where its blocks come from, and how those that do not line up are made anew.
#![forbid(unsafe_code)]

use super::super::entropy::load_bits;
use super::super::frame::Frame;
use super::super::job::{Block, Job};
use super::super::lookup::Symbols;
use super::super::scan::ScanComponent;
use super::super::tables::Class;
use super::axis::{Axis, Shift};
use crate::error::Result;
use crate::kernels::flip::jpeg::fdct::{Coefficients, PLACES, round};
use crate::kernels::flip::options::Direction;
use std::rc::Rc;

/// The place of a component's blocks in a scan.
pub(super) struct Plane {
    /// What becomes of its columns and of its rows.
    pub columns: Axis,
    pub rows: Axis,
    /// Its blocks in an MCU, across and down.
    pub h: u32,
    pub v: u32,
    /// Columns and rows of blocks without those that pad an MCU.
    real: (u32, u32),
    /// By column: the source's, as an index in the source's row of MCUs. None for padding.
    column_index: Vec<Option<u32>>,
    /// The first of its blocks in an MCU, and how many blocks of all components a row of MCUs has.
    first: u32,
    in_row: u32,
}

impl Plane {
    /// Lays out the scan's component number `index`.
    pub fn new(job: &Job<'_>, frame: &Frame, index: usize) -> Self {
        let component = &frame.components[job.scan.components[index].index];
        let alone = job.scan.components.len() == 1;
        let (h, v) = if alone { (1, 1) } else { (component.h, component.v) };
        let columns = Axis::new(job.direction != Direction::Vertical, component.width);
        let rows = Axis::new(job.direction != Direction::Horizontal, component.height);
        let first = job.layout.slots.iter().position(|slot| slot.component == index).unwrap_or(0) as u32;
        let in_mcu = job.layout.slots.len() as u32;
        let column_index = |column| {
            let source = columns.source(column, component.blocks_x)?;
            Some(source / h * in_mcu + source % h)
        };
        Self {
            columns,
            rows,
            h,
            v,
            real: (component.blocks_x, component.blocks_y),
            column_index: (0..job.layout.mcus_x * h).map(column_index).collect(),
            first,
            in_row: in_mcu * job.layout.mcus_x,
        }
    }

    /// Whether its blocks only change their order.
    pub fn is_exact(&self) -> bool {
        !matches!(self.columns, Axis::Shifted(_)) && !matches!(self.rows, Axis::Shifted(_))
    }

    /// Where the row of blocks that comes to stand at `row` begins: what to add to [`Self::column`]. None for padding.
    pub fn row(&self, row: u32) -> Option<u32> {
        let source = self.rows.source(row, self.real.1)?;
        Some(source / self.v * self.in_row + self.first + source % self.v * self.h)
    }

    /// The source of the block that comes to stand in `column`, as an index in its row. None for padding.
    #[inline(always)]
    pub fn column(&self, column: u32) -> Option<u32> {
        self.column_index.get(column as usize).copied().flatten()
    }

    /// How many blocks it has in a row that are no padding in the flipped picture.
    fn across(&self) -> usize {
        if self.columns == Axis::Stays { self.column_index.len() } else { self.real.0 as usize }
    }

    /// Whether `row` is the last one that is shifted: none follows that it could be filled up from.
    fn is_last(&self, row: u32) -> bool {
        row + 1 >= self.real.1
    }
}

/// Coefficients of a block by horizontal, then vertical frequency, as [`Coefficients`] has them.
type Values = [[f32; 8]; 8];

const ZERO: Values = [[0.0; 8]; 8];

/// Where a scan's blocks stand.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The blocks in coding order.
    pub blocks: &'a [Block],
    /// Their code, value bits complemented.
    pub code: &'a [u8],
}

/// Makes the blocks of a component anew, row by row from the top.
pub(super) struct Recoder {
    symbols: Symbols,
    /// The quantiser's steps and their inverses.
    steps: Values,
    inverse: Values,
    columns: Option<Rc<Shift>>,
    rows: Option<Rc<Shift>>,
    /// The row that is being put together, and what is known of the one below.
    now: Vec<Values>,
    below: Vec<Values>,
    /// The rows of one row of MCUs, quantised.
    done: Vec<Vec<Coefficients>>,
}

impl Recoder {
    /// Prepares to code a component anew; `quantiser` is in zigzag order.
    ///
    /// # Errors
    /// `ImageCorrupt` when the component's AC table is not defined.
    pub fn new(job: &Job<'_>, component: &ScanComponent, plane: &Plane, quantiser: &[u16; 64]) -> Result<Self> {
        let mut steps = [[1.0; 8]; 8];
        for (&place, &step) in PLACES.iter().zip(quantiser) {
            steps.as_flattened_mut()[usize::from(place) & 63] = f32::from(step);
        }
        Ok(Self {
            symbols: Symbols::new(&*job.tables.get(Class::Ac, component.ac_table)?),
            steps,
            inverse: steps.map(|row| row.map(|step| 1.0 / step)),
            columns: plane.columns.shift(),
            rows: plane.rows.shift(),
            now: Vec::new(),
            below: Vec::new(),
            done: Vec::new(),
        })
    }

    /// The block at a place in the row of MCUs made last.
    #[inline(always)]
    pub fn block(&self, row: u32, column: u32) -> Option<&Coefficients> {
        self.done.get(row as usize)?.get(column as usize)
    }

    /// Makes the component's rows of the row of MCUs number `y`. To be called for each, in order.
    #[inline(always)]
    pub fn make(&mut self, plane: &Plane, y: u32, source: Source<'_>) {
        self.done.resize_with(plane.v as usize, Vec::new);
        for v in 0..plane.v {
            let row = y * plane.v + v;
            if plane.row(row).is_some() {
                self.fill(plane, row, source);
                if self.columns.is_some() {
                    self.shift_columns();
                }
                self.quantise(v as usize);
            }
        }
    }

    /// Puts a row together in `self.now`, but for the shift of its columns.
    #[inline(always)]
    fn fill(&mut self, plane: &Plane, row: u32, source: Source<'_>) {
        let across = plane.across();
        let empty = |values: &mut Vec<Values>| {
            values.clear();
            values.resize(across, ZERO);
        };
        let Some(shift) = self.rows.clone() else {
            empty(&mut self.now);
            self.read(plane, row, source, None);
            return;
        };
        let first = |row: u32| if plane.is_last(row) { shift.last } else { shift.first };
        if row == 0 {
            empty(&mut self.below);
            let into = first(0);
            self.read(plane, 0, source, Some((&ZERO, &into)));
        }
        std::mem::swap(&mut self.now, &mut self.below);
        empty(&mut self.below);
        if !plane.is_last(row) {
            let (above, below) = (shift.second, first(row + 1));
            self.read(plane, row + 1, source, Some((&above, &below)));
        }
    }

    /// Adds a mirrored row's coefficients to `self.now`, or by these matrices to `self.now` and to `self.below`.
    #[inline(always)]
    fn read(&mut self, plane: &Plane, row: u32, source: Source<'_>, by: Option<(&Values, &Values)>) {
        let Some(begin) = plane.row(row) else { return };
        for column in 0..plane.across() {
            let Some(index) = plane.column(column as u32) else { return };
            let Some(&block) = source.blocks.get((begin + index) as usize) else { return };
            let steps = &self.steps;
            match by {
                None => {
                    let Some(now) = self.now.get_mut(column) else { return };
                    read(&self.symbols, source.code, block, |u, v, value| now[u][v] = value * steps[u][v]);
                }
                Some((above, below)) => {
                    // Before the first row there is none above it.
                    let mut none = ZERO;
                    let now = self.now.get_mut(column).unwrap_or(&mut none);
                    let Some(next) = self.below.get_mut(column) else { return };
                    read(&self.symbols, source.code, block, |u, v, value| {
                        let value = value * steps[u][v];
                        for i in 0..8 {
                            now[u][i] += value * above[v][i];
                            next[u][i] += value * below[v][i];
                        }
                    });
                }
            }
        }
    }

    /// Moves the samples of `self.now` along the rows.
    #[inline(always)]
    fn shift_columns(&mut self) {
        let Some(shift) = &self.columns else { return };
        let count = self.now.len();
        for column in 0..count {
            let mut moved = ZERO;
            if let Some([this, next]) = self.now.get(column..column + 2) {
                add(&mut moved, this, &shift.first);
                add(&mut moved, next, &shift.second);
            } else {
                add(&mut moved, &self.now[column], &shift.last);
            }
            self.now[column] = moved;
        }
    }

    /// Quantises `self.now`.
    #[inline(always)]
    fn quantise(&mut self, row: usize) {
        let Some(done) = self.done.get_mut(row) else { return };
        done.clear();
        for values in &self.now {
            let mut quantised = [[0; 8]; 8];
            for ((to, from), inverse) in quantised.iter_mut().zip(values).zip(&self.inverse) {
                for i in 0..8 {
                    // Baseline Huffman codes end at 1023.
                    to[i] = round((from[i] * inverse[i]).clamp(-1023.0, 1023.0));
                }
            }
            done.push(Coefficients::new(quantised));
        }
    }
}

/// Adds a block to `to` by a matrix of horizontal frequencies.
#[inline(always)]
fn add(to: &mut Values, from: &Values, by: &[[f32; 8]; 8]) {
    for (from, by) in from.iter().zip(by) {
        if *from != [0.0; 8] {
            for (to, by) in to.iter_mut().zip(by) {
                for i in 0..8 {
                    to[i] += from[i] * by;
                }
            }
        }
    }
}

/// Shows `each` the coefficients of a block that are not zero, by horizontal and vertical frequency; the DC one always.
#[inline(always)]
fn read(symbols: &Symbols, code: &[u8], block: Block, mut each: impl FnMut(usize, usize, f32)) {
    let (mut at, end) = (block.ac(), block.end());
    let (mut k, mut value) = (0, i32::from(block.dc));
    loop {
        let place = usize::from(PLACES[k & 63]);
        each((place / 8) & 7, place % 8, value as f32);
        loop {
            // All this has been read before, none of it can fail.
            if at >= end {
                return;
            }
            let bits = load_bits(code, at);
            let Some((length, symbol)) = symbols.get(bits) else { return };
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            at += length + size;
            k += run + 1;
            if size > 0 {
                let raw = (bits << length >> (64 - size)) as i32;
                // Values whose top bit is 0 are negative (EXTEND).
                value = if raw < 1 << (size - 1) { raw - (1 << size) + 1 } else { raw };
                break;
            }
            if run < 15 {
                return;
            }
        }
    }
}
