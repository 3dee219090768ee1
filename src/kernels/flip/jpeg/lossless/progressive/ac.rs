//! Scans of AC coefficients, first ones and refinements (T.81 G.1.2.2, G.1.2.3).
//!
//! A block's symbols do not depend on its neighbours and are copied; what joins blocks is EOBn, which is made anew. The
//! source's table stays when it has all the codes that this takes and is near the best; otherwise the symbols are coded
//! anew by the best one, so that no file grows by more than its runs do.
#![forbid(unsafe_code)]

use super::super::entropy::load_bits;
use super::super::huffman::{Codes, Table};
use super::super::job::{Band, Job, Output};
use super::super::lookup::Symbols;
use super::super::scratch::Scratch;
use super::super::tables::Class;
use super::super::writer::BitWriter;
use super::super::{negated, optimal};
use super::ac_parse::{Parser, Zeros};
use super::eob_run::{Available, Count, Write, join};
use crate::error::Result;
use std::rc::Rc;

/// Mirrors one scan and brings `nonzero` up to date. Other arguments, result and errors are those of
/// [`super::flip_scan`].
pub(super) fn flip_scan(
    job: &Job<'_>,
    data: (&[u8], usize),
    nonzero: &mut Vec<u64>,
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    let Scratch { entropy, bands, .. } = scratch;
    let end = job.read(data, 0, entropy)?;
    // The component's DC scan had a bit for each block at least, so its size is honest.
    nonzero.resize(job.layout.blocks() as usize, 0);
    let number = job.scan.components[0].ac_table;
    let table = job.tables.get(Class::Ac, number)?;
    let symbols = Symbols::new(&table);
    let parser = Parser { job, symbols: &symbols, negated: negated(job.direction), nonzero };
    let counts = parser.run(entropy, bands)?;
    let code = &entropy.bytes[..];

    let (best, most) = best_table(job, bands, &counts)?;
    let (old, new) = (table.codes(), best.codes());
    let keep = cost(job, bands, &counts, &old)?.is_some_and(|old_cost| old_cost <= most);
    let (table, codes) = if keep { (table, &old) } else { (best, &new) };
    let available = Available::of(codes);
    output.tables.write(&[(Class::Ac, number, table)], output.file);
    output.file.extend_from_slice(job.header);

    let writer = BitWriter::new(output.file);
    if keep {
        let copy = |writer: &mut BitWriter<'_>, band: &Band, _: usize| {
            writer.copy(code, band.start, band.start + u32::from(band.length));
        };
        let mut sink = Write { writer, code, codes, available, block: copy };
        join(job, bands, &mut sink)?;
        sink.writer.finish();
    } else {
        let recoder = Recoder { job, symbols: &symbols, codes, code, nonzero };
        let recode = |writer: &mut BitWriter<'_>, band: &Band, index: usize| recoder.block(writer, band, index);
        let mut sink = Write { writer, code, codes, available, block: recode };
        join(job, bands, &mut sink)?;
        sink.writer.finish();
    }
    nonzero.iter_mut().zip(bands).for_each(|(nonzero, band)| *nonzero |= band.new);
    Ok(end)
}

/// The best table for symbols that stand there so often, and the EOBn that the mirrored order takes; and what keeping
/// another one may cost, in bits, as it saves defining this one and coding the symbols anew.
fn best_table(job: &Job<'_>, bands: &[Band], counts: &[u32; 256]) -> Result<(Rc<Table>, u64)> {
    let mut counts = *counts;
    join(job, bands, &mut Count { available: Available::all(), counts: &mut counts, lacking: false })?;
    let best = Rc::new(optimal::table(&counts));
    let cost = bits(&best.codes(), &counts);
    let most = cost + cost / 64 + 8 * best.size();
    Ok((best, most))
}

/// The bits of all codes and of the lengths of runs, if these codes can say it all.
fn cost(job: &Job<'_>, bands: &[Band], counts: &[u32; 256], codes: &Codes) -> Result<Option<u64>> {
    let mut counts = *counts;
    let mut sink = Count { available: Available::of(codes), counts: &mut counts, lacking: false };
    join(job, bands, &mut sink)?;
    Ok((!sink.lacking && codes.covers(&counts)).then(|| bits(codes, &counts)))
}

/// The bits of codes, and of the lengths of runs behind EOBn.
fn bits(codes: &Codes, counts: &[u32; 256]) -> u64 {
    codes.cost(counts) + (0..15).map(|n| u64::from(counts[n << 4]) * n as u64).sum::<u64>()
}

/// Codes symbols by another table.
struct Recoder<'a> {
    job: &'a Job<'a>,
    symbols: &'a Symbols,
    codes: &'a Codes,
    code: &'a [u8],
    nonzero: &'a [u64],
}

impl Recoder<'_> {
    /// Writes the symbols of the source's block number `index`.
    fn block(&self, writer: &mut BitWriter<'_>, band: &Band, index: usize) {
        let nonzero = self.nonzero.get(index).copied().unwrap_or_default();
        let nonzero = if self.job.scan.ah > 0 { nonzero } else { 0 };
        let end = band.start + u32::from(band.length);
        let mut at = band.start;
        let mut zeros = Zeros::new(nonzero, self.job.scan.ss, self.job.scan.se);
        while at < end {
            // All this has been read before: neither can fail.
            let Some((length, symbol)) = self.symbols.get(load_bits(self.code, at)) else { return };
            let Some(found) = zeros.next(u32::from(symbol >> 4)) else { return };
            let (new_code, new_length) = self.codes.get(symbol);
            writer.put(new_code, new_length);
            let behind = at + length + u32::from(symbol & 15) + found.corrections;
            writer.copy(self.code, at + length, behind);
            at = behind;
        }
    }
}
