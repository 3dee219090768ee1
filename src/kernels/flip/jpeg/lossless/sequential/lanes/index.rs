//! Reads the DC differences of eight blocks at a time, with AVX-512.

use super::super::super::dc::Predictor;
use super::super::super::entropy::load_bits;
use super::super::super::job::Block;
use super::super::super::lookup::{INDEX_BITS, SIZE};
use super::super::parse::{Coder, Parser};
use super::sums::Pattern;
use crate::error::Result;
use std::arch::x86_64::*;

/// The DC tables of an MCU's blocks, as the vector code wants them.
pub(super) struct Differences<'a> {
    slots: &'a [(usize, &'a Coder)],
    /// The tables one behind another: bits of a difference with its code, its own bits from bit 8, 0 where a table does
    /// not know.
    entries: Vec<u32>,
    /// By block of the MCU, twice over from each of the eight it may begin with: where its table begins.
    tables: [u32; 16],
    /// By the block of the MCU that eight blocks begin with: how those continue each component's sum.
    patterns: Vec<Pattern>,
}

impl<'a> Differences<'a> {
    /// Prepares those of `parser`; none where the CPU cannot.
    pub fn new(parser: &'a Parser<'a>) -> Option<Self> {
        if !super::avx512::is_available() || !is_available() || parser.slots.is_empty() || parser.slots.len() > 8 {
            return None;
        }
        let slots = &parser.slots[..];
        let mut known: Vec<&Coder> = Vec::with_capacity(4);
        let mut entries = Vec::with_capacity(4 * SIZE);
        let mut tables = [0; 16];
        for (i, table) in tables.iter_mut().enumerate() {
            let (_, coder) = slots[i % slots.len()];
            let number = known.iter().position(|other| std::ptr::eq(*other, coder)).unwrap_or_else(|| {
                known.push(coder);
                entries.extend(coder.dc.entries());
                known.len() - 1
            });
            *table = (number * SIZE) as u32;
        }
        let components: Vec<usize> = slots.iter().map(|slot| slot.0).collect();
        let patterns = (0..slots.len()).map(|first| Pattern::new(&components, first)).collect();
        Some(Self { slots, entries, tables, patterns })
    }

    /// Adds the blocks between `marks` to `blocks`, the first of them being number `slot` of its MCU, but for fewer than
    /// eight that are left at the end. Returns how many.
    ///
    /// # Errors
    /// `ImageCorrupt`, see [`Predictor::read`].
    pub fn index(
        &self,
        code: &[u8],
        marks: &[u32],
        slot: usize,
        predictor: &mut Predictor,
        blocks: &mut Vec<Block>,
    ) -> Result<usize> {
        assert!(is_available() && slot < self.slots.len() && code.len() >= 8);
        assert!(self.tables.iter().all(|&table| table as usize + SIZE <= self.entries.len()));
        // SAFETY: the CPU has all that the function is compiled for, and each table lies within the entries.
        unsafe { self.run(code, marks, slot, predictor, blocks) }
    }

