//! Which bytes of a file may be overwritten with coded data.

use std::collections::BTreeMap;
use std::ops::Range;

/// The occupied stretches of a file. They may overlap in a hostile one.
#[derive(Debug, Default)]
pub struct Space {
    /// Ends by starts; no two overlap or touch.
    occupied: BTreeMap<usize, usize>,
    /// What old places were left over, at even offsets, in whole words.
    holes: Vec<Range<usize>>,
}

impl Space {
    /// Reserves a stretch.
    pub fn protect(&mut self, range: Range<usize>) {
        let (mut start, mut end) = (range.start, range.end);
        if start >= end {
            return;
        }
        // Everything that touches the stretch becomes one with it.
        while let Some((&other, &other_end)) = self.occupied.range(..=end).next_back().filter(|&(_, &e)| e >= start) {
            self.occupied.remove(&other);
            start = start.min(other);
            end = end.max(other_end);
        }
        self.occupied.insert(start, end);
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        self.occupied.range(..range.end).next_back().is_none_or(|(_, &end)| end <= range.start)
    }

    /// What old places no new data went to, in order.
    pub fn holes(&self) -> Vec<Range<usize>> {
        merged(&self.holes)
    }

    /// A place for each of `lengths`: within the `old` places as far as they are free and suffice, else at the end of
    /// a file of `end` bytes. Returns where each one starts. All old places are occupied from then on.
    pub fn place(&mut self, old: &[Range<usize>], lengths: &[usize], end: usize) -> Vec<usize> {
        let free = old.iter().all(|range| self.is_free(range));
        let same = free && old.len() == lengths.len() && old.iter().zip(lengths).all(|(old, &new)| new <= old.len());
        if same && are_apart(old) {
            old.iter().for_each(|range| self.protect(range.clone()));
            return old.iter().map(|range| range.start).collect();
        }
        let regions = if free { merged(old) } else { Vec::new() };
        regions.iter().for_each(|region| self.protect(region.clone()));
        let mut regions = regions.into_iter();
        let mut region = regions.next();
        let mut left = Vec::new();
        let mut end = end.next_multiple_of(2);
        let mut starts = Vec::with_capacity(lengths.len());
        for &length in lengths {
            while region.as_ref().is_some_and(|region| region.len() < length) {
                left.extend(region);
                region = regions.next();
            }
            match &mut region {
                Some(region) => {
                    starts.push(region.start);
                    region.start += length;
                }
                None => {
                    starts.push(end);
                    end = (end + length).next_multiple_of(2);
                }
            }
        }
        left.extend(region);
        left.extend(regions);
        self.holes.extend(left.into_iter().map(|hole| hole.start.next_multiple_of(2)..hole.end / 2 * 2));
        starts
    }
}

fn are_apart(ranges: &[Range<usize>]) -> bool {
    let merged: usize = merged(ranges).iter().map(Range::len).sum();
    merged == ranges.iter().map(Range::len).sum::<usize>()
}

/// The stretches that ranges cover together, in order.
fn merged(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted: Vec<Range<usize>> = ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_by_key(|range| range.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_grow_together() {
        let mut space = Space::default();
        for range in [10..20, 30..40, 15..32, 50..60, 60..61] {
            space.protect(range);
        }
        assert_eq!(space.occupied, BTreeMap::from([(10, 40), (50, 61)]));
        assert!(space.is_free(&(40..50)) && space.is_free(&(0..10)));
        assert!(!space.is_free(&(39..41)) && !space.is_free(&(5..55)) && !space.is_free(&(55..56)));
    }

    #[test]
    fn data_stays_in_its_place_where_it_fits() {
        let old = [10..20, 20..30, 40..50];
        assert_eq!(Space::default().place(&old, &[10, 9, 8], 100), [10, 20, 40]);
        // The first two places together hold the longer ones, the last one goes to the end.
        let mut space = Space::default();
        assert_eq!(space.place(&old, &[11, 9, 11], 101), [10, 21, 102]);
        assert_eq!(space.holes(), vec![40..50; 1]);
        let mut space = Space::default();
        space.protect(15..16);
        assert_eq!(space.place(&old, &[10, 10, 10], 100), [100, 110, 120]);
    }
}
