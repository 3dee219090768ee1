//! What becomes of a JPEG file's metadata when its picture is flipped: kept, corrected or dropped.
//!
//! `docs/metadata.md` holds the table of every segment and why; this file carries it out.

use super::segments::{self, Layout, marker};
use super::{mpf, photoshop, trailer};
use crate::error::Result;
use crate::kernels::control::Control;
use crate::kernels::flip::exif::{self, Subject};
use crate::kernels::flip::mirror::{Raster, mirror};
use crate::kernels::flip::options::Direction;
use crate::kernels::flip::orientation::Orientation;
use crate::kernels::flip::xmp;

/// The signature in front of an EXIF block in an APP1 segment.
pub const EXIF_SIGNATURE: &[u8] = b"Exif\0\0";
const ISO_GAIN_MAP: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
/// The parameters a segment can hold.
const SEGMENT_LIMIT: usize = 65_533;

/// Flips a picture inside the file along its stored axes; `None` when it has to be dropped.
pub type FlipInner<'a> = dyn FnMut(&[u8], Direction) -> Result<Option<Vec<u8>>> + 'a;

/// The picture whose metadata is rewritten.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Its stored size and the direction along the stored axes.
    pub subject: Subject,
    /// Its orientation tag, if it has one.
    pub orientation: Option<u32>,
    /// The direction as people see it.
    pub seen: Direction,
}

impl Picture {
    /// The stored direction of a picture inside the file that may have its own orientation tag.
    pub fn inner_direction(&self, own: Option<u32>) -> Direction {
        Orientation::from_tag(own.or(self.orientation).unwrap_or(1)).stored(self.seen)
    }
}

/// The metadata of the flipped file.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// APPn and COM segments, markers included, to stand behind SOI.
    pub segments: Vec<u8>,
    /// What stands behind EOI.
    pub trailer: Vec<u8>,
    index: Option<(usize, mpf::Index)>,
    pictures: Vec<std::ops::Range<usize>>,
}

impl Metadata {
    /// Corrects what depends on the finished file: the offsets of the pictures behind the first one. `file` is SOI,
    /// [`segments`](Self::segments), the picture, [`trailer`](Self::trailer).
    pub fn finish(&self, file: &mut [u8]) {
        let Some((at, index)) = &self.index else { return };
        let first = file.len() - self.trailer.len();
        let places: Vec<_> = self.pictures.iter().map(|range| range.start + first..range.end + first).collect();
        // Behind SOI, in the segment behind its marker, length and signature.
        index.write(file, 2 + at + 4 + mpf::SIGNATURE.len(), first, &places);
    }
}

/// The orientation tag in the first EXIF segment.
pub fn orientation(layout: &Layout<'_>) -> Option<u32> {
    let exif = layout.segments.iter().find(|segment| is_exif(segment.code, segment.payload))?;
    exif::orientation(&exif.payload[EXIF_SIGNATURE.len()..])
}

fn is_exif(code: u8, payload: &[u8]) -> bool {
    code == 0xE1 && payload.starts_with(EXIF_SIGNATURE)
}

/// Builds the metadata of the flipped file.
///
/// # Errors
/// What `flip_inner` returns, and `Aborted`.
pub fn build(
    file: &[u8],
    layout: &Layout<'_>,
    picture: &Picture,
    flip_inner: &mut FlipInner<'_>,
    control: &Control,
) -> Result<Metadata> {
    let trailer = trailer::flip(file, layout, picture, flip_inner)?;
    let mut out = Metadata { segments: Vec::new(), trailer: trailer.bytes, index: None, pictures: trailer.pictures };
    let extended_is_false = layout.segments.iter().any(|segment| {
        // The parts of an extended packet are cut anywhere: a name is looked for as bytes, without its context.
        segment.payload.starts_with(xmp::EXTENDED_SIGNATURE) && {
            let has = |name: &str| segment.payload.windows(name.len()).any(|window| window == name.as_bytes());
            xmp::FALSE_AFTER_FLIP.iter().any(|name| has(name))
        }
    });
    let photoshop: Vec<u8> = layout.segments.iter().filter_map(photoshop_part).flatten().copied().collect();
    let mut photoshop = Some(photoshop::keep_true(&photoshop));
    let mut seen_exif = false;
    for segment in layout.segments.iter().filter(|segment| marker::is_metadata(segment.code)) {
        let (code, payload) = (segment.code, segment.payload);
        let kept = match code {
            0xE0 => jfif(payload, picture, flip_inner, control)?,
            0xE1 if is_exif(code, payload) => {
                // Readers look at the first block only; a second one would be left behind uncorrected.
                if std::mem::replace(&mut seen_exif, true) { None } else { Some(exif(payload, picture, flip_inner)?) }
            }
            0xE1 if payload.starts_with(xmp::SIGNATURE) => {
                xmp_packet(payload, trailer.lost, extended_is_false, &trailer.lengths)
            }
            0xE1 if payload.starts_with(xmp::EXTENDED_SIGNATURE) && extended_is_false => None,
            0xE2 if mpf::is_mpf(code, payload) => {
                if let Some(index) = trailer.index.clone() {
                    out.index = Some((out.segments.len(), index));
                }
                (!trailer.lost && (trailer.index.is_some() || !trailer.had_index)).then(|| payload.to_vec())
            }
            0xE2 if payload.starts_with(ISO_GAIN_MAP) && trailer.lost => None,
            // JUMBF and JPEG XT: signed claims over the old bytes, refinements of the old samples.
            0xEB => None,
            0xED if payload.starts_with(photoshop::SIGNATURE) => {
                for part in photoshop.take().unwrap_or_default().chunks(SEGMENT_LIMIT - photoshop::SIGNATURE.len()) {
                    segments::push(&mut out.segments, code, &[photoshop::SIGNATURE, part].concat());
                }
                None
            }
            _ => Some(payload.to_vec()),
        };
        if let Some(payload) = kept {
            segments::push(&mut out.segments, code, &payload);
        }
    }
    Ok(out)
}