    /// # Safety
    /// AVX-512 F, and `SIZE` entries behind the start of each table.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn run(
        &self,
        code: &[u8],
        marks: &[u32],
        mut slot: usize,
        predictor: &mut Predictor,
        blocks: &mut Vec<Block>,
    ) -> Result<usize> {
        let count = self.slots.len();
        let mut done = 0;
        let mut before = before(predictor);
        while let Some(starts) = marks.get(done..).and_then(<[u32]>::first_chunk::<9>) {
            let Some(tables) = self.tables[slot..].first_chunk::<8>() else { break };
            let (starts, ends) = (load(starts.first_chunk().expect("nine")), load(starts.last_chunk().expect("nine")));
            // Marks lie within the code, behind which there is slack; were there a fault in that, the slow way is safe.
            let last = _mm256_set1_epi32((code.len() - 8) as i32);
            let within = _mm256_cmple_epu32_mask(_mm256_srli_epi32::<3>(starts), last) == 0xFF;
            // SAFETY: eight bytes at each start lie within the code, and the tables within the entries.
            let decoded = if within { unsafe { differences(code, starts, &self.entries, tables) } } else { None };
            let mut group = [Block::default(); 8];
            let sums = decoded.map(|(values, taken)| (self.patterns[slot].sums(values, before), taken));
            // Those out of range have the slow way tell.
            let sums = sums.filter(|&(sums, _)| {
                let shifted = _mm256_add_epi32(sums, _mm256_set1_epi32(0x4000));
                _mm256_cmplt_epu32_mask(shifted, _mm256_set1_epi32(0x8000)) == 0xFF
            });
            if let Some((sums, taken)) = sums {
                let lengths = _mm256_or_si256(_mm256_slli_epi32::<11>(taken), _mm256_sub_epi32(ends, starts));
                let low = _mm256_and_si256(sums, _mm256_set1_epi32(0xFFFF));
                let upper = _mm256_or_si256(low, _mm256_slli_epi32::<16>(lengths));
                let upper = _mm512_slli_epi64::<32>(_mm512_cvtepu32_epi64(upper));
                let whole = _mm512_or_si512(_mm512_cvtepu32_epi64(starts), upper);
                // SAFETY: eight blocks are 64 bytes, in the order that `Block` says, and any bits make one.
                unsafe { _mm512_storeu_si512(group.as_mut_ptr().cast(), whole) };
                before = self.patterns[slot].behind(sums, before);
                slot = (slot + 8) % count;
            } else {
                keep(predictor, before);
                for (block, ends) in group.iter_mut().zip(marks[done..].windows(2)) {
                    let (component, coder) = self.slots[slot];
                    slot = if slot + 1 == count { 0 } else { slot + 1 };
                    let (dc, taken) = predictor.read(&coder.dc, component, load_bits(code, ends[0]))?;
                    *block = Block { start: ends[0], dc, lengths: (taken << 11 | (ends[1] - ends[0])) as u16 };
                }
                before = self::before(predictor);
            }
            blocks.extend_from_slice(&group);
            done += 8;
        }
        keep(predictor, before);
        Ok(done)
    }
}

/// Whether the CPU can.
fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// The coefficients before, component by component.
#[inline]
#[target_feature(enable = "avx2")]
fn before(predictor: &Predictor) -> __m256i {
    let [a, b, c, d] = predictor.last();
    _mm256_setr_epi32(a, b, c, d, 0, 0, 0, 0)
}

/// Takes them back.
#[inline]
#[target_feature(enable = "avx2")]
fn keep(predictor: &mut Predictor, before: __m256i) {
    let mut all = [0; 8];
    store(&mut all, before);
    predictor.set_last([all[0], all[1], all[2], all[3]].map(u32::cast_signed));
}

