//! Takes the place that longer coded data left behind out of a file.

use super::all_directories;
use super::directory::{Layout, tag};
use std::collections::HashSet;
use std::ops::Range;

/// `file` without `holes`, which are in order, with all offsets corrected. `None` where that is not worth it, or not
/// safe because of data whose own offsets only its maker knows.
pub fn without(file: &[u8], holes: &[Range<usize>]) -> Option<Vec<u8>> {
    let total: usize = holes.iter().map(Range::len).sum();
    if total < 1024 || total < file.len() / 8 {
        return None;
    }
    let layout = Layout::read(file)?;
    let directories = all_directories(file, layout).ok()?;
    let is_opaque = |tag: &u16| directories.iter().any(|directory| directory.find(*tag).is_some());
    if tag::OPAQUE.iter().any(is_opaque) {
        return None;
    }
    // How much has gone up to each hole's start.
    let gone: Vec<u64> = holes
        .iter()
        .scan(0, |sum, hole| {
            let before = *sum;
            *sum += hole.len() as u64;
            Some(before)
        })
        .collect();
    let map = |offset: u64| match holes.partition_point(|hole| (hole.start as u64) < offset).checked_sub(1) {
        Some(last) => offset - gone[last] - (holes[last].len() as u64).min(offset - holes[last].start as u64),
        None => offset,
    };
    let mut changed = file.to_vec();
    let mut done = HashSet::new();
    for directory in &directories {
        directory.relocate(file, &mut changed, &map, &mut done);
    }
    let header = if layout.big { 8 } else { 4 };
    layout.endian.put(&mut changed, header, layout.word(), map(layout.first))?;
    let mut out = Vec::with_capacity(file.len() - total);
    let mut at = 0;
    for hole in holes {
        out.extend_from_slice(changed.get(at..hole.start)?);
        at = hole.end;
    }
    out.extend_from_slice(changed.get(at..)?);
    Some(out)
}
