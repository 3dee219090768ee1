//! Writes the blocks of a parsed sequential scan in mirrored order (T.81 F.1.2).
#![forbid(unsafe_code)]

use super::super::dc::{self, Predictor};
use super::super::huffman::{Codes, Table};
use super::super::job::{Block, Job};
use super::super::order::{Visitor, walk};
use super::super::scan::Slot;
use super::super::writer::BitWriter;
use crate::error::Result;
use std::ops::Range;
use std::rc::Rc;

/// A parsed scan.
pub(super) struct Emitter<'a> {
    /// The scan.
    pub job: &'a Job<'a>,
    /// The blocks in the source's order, one for each of the layout.
    pub blocks: &'a [Block],
    /// The code they stand in.
    pub code: &'a [u8],
}

impl Emitter<'_> {
    /// Replaces those DC tables of the scan's components that lack a category the mirrored scan needs.
    ///
    /// Returns for every component whether its table is a new one.
    ///
    /// # Errors
    /// `Aborted`.
    pub fn fit_dc_tables(&self, tables: &mut [Rc<Table>]) -> Result<Vec<bool>> {
        let counts = dc::count(self.job, |index| self.blocks.get(index).map_or(0, |block| block.dc))?;
        Ok(dc::replace_tables(self.job.scan, tables, &counts))
    }

    /// Writes the mirrored scan; `codes` are the DC codes by component, `rebuilt` whether those are new. False, and
    /// only part of the scan written, if one of them lacks a category.
    ///
    /// # Errors
    /// `Aborted`.
    pub fn run(&self, codes: &[Codes], rebuilt: &[bool], writer: BitWriter<'_>) -> Result<bool> {
        let mut copy = Copy {
            blocks: self.blocks,
            code: self.code,
            codes,
            rebuilt,
            writer,
            predictor: Predictor::default(),
            from: 0,
            to: 0,
            all_coded: true,
        };
        walk(self.job, &mut copy)?;
        copy.flush();
        copy.writer.finish();
        Ok(copy.all_coded)
    }
}

/// Copies blocks; those that stay neighbours with their DC differences in one piece.
struct Copy<'a> {
    blocks: &'a [Block],
    code: &'a [u8],
    codes: &'a [Codes],
    rebuilt: &'a [bool],
    writer: BitWriter<'a>,
    predictor: Predictor,
    /// The piece that is not copied yet, in bits.
    from: u32,
    to: u32,
    /// Whether every difference had a code so far.
    all_coded: bool,
}

impl Copy<'_> {
    #[inline(always)]
    fn flush(&mut self) {
        self.writer.copy(self.code, self.from, self.to);
    }
}

impl Visitor for Copy<'_> {
    #[inline(always)]
    fn block(&mut self, slot: &Slot, index: usize, keeps: bool) {
        let Some(&block) = self.blocks.get(index) else { return };
        let difference = self.predictor.difference(slot.component, block.dc);
        if keeps && !self.rebuilt[slot.component] {
            if block.start != self.to {
                self.flush();
                self.from = block.start;
            }
        } else {
            self.flush();
            self.all_coded &= dc::write(&mut self.writer, &self.codes[slot.component], difference);
            self.from = block.ac();
        }
        self.to = block.end();
    }

    #[inline(always)]
    fn restart(&mut self, number: u32) {
        self.flush();
        (self.from, self.to) = (0, 0);
        self.writer.restart(number);
        self.predictor = Predictor::default();
    }

    #[inline(always)]
    fn has_failed(&self) -> bool {
        !self.all_coded
    }

    #[inline(always)]
    fn unchanged(&mut self, blocks: Range<usize>, slots: &[Slot]) -> bool {
        let Some(blocks @ [first, .., last]) = self.blocks.get(blocks) else { return false };
        if self.rebuilt.contains(&true) {
            return false;
        }
        if first.start != self.to {
            self.flush();
            self.from = first.start;
        }
        self.to = last.end();
        for (slot, block) in slots.iter().rev().zip(blocks.iter().rev()).rev() {
            self.predictor.difference(slot.component, block.dc);
        }
        true
    }
}
