//! First scans of DC coefficients: differences, coded like a sequential scan's (T.81 G.1.2.1).
#![forbid(unsafe_code)]

use super::super::dc::{self, Predictor};
use super::super::huffman::Codes;
use super::super::job::{Job, Output};
use super::super::lookup::Differences;
use super::super::order::{Visitor, walk};
use super::super::place::{Place, ends_early};
use super::super::reader::window;
use super::super::scan::Slot;
use super::super::scratch::Scratch;
use super::super::tables::Class;
use super::super::writer::BitWriter;
use crate::error::Result;
use std::rc::Rc;

/// Mirrors one scan. Arguments, result and errors are those of [`super::flip_scan`].
pub(super) fn flip_scan(
    job: &Job<'_>,
    data: (&[u8], usize),
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    let end = job.read(data, 1, &mut scratch.entropy)?;
    let components = &job.scan.components;
    let mut tables = Vec::new();
    for component in components {
        tables.push(job.tables.get(Class::Dc, component.dc_table)?);
    }
    let differences: Vec<_> = tables.iter().map(|table| Differences::new(table)).collect();
    parse(job, &differences, scratch)?;

    let values = &scratch.dc[..];
    let value = |index: usize| values.get(index).copied().unwrap_or_default();
    let counts = dc::count(job, value)?;
    dc::replace_tables(job.scan, &mut tables, &counts);
    let needed: Vec<_> =
        components.iter().zip(&tables).map(|(c, table)| (Class::Dc, c.dc_table, Rc::clone(table))).collect();
    output.tables.write(&needed, output.file);
    output.file.extend_from_slice(job.header);

    let codes: Vec<_> = tables.iter().map(|table| table.codes()).collect();
    let writer = BitWriter::new(output.file);
    let mut recode = Recode { value, codes: &codes, predictor: Predictor::default(), writer };
    walk(job, &mut recode)?;
    recode.writer.finish();
    Ok(end)
}

struct Recode<'a, F> {
    value: F,
    codes: &'a [Codes],
    predictor: Predictor,
    writer: BitWriter<'a>,
}

impl<F: Fn(usize) -> i16> Visitor for Recode<'_, F> {
    #[inline(always)]
    fn block(&mut self, slot: &Slot, index: usize, _: bool) {
        let difference = self.predictor.difference(slot.component, (self.value)(index));
        dc::write(&mut self.writer, &self.codes[slot.component], difference);
    }

    #[inline(always)]
    fn restart(&mut self, number: u32) {
        self.writer.restart(number);
        self.predictor = Predictor::default();
    }
}

/// Fills `scratch.dc` with the coefficients in coding order.
fn parse(job: &Job<'_>, differences: &[Differences], scratch: &mut Scratch) -> Result<()> {
    let Scratch { entropy, dc, .. } = scratch;
    dc.clear();
    dc.reserve(job.layout.blocks() as usize);
    let mut place = Place::default();
    job.for_each_row(&entropy.ends, |mcus, starts, end| {
        if let Some(begin) = starts {
            place = Place::new(&mut entropy.bytes, begin)?;
        }
        for _ in 0..mcus {
            for slot in &job.layout.slots {
                place.at += place.reader.rebase();
                let window = window(&mut entropy.bytes, place.at).ok_or_else(ends_early)?;
                place.reader.refill(window);
                let bits = place.reader.bits();
                let (value, length) = place.predictor.read(&differences[slot.component], slot.component, bits)?;
                place.reader.skip(length);
                dc.push(value);
            }
        }
        if place.position() > end {
            return Err(ends_early());
        }
        Ok(())
    })
}
