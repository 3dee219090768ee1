//! Reads and corrects EXIF blocks: a TIFF structure of image file directories (Exif 2.32, chapter 4).
//!
//! Only what a flip makes false is touched, in place, so that offsets inside the block (maker notes have their own)
//! stay right. Every read is bounds-checked: the bytes are untrusted.

use super::bytes::Endian;
use super::options::Direction;
use crate::error::Result;

const ORIENTATION: u16 = 0x0112;
const THUMBNAIL_OFFSET: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;
const STRIP_OFFSETS: u16 = 0x0111;
const EXIF_IFD: u16 = 0x8769;
const SUBJECT_AREA: u16 = 0x9214;
const SUBJECT_LOCATION: u16 = 0xA214;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// What flips a thumbnail: its bytes and its own orientation tag in, the flipped bytes out, or `None` to drop it.
pub type FlipThumbnail<'a> = dyn FnMut(&[u8], Option<u32>) -> Result<Option<Vec<u8>>> + 'a;

/// The picture an EXIF block belongs to and how it is flipped.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Stored width in pixels.
    pub width: u32,
    /// Stored height in pixels.
    pub height: u32,
    /// The direction along the stored axes.
    pub direction: Direction,
}

/// One directory entry: where its value lies, which may be in the entry itself.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    value: usize,
}

/// The directory at `offset` and where the offset of the next one is stored.
struct Directory {
    entries: Vec<Entry>,
    next: usize,
}

impl Directory {
    fn find(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().copied().find(|entry| entry.tag == tag)
    }
}

fn endian(block: &[u8]) -> Option<Endian> {
    match block.get(..4)? {
        b"II*\0" => Some(Endian::Little),
        b"MM\0*" => Some(Endian::Big),
        _ => None,
    }
}

fn directory(block: &[u8], endian: Endian, offset: usize) -> Option<Directory> {
    let count = usize::from(endian.u16(block, offset)?);
    let next = offset.checked_add(2 + count * 12)?;
    let entries = (0..count).map_while(|index| {
        let at = offset + 2 + index * 12;
        let (kind, count) = (endian.u16(block, at + 2)?, endian.u32(block, at + 4)?);
        let size: u64 = match kind {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        };
        // A value of up to four bytes lies in the entry, a longer one where the entry points.
        let value = if size * u64::from(count) <= 4 { at + 8 } else { endian.u32(block, at + 8)? as usize };
        Some(Entry { tag: endian.u16(block, at)?, kind, count, value })
    });
    Some(Directory { entries: entries.collect(), next })
}

/// Entry's first value as a number.
fn number(block: &[u8], endian: Endian, entry: Entry) -> Option<u32> {
    match entry.kind {
        SHORT if entry.count > 0 => endian.u16(block, entry.value).map(u32::from),
        LONG if entry.count > 0 => endian.u32(block, entry.value),
        _ => None,
    }
}

/// The orientation tag of an EXIF block, which starts with its TIFF header (`II*` or `MM*`).
pub fn orientation(block: &[u8]) -> Option<u32> {
    let endian = endian(block)?;
    let first = directory(block, endian, endian.u32(block, 4)? as usize)?;
    number(block, endian, first.find(ORIENTATION)?)
}

/// Makes an EXIF block true again for its flipped picture: the thumbnail and the position of the subject.
///
/// `limit` is the greatest length the block may grow to. A thumbnail that cannot be flipped, or no longer fits, is
/// dropped with the directory that describes it.
///
/// # Errors
/// What `flip_thumbnail` returns; it decides which failures end the whole flip.
pub fn flip(block: &mut Vec<u8>, subject: Subject, limit: usize, flip_thumbnail: &mut FlipThumbnail<'_>) -> Result<()> {
    let Some(endian) = endian(block) else { return Ok(()) };
    let first = endian.u32(block, 4).and_then(|offset| directory(block, endian, offset as usize));
    let Some(first) = first else { return Ok(()) };
    if let Some(exif) = first
        .find(EXIF_IFD)
        .and_then(|entry| number(block, endian, entry))
        .and_then(|offset| directory(block, endian, offset as usize))
    {
        for entry in [SUBJECT_AREA, SUBJECT_LOCATION].into_iter().filter_map(|tag| exif.find(tag)) {
            mirror_point(block, endian, entry, subject);
        }
    }
    let second = endian.u32(block, first.next).filter(|&offset| offset != 0);
    let Some(second) = second.and_then(|offset| directory(block, endian, offset as usize)) else { return Ok(()) };
    replace_thumbnail(block, endian, first.next, &second, limit, flip_thumbnail)
}

