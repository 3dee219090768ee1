//! Walks the code of an AC scan once (T.81 G.1.2.2, G.1.2.3).
#![forbid(unsafe_code)]

use super::super::corrupt;
use super::super::cpu::{self, Work};
use super::super::entropy::Entropy;
use super::super::job::{Band, Job};
use super::super::lookup::Symbols;
use super::super::place::{Place, ends_early};
use super::super::reader::{REFILLED, Reader, Window, window};
use crate::error::Result;

/// What stays the same over a scan.
pub(super) struct Parser<'a> {
    /// The scan.
    pub job: &'a Job<'a>,
    /// Its table.
    pub symbols: &'a Symbols,
    /// Which coefficients to negate, bit 63 - k for zigzag position k.
    pub negated: u64,
    /// Which coefficients of each block are nonzero already.
    pub nonzero: &'a [u64],
}

/// Where a symbol's coefficient stands.
pub(super) struct Target {
    /// Its zigzag position, that of the sixteenth zero for ZRL.
    pub k: u32,
    /// How many correction bits stand before it: for coefficients that are nonzero already (G.1.2.3).
    pub corrections: u32,
}

/// Finds the coefficient `run` zeros behind position `k`; none beyond `se`. In a first scan `nonzero` is 0.
#[inline(always)]
pub(super) fn target(nonzero: u64, k: u32, run: u32, se: u32) -> Option<Target> {
    if nonzero == 0 {
        let at = k + run;
        return (at <= se).then_some(Target { k: at, corrections: 0 });
    }
    let mut zeros = !nonzero & (!0 >> k) & (!0 << (63 - se));
    for _ in 0..run {
        zeros &= !(1 << 63 >> (zeros.leading_zeros() & 63));
    }
    let at = zeros.leading_zeros();
    (zeros != 0).then(|| Target { k: at, corrections: at - k - run })
}

/// Some blocks in a row.
struct Row<'a> {
    parser: &'a Parser<'a>,
    count: u32,
    place: Place,
    eob_run: u32,
    code: &'a mut [u8],
    bands: &'a mut Vec<Band>,
    counts: &'a mut [u32; 256],
}

impl Work for Row<'_> {
    type Output = Result<(Place, u32)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { parser, count, mut place, mut eob_run, code, bands, counts } = self;
        for _ in 0..count {
            let nonzero = parser.nonzero.get(bands.len()).copied().unwrap_or_default();
            let nonzero = if parser.job.scan.ah > 0 { nonzero } else { 0 };
            place.at += place.reader.rebase();
            let window = window(code, place.at).ok_or_else(ends_early)?;
            let mut band;
            (place.reader, eob_run, band) = parser.block(place.reader, eob_run, nonzero, window, counts)?;
            band.start += place.at as u32 * 8;
            band.tail += place.at as u32 * 8;
            bands.push(band);
        }
        place.store(code);
        Ok((place, eob_run))
    }
}

impl Parser<'_> {
    /// Complements negated coefficients in `entropy` and fills `bands` with an entry a block in coding order. Returns
    /// how often each symbol stands there, EOBn left out.
    ///
    /// # Errors
    /// `ImageCorrupt` where no code matches, a symbol is not legal, or an interval ends early; `Aborted`.
    pub fn run(&self, entropy: &mut Entropy, bands: &mut Vec<Band>) -> Result<[u32; 256]> {
        bands.clear();
        bands.reserve(self.nonzero.len());
        let mut counts = [0; 256];
        let mut place = Place::default();
        let mut eob_run = 0;
        self.job.for_each_row(&entropy.ends, |count, starts, end| {
            if let Some(begin) = starts {
                place = Place::new(&mut entropy.bytes, begin)?;
                eob_run = 0;
            }
            let code = &mut entropy.bytes[..];
            let row = Row { parser: self, count, place, eob_run, code, bands, counts: &mut counts };
            (place, eob_run) = cpu::run(row)?;
            if place.position() > end {
                return Err(ends_early());
            }
            Ok(())
        })?;
        Ok(counts)
    }

    /// Walks over a block, `eob_run` being how many blocks from this one on are known to have no symbols.
    #[inline(always)]
    fn block(
        &self,
        mut reader: Reader,
        mut eob_run: u32,
        nonzero: u64,
        code: &mut Window,
        counts: &mut [u32; 256],
    ) -> Result<(Reader, u32, Band)> {
        let (se, refines) = (self.job.scan.se, self.job.scan.ah > 0);
        let mut k = self.job.scan.ss;
        let mut band = Band { start: reader.position(), ..Band::default() };
        if eob_run == 0 {
            while k <= se {
                reader.refill(code);
                let Some((length, symbol)) = self.symbols.get(reader.bits()) else {
                    return Err(corrupt("an AC code is not in its table"));
                };
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                if size == 0 && run < 15 {
                    band.length = (reader.position() - band.start) as u16;
                    let extra = (reader.bits() << length >> 1 >> (63 - run)) as u32;
                    eob_run = (1 << run) + extra;
                    reader.skip(length + run);
                    break;
                }
                counts[usize::from(symbol)] += 1;
                // A refinement's new coefficients are 1 or -1: a sign is all that follows.
                if refines && size > 1 {
                    return Err(corrupt("a refinement scan's symbol is not legal"));
                }
                let Some(found) = target(nonzero, k, run, se) else {
                    return Err(corrupt("a band has too many coefficients"));
                };
                if size > 0 {
                    band.new |= 1 << 63 >> found.k;
                    if (self.negated << found.k) >> 63 == 1 {
                        reader.complement(!(!0 >> size) >> length);
                    }
                }
                reader.skip(length + size);
                reader = self.skip_corrections(reader, found.corrections, code);
                k = found.k + 1;
            }
        }
        if eob_run > 0 {
            eob_run -= 1;
            band.ends = true;
            band.tail = reader.position();
            band.tail_length = if k <= se { (nonzero & (!0 >> k) & (!0 << (63 - se))).count_ones() as u8 } else { 0 };
            reader = self.skip_corrections(reader, u32::from(band.tail_length), code);
        } else {
            band.length = (reader.position() - band.start) as u16;
        }
        Ok((reader, eob_run, band))
    }

    #[inline(always)]
    fn skip_corrections(&self, mut reader: Reader, mut bits: u32, code: &mut Window) -> Reader {
        while bits > 0 {
            reader.refill(code);
            let now = bits.min(REFILLED);
            reader.skip(now);
            bits -= now;
        }
        reader
    }
}
