//! The Multi-Picture Format index (CIPA DC-007): where the pictures behind the first one lie.
//!
//! Offsets count from the TIFF header inside the APP2 segment, so they change with everything between the two.

use super::super::bytes::Endian;
use super::segments::Layout;
use std::ops::Range;

/// The signature in front of the index in an APP2 segment.
pub const SIGNATURE: &[u8] = b"MPF\0";
const ENTRIES: u16 = 0xB002;
const ENTRY_SIZE: usize = 16;

/// The index of a file: its byte order, where its entries lie in the TIFF block, and the pictures they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    endian: Endian,
    entries: usize,
    /// Where the further pictures lie in the file; `None` for one whose place cannot be right.
    pub pictures: Vec<Option<Range<usize>>>,
}

/// Reads the index in the MPF segment of `layout`, if there is one. Pictures are trusted only where they lie behind
/// the end of the first picture.
pub fn read(file: &[u8], layout: &Layout<'_>) -> Option<Index> {
    let segment = layout.segments.iter().find(|segment| is_mpf(segment.code, segment.payload))?;
    let block = &segment.payload[SIGNATURE.len()..];
    let base = segment.span.end - block.len();
    let endian = match block.get(..4)? {
        b"II*\0" => Endian::Little,
        b"MM\0*" => Endian::Big,
        _ => return None,
    };
    let directory = endian.u32(block, 4)? as usize;
    let count = usize::from(endian.u16(block, directory)?);
    let entry =
        (0..count).map(|index| directory + 2 + index * 12).find(|&at| endian.u16(block, at) == Some(ENTRIES))?;
    let bytes = endian.u32(block, entry + 4)? as usize;
    let entries = endian.u32(block, entry + 8)? as usize;
    block.get(entries..entries.checked_add(bytes)?)?;
    let pictures = (1..bytes / ENTRY_SIZE).map(|index| {
        let at = entries + index * ENTRY_SIZE;
        let start = base.checked_add(endian.u32(block, at + 8)? as usize)?;
        let end = start.checked_add(endian.u32(block, at + 4)? as usize)?;
        (start >= layout.end && start < end && end <= file.len()).then_some(start..end)
    });
    Some(Index { endian, entries, pictures: pictures.collect() })
}

/// Whether a segment is an MPF segment.
pub fn is_mpf(code: u8, payload: &[u8]) -> bool {
    code == 0xE2 && payload.starts_with(SIGNATURE)
}

impl Index {
    /// Writes the places of the pictures into the index of a finished file. `block` is where the TIFF header of the
    /// index lies in `file`, `first` the length of the first picture, `pictures` where the others lie now.
    pub fn write(&self, file: &mut [u8], block: usize, first: usize, pictures: &[Range<usize>]) {
        let mut put = |index: usize, field: usize, value: usize| {
            let at = block + self.entries + index * ENTRY_SIZE + field;
            self.endian.put(file, at, 4, value as u64)
        };
        put(0, 4, first);
        for (index, place) in pictures.iter().enumerate() {
            put(index + 1, 4, place.len());
            put(index + 1, 8, place.start.saturating_sub(block));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::kernels::flip::jpeg::segments;

    /// Puts `others` behind `first` and an index of them into it, as cameras do.
    pub(crate) fn join(first: &[u8], others: &[&[u8]]) -> Vec<u8> {
        let mut payload = SIGNATURE.to_vec();
        payload.extend_from_slice(b"MM\0*\0\0\0\x08\0\x01");
        payload.extend_from_slice(&[0xB0, 0x02, 0, 7]);
        payload.extend_from_slice(&(16 * (others.len() as u32 + 1)).to_be_bytes());
        payload.extend_from_slice(&[0, 0, 0, 26, 0, 0, 0, 0]);
        let length = first.len() + 4 + payload.len() + 16 * (others.len() + 1);
        let mut offset = length - 10;
        for (index, size) in std::iter::once(length).chain(others.iter().map(|other| other.len())).enumerate() {
            payload.extend_from_slice(&[0; 4]);
            payload.extend_from_slice(&(size as u32).to_be_bytes());
            payload.extend_from_slice(&(if index == 0 { 0 } else { offset as u32 }).to_be_bytes());
            payload.extend_from_slice(&[0; 4]);
            if index > 0 {
                offset += size;
            }
        }
        let mut file = vec![0xFF, 0xD8];
        assert!(segments::push(&mut file, 0xE2, &payload));
        file.extend_from_slice(&first[2..]);
        assert_eq!(file.len(), length);
        others.iter().for_each(|other| file.extend_from_slice(other));
        file
    }

    #[test]
    fn the_index_is_read_and_written() {
        let mut file = join(&[0xFF, 0xD8, 0xFF, 0xD9], &[b"second", b"third one"]);
        let layout = segments::parse(&file).unwrap();
        let index = read(&file, &layout).unwrap();
        let places: Vec<_> = index.pictures.iter().cloned().map(Option::unwrap).collect();
        assert_eq!(&file[places[0].clone()], b"second");
        assert_eq!(&file[places[1].clone()], b"third one");
        let (first, moved) = (layout.end, [places[0].start..places[0].start + 3, places[1].clone()]);
        index.write(&mut file, 10, first, &moved);
        let layout = segments::parse(&file).unwrap();
        assert_eq!(read(&file, &layout).unwrap().pictures, moved.map(Some));
    }

    #[test]
    fn places_outside_the_file_are_not_trusted() {
        let file = join(&[0xFF, 0xD8, 0xFF, 0xD9], &[b"second"]);
        let cut = &file[..file.len() - 1];
        assert_eq!(read(cut, &segments::parse(cut).unwrap()).unwrap().pictures, [None]);
        for at in 0..70 {
            let mut broken = file.clone();
            broken[at] ^= 0xFF;
            if let Ok(layout) = segments::parse(&broken) {
                let _ = read(&broken, &layout);
            }
        }
    }
}
