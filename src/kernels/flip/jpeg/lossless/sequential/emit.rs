//! Writes the blocks of a parsed sequential scan in mirrored order (T.81 F.1.2).
#![forbid(unsafe_code)]

use super::super::dc::{self, Predictor};
use super::super::huffman::{Codes, Table};
use super::super::job::{Block, Job};
use super::super::order::{Event, walk};
use super::super::writer::BitWriter;
use crate::error::Result;
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
        // 8-bit samples need categories 0 to 11 (table F.1). Tables that have them all need no counting.
        let mut usual = [0; 256];
        usual[..12].fill(1);
        if tables.iter().all(|table| table.codes().covers(&usual))
            && self.blocks.iter().all(|block| (-1024..1024).contains(&block.dc))
        {
            return Ok(vec![false; tables.len()]);
        }
        let counts = dc::count(
            self.job.scan,
            |index| self.blocks.get(index).map_or(0, |block| block.dc),
            |each| walk(self.job, each),
        )?;
        Ok(dc::replace_tables(self.job.scan, tables, &counts))
    }

    /// Writes the mirrored scan; `codes` are the DC codes by component, `rebuilt` whether those are new.
    ///
    /// # Errors
    /// `Aborted`.
    pub fn run(&self, codes: &[Codes], rebuilt: &[bool], writer: &mut BitWriter<'_>) -> Result<()> {
        let mut predictor = Predictor::default();
        // Blocks that stay neighbours with their DC differences are copied in one piece.
        let (mut from, mut to) = (0, 0);
        walk(self.job, |event| match event {
            Event::Block { slot, index, keeps } => {
                let Some(&block) = self.blocks.get(index) else { return };
                let difference = predictor.difference(slot.component, block.dc);
                if keeps && !rebuilt[slot.component] {
                    if block.start != to {
                        writer.copy(self.code, from, to);
                        from = block.start;
                    }
                } else {
                    writer.copy(self.code, from, to);
                    dc::write(writer, &codes[slot.component], difference);
                    from = block.ac();
                }
                to = block.end();
            }
            Event::Restart(number) => {
                writer.copy(self.code, from, to);
                (from, to) = (0, 0);
                writer.restart(number);
                predictor = Predictor::default();
            }
        })?;
        writer.copy(self.code, from, to);
        writer.finish();
        Ok(())
    }
}