/// The differences at eight bits of the code, and how many bits each takes with its code; none when a table does not know
/// one of them.
///
/// # Safety
/// Eight bytes of code behind each start, [`SIZE`] entries behind the start of each table.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx2")]
unsafe fn differences(code: &[u8], starts: __m256i, entries: &[u32], tables: &[u32; 8]) -> Option<(__m256i, __m256i)> {
    let tables = load(tables);
    let bytes = _mm256_srli_epi32::<3>(starts);
    // SAFETY: the caller has eight bytes there. Positions in the code fit 29 bits, so that none is negative.
    let words = unsafe { _mm512_i32gather_epi64::<1>(bytes, code.as_ptr().cast()) };
    let order = _mm512_set4_epi32(0x0809_0A0B, 0x0C0D_0E0F, 0x0001_0203, 0x0405_0607);
    let begun = _mm512_cvtepu32_epi64(_mm256_and_si256(starts, _mm256_set1_epi32(7)));
    // 57 bits at least, of which a difference with its code takes 31 at most.
    let window = _mm512_sllv_epi64(_mm512_shuffle_epi8(words, order), begun);
    let index = _mm512_cvtepi64_epi32(_mm512_srli_epi64::<{ 64 - INDEX_BITS }>(window));
    let index = _mm256_add_epi32(index, tables);
    // SAFETY: eleven bits behind the start of a table lie within it.
    let found = unsafe { _mm256_i32gather_epi32::<4>(entries.as_ptr().cast(), index) };
    if _mm256_testz_si256(_mm256_cmpeq_epi32(found, _mm256_setzero_si256()), _mm256_set1_epi32(-1)) == 0 {
        return None;
    }
    let taken = _mm256_and_si256(found, _mm256_set1_epi32(0xFF));
    let size = _mm512_cvtepu32_epi64(_mm256_srli_epi32::<8>(found));
    let one = _mm512_set1_epi64(1);
    let before = _mm512_sub_epi64(_mm512_cvtepu32_epi64(taken), size);
    // A shift by 64 leaves nothing.
    let shift = _mm512_sub_epi64(_mm512_set1_epi64(64), size);
    let bits = _mm512_srlv_epi64(_mm512_sllv_epi64(window, before), shift);
    let range = _mm512_sllv_epi64(one, size);
    // Values whose top bit is 0 are negative (EXTEND).
    let negative = _mm512_cmplt_epu64_mask(bits, _mm512_srli_epi64::<1>(range));
    let values = _mm512_mask_sub_epi64(bits, negative, _mm512_add_epi64(bits, one), range);
    Some((_mm512_cvtepi64_epi32(values), taken))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[u32; 8]) -> __m256i {
    // SAFETY: the array is as long as the load.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(to: &mut [u32; 8], lanes: __m256i) {
    // SAFETY: the array is as long as the store.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), lanes) };
}

#[cfg(test)]
mod tests {
    use super::super::super::super::huffman::Table;
    use super::*;

    /// Codes of 2 to 9 bits for all twelve sizes (T.81 table K.3).
    fn coder() -> Coder {
        let counts = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let dc = Table { counts, symbols: (0..12).collect() };
        Coder::new(&dc, &dc)
    }

    /// # Safety
    /// Those of [`differences`].
    #[target_feature(enable = "avx512f,avx512bw,avx2")]
    unsafe fn at_once(code: &[u8], starts: &[u32; 8], entries: &[u32]) -> Option<([i32; 8], [u32; 8])> {
        let starts = load(starts);
        // SAFETY: the caller's.
        let (values, taken) = unsafe { differences(code, starts, entries, &[0; 8]) }?;
        let (mut out, mut lengths) = ([0; 8], [0; 8]);
        store(&mut out, values);
        store(&mut lengths, taken);
        Some((out.map(u32::cast_signed), lengths))
    }

    #[test]
    fn eight_at_a_time_are_what_each_is_by_itself() {
        if !super::super::avx512::is_available() {
            return;
        }
        let coder = coder();
        let code: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let entries: Vec<u32> = coder.dc.entries().collect();
        let (mut known, mut unknown) = (0, 0);
        for first in 0..4000_u32 {
            let starts: [u32; 8] = std::array::from_fn(|i| first * 8 + i as u32 * 3);
            // SAFETY: the CPU can, all starts lie well before the end, and there is one table.
            let at_once = unsafe { at_once(&code, &starts, &entries) };
            let singly = starts.map(|start| {
                let window = load_bits(&code, start);
                let (taken, size) = coder.dc.get(window)?;
                // Those longer than eleven bits no entry knows.
                let mut predictor = Predictor::default();
                let (value, _) = predictor.read(&coder.dc, 0, window).ok()?;
                (size + (taken - size) <= INDEX_BITS || entries[(window >> (64 - INDEX_BITS)) as usize] != 0)
                    .then_some((i32::from(value), taken))
            });
            match at_once {
                Some((values, taken)) => {
                    known += 1;
                    for i in 0..8 {
                        assert_eq!(Some((values[i], taken[i])), singly[i], "{first} {i}");
                    }
                }
                None => {
                    unknown += 1;
                    assert!(singly.contains(&None));
                }
            }
        }
        assert!(known > 500 && unknown > 0, "{known} {unknown}");
    }
}