/// The first two numbers of a subject area or location are a point relative to the stored picture.
fn mirror_point(block: &mut [u8], endian: Endian, entry: Entry, subject: Subject) {
    if entry.kind != SHORT || entry.count < 2 {
        return;
    }
    let axes = [(0, subject.width, Direction::Vertical), (2, subject.height, Direction::Horizontal)];
    for (offset, length, untouched_by) in axes {
        let at = entry.value + offset;
        if let Some(value) = endian.u16(block, at).filter(|_| subject.direction != untouched_by) {
            let mirrored = length.saturating_sub(1 + u32::from(value));
            let _ = endian.put(block, at, 2, u64::from(mirrored));
        }
    }
}

fn replace_thumbnail(
    block: &mut Vec<u8>,
    endian: Endian,
    link: usize,
    second: &Directory,
    limit: usize,
    flip_thumbnail: &mut FlipThumbnail<'_>,
) -> Result<()> {
    let place = second.find(THUMBNAIL_OFFSET).zip(second.find(THUMBNAIL_LENGTH)).and_then(|(offset, length)| {
        let start = number(block, endian, offset)? as usize;
        let end = start.checked_add(number(block, endian, length)? as usize)?;
        block.get(start..end).is_some_and(|bytes| !bytes.is_empty()).then_some((offset, length, start..end))
    });
    let Some((offset, length, old)) = place else {
        // An uncompressed thumbnail, which cameras stopped writing long ago.
        if second.find(STRIP_OFFSETS).is_some() || second.find(THUMBNAIL_OFFSET).is_some() {
            let _ = endian.put(block, link, 4, 0);
        }
        return Ok(());
    };
    let own = second.find(ORIENTATION).and_then(|entry| number(block, endian, entry));
    let flipped = flip_thumbnail(&block[old.clone()], own)?;
    block[old.clone()].fill(0);
    let at_end = old.end == block.len();
    let start = match &flipped {
        Some(new) if new.len() <= old.len() => Some(old.start),
        Some(new) if at_end && old.start + new.len() <= limit => Some(old.start),
        Some(new) if block.len() + new.len() <= limit => Some(block.len()),
        _ => None,
    };
    let (Some(new), Some(start)) = (flipped, start) else {
        let _ = endian.put(block, link, 4, 0);
        return Ok(());
    };
    let end = start + new.len();
    if at_end && start == old.start {
        block.truncate(start);
    }
    if block.len() < end {
        block.resize(end, 0);
    }
    block[start..end].copy_from_slice(&new);
    for (entry, value) in [(offset, start), (length, new.len())] {
        let _ = endian.put(block, entry.value, if entry.kind == SHORT { 2 } else { 4 }, value as u64);
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An EXIF block with an orientation, a subject area and a thumbnail at its end.
    pub(crate) fn sample(endian: Endian, orientation: u16, thumbnail: &[u8]) -> Vec<u8> {
        let mut block = if endian == Endian::Little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        block.resize(8 + 2 + 2 * 12 + 4 + 2 + 12 + 4 + 2 + 2 * 12 + 4 + 8, 0);
        let exif = 8 + 2 + 24 + 4;
        let second = exif + 2 + 12 + 4;
        let area = second + 2 + 24 + 4;
        let mut put = |at: usize, size: usize, value: usize| endian.put(&mut block, at, size, value as u64).unwrap();
        put(4, 4, 8);
        put(8, 2, 2);
        for (at, tag, kind, count, value) in [
            (10, ORIENTATION, SHORT, 1, 0),
            (22, EXIF_IFD, LONG, 1, exif),
            (exif + 2, SUBJECT_AREA, SHORT, 4, area),
            (second + 2, THUMBNAIL_OFFSET, LONG, 1, area + 8),
            (second + 14, THUMBNAIL_LENGTH, LONG, 1, thumbnail.len()),
        ] {
            put(at, 2, tag.into());
            put(at + 2, 2, kind.into());
            put(at + 4, 4, count);
            put(at + 8, 4, value);
        }
        put(18, 2, orientation.into());
        put(34, 4, second);
        put(exif, 2, 1);
        put(second, 2, 2);
        for (index, value) in [10, 20, 5, 6].into_iter().enumerate() {
            put(area + 2 * index, 2, value);
        }
        block.extend_from_slice(thumbnail);
        block
    }

    /// The thumbnail of a block, found again.
    pub(crate) fn thumbnail(block: &[u8]) -> Option<&[u8]> {
        let endian = endian(block)?;
        let first = directory(block, endian, endian.u32(block, 4)? as usize)?;
        let link = endian.u32(block, first.next).filter(|&link| link != 0)?;
        let second = directory(block, endian, link as usize)?;
        let start = number(block, endian, second.find(THUMBNAIL_OFFSET)?)? as usize;
        let length = number(block, endian, second.find(THUMBNAIL_LENGTH)?)? as usize;
        block.get(start..start + length)
    }

    fn subject(direction: Direction) -> Subject {
        Subject { width: 100, height: 50, direction }
    }

    #[test]
    fn orientation_in_both_byte_orders() {
        for endian in [Endian::Little, Endian::Big] {
            assert_eq!(orientation(&sample(endian, 6, b"thumb")), Some(6));
        }
        assert_eq!(orientation(b"II*\0"), None);
        assert_eq!(orientation(b"Exif"), None);
    }

    #[test]
    fn thumbnail_shrinks_grows_or_goes() {
        for endian in [Endian::Little, Endian::Big] {
            for new in [&b"abc"[..], b"abcde", b"a longer thumbnail"] {
                let mut block = sample(endian, 1, b"thumb");
                flip(&mut block, subject(Direction::Vertical), 65_527, &mut |old, own| {
                    assert_eq!((old, own), (&b"thumb"[..], None));
                    Ok(Some(new.to_vec()))
                })
                .unwrap();
                assert_eq!(thumbnail(&block), Some(new));
                assert_eq!(orientation(&block), Some(1));
            }
            let mut block = sample(endian, 1, b"thumb");
            let length = block.len();
            flip(&mut block, subject(Direction::Vertical), length, &mut |_, _| Ok(Some(b"longer".to_vec()))).unwrap();
            assert_eq!(thumbnail(&block), None);
            assert!(!block.windows(5).any(|window| window == b"thumb"));
        }
    }

    #[test]
    fn the_subject_moves_with_the_picture() {
        for (direction, expected) in
            [(Direction::Vertical, (10, 29)), (Direction::Horizontal, (89, 20)), (Direction::Both, (89, 29))]
        {
            let mut block = sample(Endian::Big, 1, b"thumb");
            let area = block.len() - 5 - 8;
            flip(&mut block, subject(direction), 65_527, &mut |old, _| Ok(Some(old.to_vec()))).unwrap();
            let point = (Endian::Big.u16(&block, area).unwrap(), Endian::Big.u16(&block, area + 2).unwrap());
            assert_eq!(point, expected);
            assert_eq!(Endian::Big.u16(&block, area + 4), Some(5));
        }
    }

    #[test]
    fn hostile_offsets_do_no_harm() {
        let block = sample(Endian::Little, 1, b"thumb");
        for at in 0..block.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut broken = block.clone();
                broken[at] = value;
                let _ = flip(&mut broken, subject(Direction::Both), 65_527, &mut |_, _| Ok(Some(vec![1; 300])));
                let mut cut = block[..at].to_vec();
                let _ = flip(&mut cut, subject(Direction::Both), 65_527, &mut |_, _| Ok(None));
            }
        }
    }
}
