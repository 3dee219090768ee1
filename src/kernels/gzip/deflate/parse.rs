//! Turns bytes into literals and matches, a deflate block at a time.

use super::bits::Bits;
use super::block::{self, Frequencies, Sequence};
use super::prices::Prices;
use super::rows::{Match, Rows};
use super::split::Mix;
use super::tables::{END, LENGTH_SLOT, distance_slot};
use crate::sys::simd::Work;

/// The most bytes of a block; every few hundred thousand bytes new codes cost nothing that counts.
const MOST: usize = 300_000;
/// A match of this length ends the search for longer ones: there are none.
const NICE: usize = 258;
/// A match of this length is taken without a look at what begins a byte later.
const LAZY: usize = 64;

/// Writes the block that begins at `start`, and returns where it ends. Positions before `searched` have enough behind them
/// to be searched for.
pub(super) struct Parse<'a, 'b> {
    pub rows: &'a mut Rows,
    pub sequences: &'a mut Vec<Sequence>,
    pub data: &'a [u8],
    pub start: usize,
    pub searched: usize,
    pub prices: &'a mut Prices,
    pub bits: &'a mut Bits<'b>,
}

impl Work for Parse<'_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Self { rows, sequences, data, start, searched, prices, bits } = self;
        sequences.clear();
        let mut taken = Taken { sequences, frequencies: Frequencies::NONE, mix: Mix::default(), run: 0 };
        let end = searched.min(start + MOST);
        let mut at = start;
        // A match that begins a byte before `at`, and is taken unless a better one begins here.
        let mut waiting: Option<Match> = None;
        while at < end {
            let least = waiting.map_or(2, |waiting| waiting.length - 1);
            let found = rows.find(data, at, least, NICE);
            let found = found.filter(|&found| {
                waiting.map_or_else(|| prices.is_worth(found, &data[at..]), |waiting| is_better(found, waiting))
            });
            // What is taken now, and the first position that is not entered yet.
            let matched = match (found, waiting) {
                (Some(found), _) => {
                    if waiting.is_some() {
                        taken.literal(data[at - 1]);
                    }
                    at += 1;
                    waiting = Some(found);
                    (found.length >= LAZY).then_some((found, at))
                }
                (None, Some(waiting)) => Some((waiting, at + 1)),
                (None, None) => {
                    taken.literal(data[at]);
                    at += 1;
                    None
                }
            };
            if let Some((matched, entered)) = matched {
                taken.matched(matched);
                at += matched.length - 1;
                rows.enter(data, entered..at.min(searched));
                waiting = None;
            }
            if waiting.is_none() && taken.mix.ends(at - start, data.len() - at) {
                break;
            }
        }
        if let Some(waiting) = waiting {
            taken.matched(waiting);
            let entered = at;
            at += waiting.length - 1;
            rows.enter(data, entered..at.min(searched));
        }
        if at >= searched {
            data[at..].iter().for_each(|&byte| taken.literal(byte));
            at = data.len();
        }
        let Taken { sequences, mut frequencies, run, .. } = taken;
        sequences.push(Sequence { literals: run, length: 0, distance: 0 });
        prices.learn(&block::write(bits, &data[start..at], sequences, &mut frequencies));
        at
    }
}

/// Whether it pays to spend a literal on having the later of two matches: four bits a byte more, a bit for each time that
/// it is twice as far away, as libdeflate has it.
#[inline(always)]
fn is_better(later: Match, waiting: Match) -> bool {
    if later.length < waiting.length {
        return false;
    }
    let gain = 4 * (later.length - waiting.length) as i32;
    gain + waiting.distance.ilog2() as i32 - later.distance.ilog2() as i32 > 2
}

/// What a block has become so far.
struct Taken<'a> {
    sequences: &'a mut Vec<Sequence>,
    frequencies: Frequencies,
    mix: Mix,
    /// Literals since the last match.
    run: u32,
}

impl Taken<'_> {
    #[inline(always)]
    fn literal(&mut self, byte: u8) {
        self.frequencies.litlen[usize::from(byte)] += 1;
        self.mix.literal(byte);
        self.run += 1;
    }

    #[inline(always)]
    fn matched(&mut self, Match { length, distance }: Match) {
        self.frequencies.litlen[END + 1 + usize::from(LENGTH_SLOT[length - 3])] += 1;
        self.frequencies.distances[distance_slot(distance as u16)] += 1;
        self.mix.matched(length);
        self.sequences.push(Sequence { literals: self.run, length: length as u16, distance: distance as u16 });
        self.run = 0;
    }
}
