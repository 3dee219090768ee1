//! Walks the code of an AC scan once (T.81 G.1.2.2, G.1.2.3).
#![forbid(unsafe_code)]

use super::super::corrupt;
use super::super::entropy::Entropy;
use super::super::job::{Band, Job};
use super::super::lookup::Symbols;
use super::super::place::{Place, ends_early};
use super::super::reader::{REFILLED, Reader, Window, window};
use crate::error::Result;
use crate::sys::simd::{self, Work};

/// What stays the same over a scan.
pub(super) struct Parser<'a> {
    /// The scan.
    pub job: &'a Job<'a>,
    /// Its table.
    pub symbols: &'a Symbols,
    /// Which coefficients to negate, bit 63 - k for zigzag position k.
    pub negated: u64,
    /// Which coefficients of each block are nonzero already, bit k for zigzag position k.
    pub nonzero: &'a [u64],
}

/// The coefficients of a block that a symbol's run can count: those that are zero so far (G.1.2.3); in a first scan
/// that is all of them.
#[derive(Clone, Copy)]
pub(super) struct Zeros {
    /// Bit k for zigzag position k, from the next position on to the band's end.
    set: u64,
    /// The next position.
    k: u32,
}

/// Where a symbol's coefficient stands.
pub(super) struct Target {
    /// Its zigzag position, that of the sixteenth zero for ZRL.
    pub k: u32,
    /// How many correction bits stand before it: for the coefficients on the way that are not zero any more.
    pub corrections: u32,
}

impl Zeros {
    /// All of a band's of a block that has these `nonzero` coefficients (bit k for zigzag position k).
    #[inline(always)]
    pub fn new(nonzero: u64, ss: u32, se: u32) -> Self {
        Self { set: !nonzero & (!0 << ss) & (!0 >> (63 - se)), k: ss }
    }

    /// Goes over `run` zeros to the one behind them; none if the band ends before.
    #[inline(always)]
    pub fn next(&mut self, run: u32) -> Option<Target> {
        // Most runs are short: up to four there is no branch to guess wrong.
        for i in 0..4 {
            let less = self.set & self.set.wrapping_sub(1);
            self.set = if i < run { less } else { self.set };
        }
        for _ in 4..run {
            self.set &= self.set.wrapping_sub(1);
        }
        if self.set == 0 {
            return None;
        }
        let k = self.set.trailing_zeros();
        let corrections = k - self.k - run;
        self.set &= self.set - 1;
        self.k = k + 1;
        Some(Target { k, corrections })
    }
}

/// Some blocks in a row; whether they are refined is known when this is compiled.
struct Row<'a, const REFINES: bool> {
    parser: &'a Parser<'a>,
    count: u32,
    place: Place,
    eob_run: u32,
    code: &'a mut [u8],
    bands: &'a mut Vec<Band>,
    counts: &'a mut [u32; 256],
}

impl<const REFINES: bool> Work for Row<'_, REFINES> {
    type Output = Result<(Place, u32)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { parser, count, mut place, mut eob_run, code, bands, counts } = self;
        for _ in 0..count {
            let nonzero = if REFINES { parser.nonzero.get(bands.len()).copied().unwrap_or_default() } else { 0 };
            place.at += place.reader.rebase();
            let window = window(code, place.at).ok_or_else(ends_early)?;
            let mut band;
            (place.reader, eob_run, band) = parser.block::<REFINES>(place.reader, eob_run, nonzero, window, counts)?;
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
            let counts = &mut counts;
            (place, eob_run) = if self.job.scan.ah > 0 {
                simd::run(Row::<true> { parser: self, count, place, eob_run, code, bands, counts })?
            } else {
                simd::run(Row::<false> { parser: self, count, place, eob_run, code, bands, counts })?
            };
            if place.position() > end {
                return Err(ends_early());
            }
            Ok(())
        })?;
        Ok(counts)
    }

    /// Walks over a block, `eob_run` being how many blocks from this one on are known to have no symbols.
    #[inline(always)]
    fn block<const REFINES: bool>(
        &self,
        mut reader: Reader,
        mut eob_run: u32,
        nonzero: u64,
        code: &mut Window,
        counts: &mut [u32; 256],
    ) -> Result<(Reader, u32, Band)> {
        let se = self.job.scan.se;
        let mut zeros = Zeros::new(nonzero, self.job.scan.ss, se);
        let mut band = Band { start: reader.position(), ..Band::default() };
        if eob_run == 0 {
            while zeros.k <= se {
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
                if REFINES && size > 1 {
                    return Err(corrupt("a refinement scan's symbol is not legal"));
                }
                let Some(found) = zeros.next(run) else {
                    return Err(corrupt("a band has too many coefficients"));
                };
                // ZRL has no value bits, so it complements none and becomes no coefficient.
                band.new |= u64::from(size > 0) << found.k;
                let negated = ((self.negated << found.k) as i64 >> 63) as u64;
                reader.complement((!(!0 >> size) & negated) >> length);
                reader = skip(reader, length + size + found.corrections, code);
            }
        }
        if eob_run > 0 {
            eob_run -= 1;
            band.ends = true;
            band.tail = reader.position();
            if REFINES && zeros.k <= se {
                band.tail_length = (nonzero & (!0 << zeros.k) & (!0 >> (63 - se))).count_ones() as u8;
                // EOBn has taken its share of the last refill.
                reader.refill(code);
                reader = skip(reader, u32::from(band.tail_length), code);
            }
        } else {
            band.length = (reader.position() - band.start) as u16;
        }
        Ok((reader, eob_run, band))
    }
}

/// Goes on by `bits` of which the last may be more than a refill holds, though not more than two.
#[inline(always)]
fn skip(mut reader: Reader, mut bits: u32, code: &mut Window) -> Reader {
    while bits > REFILLED {
        reader.skip(REFILLED);
        reader.refill(code);
        bits -= REFILLED;
    }
    reader.skip(bits);
    reader
}
