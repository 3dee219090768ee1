//! DC coefficients: differences decoded, coded anew in mirrored order, tables for them (T.81 F.1.2.1, F.2.2.1).
#![forbid(unsafe_code)]

use super::corrupt;
use super::huffman::{Codes, Table};
use super::job::Job;
use super::lookup::Differences;
use super::optimal;
use super::order::{Visitor, walk};
use super::scan::{Scan, ScanComponent, Slot};
use super::writer::BitWriter;
use crate::error::Result;
use std::rc::Rc;

/// The DC coefficient of the last block of each of a scan's components.
#[derive(Clone, Copy, Default)]
pub(super) struct Predictor {
    last: [i32; 4],
}

impl Predictor {
    /// Reads a difference at the top of `window`; returns the coefficient and how many bits it took, 31 at most.
    ///
    /// # Errors
    /// `ImageCorrupt` when no code matches or the coefficient is out of all range.
    #[inline(always)]
    pub fn read(&mut self, differences: &Differences, component: usize, window: u64) -> Result<(i16, u32)> {
        let Some((taken, size)) = differences.get(window) else {
            return Err(corrupt("a DC code is not in its table or not legal"));
        };
        let bits = (window >> ((64 - taken) & 63)) as i32 & ((1 << size) - 1);
        // Values whose top bit is 0 are negative (EXTEND).
        let negative = bits < 1 << size >> 1;
        let value = self.add(component, if negative { bits - (1 << size) + 1 } else { bits })?;
        Ok((value, taken))
    }

    /// The coefficients before, by component.
    #[cfg(target_arch = "x86_64")]
    pub fn last(&self) -> [i32; 4] {
        self.last
    }

    /// Sets those.
    #[cfg(target_arch = "x86_64")]
    pub fn set_last(&mut self, last: [i32; 4]) {
        self.last = last;
    }

    /// The coefficient that differs by this from the one before.
    ///
    /// # Errors
    /// `ImageCorrupt` when it is out of all range.
    #[inline(always)]
    pub fn add(&mut self, component: usize, difference: i32) -> Result<i16> {
        let value = self.last[component & 3] + difference;
        // Twice this range still has 15-bit differences.
        if !(-0x4000..0x4000).contains(&value) {
            return Err(corrupt("a DC coefficient is out of range"));
        }
        self.last[component & 3] = value;
        Ok(value as i16)
    }

    /// The difference to the block before.
    #[inline(always)]
    pub fn difference(&mut self, component: usize, value: i16) -> i32 {
        let difference = i32::from(value) - self.last[component & 3];
        self.last[component & 3] = i32::from(value);
        difference
    }
}

/// Writes a difference; false if its category has no code.
#[inline(always)]
pub(super) fn write(writer: &mut BitWriter<'_>, codes: &Codes, difference: i32) -> bool {
    let size = category(difference);
    let (code, length) = codes.get(size as u8);
    // Negative values are sent as their one's complement in `size` bits (F.1.2.1.1).
    let bits = (difference + (difference >> 31)) as u32 & !(!0 << size);
    writer.put(code << size | u64::from(bits), length + size);
    length > 0
}

/// Counts the categories of a mirrored scan's differences by table number; `value` gives a block's coefficient.
///
/// # Errors
/// `Aborted`.
pub(super) fn count(job: &Job<'_>, value: impl Fn(usize) -> i16) -> Result<[[u32; 256]; 4]> {
    let mut count = Count { scan: job.scan, value, predictor: Predictor::default(), counts: [[0; 256]; 4] };
    walk(job, &mut count)?;
    Ok(count.counts)
}

struct Count<'a, F> {
    scan: &'a Scan,
    value: F,
    predictor: Predictor,
    counts: [[u32; 256]; 4],
}

impl<F: Fn(usize) -> i16> Visitor for Count<'_, F> {
    #[inline(always)]
    fn block(&mut self, slot: &Slot, index: usize, _: bool) {
        let difference = self.predictor.difference(slot.component, (self.value)(index));
        self.counts[self.scan.components[slot.component].dc_table][category(difference) as usize] += 1;
    }

    #[inline(always)]
    fn restart(&mut self, _: u32) {
        self.predictor = Predictor::default();
    }
}

/// Replaces the components' tables that cannot code `counts`, or not well, by the shortest that can.
///
/// Returns for every component whether its table is a new one. Optimised files have tables for just the differences
/// they hold; a flip makes other ones.
pub(super) fn replace_tables(scan: &Scan, tables: &mut [Rc<Table>], counts: &[[u32; 256]; 4]) -> Vec<bool> {
    let mut new: [Option<Rc<Table>>; 4] = [const { None }; 4];
    let replace = |(component, table): (&ScanComponent, &mut Rc<Table>)| {
        let number = component.dc_table;
        let fits = table.codes().covers(&counts[number]);
        if !fits {
            *table = Rc::clone(new[number].get_or_insert_with(|| Rc::new(optimal::table(&counts[number]))));
        }
        !fits
    };
    scan.components.iter().zip(tables).map(replace).collect()
}

/// How many bits the magnitude of a difference has (table F.1); at most 15.
#[inline(always)]
pub(super) fn category(difference: i32) -> u32 {
    32 - difference.unsigned_abs().leading_zeros()
}