fn photoshop_part<'a>(segment: &segments::Segment<'a>) -> Option<&'a [u8]> {
    (segment.code == 0xED).then(|| segment.payload.strip_prefix(photoshop::SIGNATURE)).flatten()
}

fn exif(payload: &[u8], picture: &Picture, flip_inner: &mut FlipInner<'_>) -> Result<Vec<u8>> {
    let mut block = payload[EXIF_SIGNATURE.len()..].to_vec();
    exif::flip(&mut block, picture.subject, SEGMENT_LIMIT - EXIF_SIGNATURE.len(), &mut |thumbnail, own| {
        flip_inner(thumbnail, picture.inner_direction(own))
    })?;
    Ok([EXIF_SIGNATURE, &block].concat())
}

/// An XMP packet without what became false; `None` when it cannot be corrected.
fn xmp_packet(payload: &[u8], lost: bool, extended_is_false: bool, lengths: &[(usize, usize)]) -> Option<Vec<u8>> {
    let Ok(packet) = std::str::from_utf8(&payload[xmp::SIGNATURE.len()..]) else { return None };
    let mut names = xmp::FALSE_AFTER_FLIP.to_vec();
    if lost {
        names.extend(xmp::GAIN_MAP);
    }
    if extended_is_false {
        names.push("xmpNote:HasExtendedXMP");
    }
    let mut packet = xmp::without(packet, &names)?;
    for (old, new) in lengths {
        packet = xmp::with_item_length(&packet, *old, *new);
    }
    Some([xmp::SIGNATURE, packet.as_bytes()].concat()).filter(|payload| payload.len() <= SEGMENT_LIMIT)
}

/// A JFIF segment with its thumbnail flipped (JFIF 1.02); `None` for a thumbnail that cannot be.
fn jfif(
    payload: &[u8],
    picture: &Picture,
    flip_inner: &mut FlipInner<'_>,
    control: &Control,
) -> Result<Option<Vec<u8>>> {
    let mut out = payload.to_vec();
    // Where width and height of an uncompressed thumbnail stand, where its pixels start, and their size in bits.
    let (size, pixels, bits) = match payload {
        [b'J', b'F', b'I', b'F', 0, ..] => (12, 14, 24),
        [b'J', b'F', b'X', b'X', 0, 0x13, ..] => (6, 8, 24),
        [b'J', b'F', b'X', b'X', 0, 0x11, ..] => (6, 8 + 768, 8),
        [b'J', b'F', b'X', b'X', 0, 0x10, thumbnail @ ..] => {
            let flipped = flip_inner(thumbnail, picture.subject.direction)?;
            return Ok(flipped.map(|new| [&payload[..6], &new].concat()).filter(|out| out.len() <= SEGMENT_LIMIT));
        }
        [b'J', b'F', b'X', b'X', 0, ..] => return Ok(None),
        _ => return Ok(Some(out)),
    };
    let (Some(&width), Some(&rows)) = (payload.get(size), payload.get(size + 1)) else { return Ok(Some(out)) };
    let (width, rows) = (usize::from(width), usize::from(rows));
    let stride = width * bits / 8;
    if stride * rows > 0 {
        let Some(buffer) = out.get_mut(pixels..pixels + stride * rows) else { return Ok(None) };
        mirror(buffer, Raster { width, rows, stride, bits }, picture.subject.direction, control)?;
    }
    Ok(Some(out))
}
