//! What stands behind EOI: further pictures (previews, gain maps) are flipped like the first, other bytes are kept.

use super::metadata::{self, FlipInner, Picture};
use super::mpf;
use super::segments::{self, Layout};
use crate::error::Result;
use crate::kernels::flip::xmp;
use std::ops::Range;

/// The trailer of the flipped file.
#[derive(Debug, Clone, Default)]
pub struct Trailer {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where its pictures lie in it, in the order of the index.
    pub pictures: Vec<Range<usize>>,
    /// Their lengths before and after, for metadata that repeats them.
    pub lengths: Vec<(usize, usize)>,
    /// The index that names them, when all of it is still true.
    pub index: Option<mpf::Index>,
    /// Whether the file had an index of pictures.
    pub had_index: bool,
    /// Whether the further pictures had to be dropped.
    pub lost: bool,
}

/// Flips the pictures behind the first one. When one of them cannot be flipped all are dropped: a gain map that lies
/// the other way round spoils the picture it belongs to.
///
/// # Errors
/// What `flip_inner` returns.
pub fn flip(file: &[u8], layout: &Layout<'_>, picture: &Picture, flip_inner: &mut FlipInner<'_>) -> Result<Trailer> {
    let index = mpf::read(file, layout);
    let had_index = index.is_some();
    let indexed: Option<Vec<_>> = index.as_ref().and_then(|index| index.pictures.iter().cloned().collect());
    let (places, index) = match indexed.filter(|places| are_apart(places)) {
        Some(places) => (places, index),
        None if had_index || has_gain_map(layout) => (consecutive(file, layout.end), None),
        None => (Vec::new(), None),
    };
    let mut flipped = Vec::with_capacity(places.len());
    for place in &places {
        flipped.push(flip_picture(&file[place.clone()], picture, flip_inner)?);
    }
    let lost = flipped.iter().any(Option::is_none);
    let mut out = Trailer { had_index, lost, index: index.filter(|_| !lost), ..Trailer::default() };
    out.pictures = vec![0..0; places.len()];
    // The index may name the pictures in another order than they lie in.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&number| places[number].start);
    let mut at = layout.end;
    for number in order {
        let place = &places[number];
        out.bytes.extend_from_slice(&file[at..place.start]);
        if let (false, Some(new)) = (lost, &flipped[number]) {
            out.pictures[number] = out.bytes.len()..out.bytes.len() + new.len();
            out.lengths.push((place.len(), new.len()));
            out.bytes.extend_from_slice(new);
        }
        at = place.end;
    }
    out.bytes.extend_from_slice(&file[at..]);
    Ok(out)
}

fn flip_picture(bytes: &[u8], picture: &Picture, flip_inner: &mut FlipInner<'_>) -> Result<Option<Vec<u8>>> {
    let Ok(layout) = segments::parse(bytes) else { return Ok(None) };
    flip_inner(bytes, picture.inner_direction(metadata::orientation(&layout)))
}

fn are_apart(places: &[Range<usize>]) -> bool {
    let mut sorted: Vec<_> = places.iter().collect();
    sorted.sort_by_key(|place| place.start);
    sorted.windows(2).all(|pair| pair[0].end <= pair[1].start)
}

/// The JPEG files that follow each other directly from `at` on.
fn consecutive(file: &[u8], at: usize) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = at;
    while let Some(layout) = file.get(at..).and_then(|rest| segments::parse(rest).ok()) {
        places.push(at..at + layout.end);
        at += layout.end;
    }
    places
}

fn has_gain_map(layout: &Layout<'_>) -> bool {
    let packets = layout.segments.iter().filter_map(|segment| segment.payload.strip_prefix(xmp::SIGNATURE));
    packets.filter_map(|packet| std::str::from_utf8(packet).ok()).any(|packet| xmp::mentions(packet, &xmp::GAIN_MAP))
}
