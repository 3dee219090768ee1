//! Image file directories (TIFF 6.0, section 2; BigTIFF, Aware Systems).

use super::space::Space;
use crate::kernels::flip::bytes::{Endian, array};
use std::collections::HashSet;

/// The tags a flip looks at (TIFF 6.0, appendix A).
pub mod tag {
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const SUB_IFDS: u16 = 330;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const EXIF_IFD: u16 = 34665;
    pub const GPS_IFD: u16 = 34853;
    pub const INTEROPERABILITY_IFD: u16 = 40965;
    /// Tags whose values are offsets.
    pub const OFFSETS: [u16; 7] =
        [STRIP_OFFSETS, TILE_OFFSETS, SUB_IFDS, EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD, THUMBNAIL_OFFSET];
    pub const THUMBNAIL_OFFSET: u16 = 513;
    /// Tags whose values may hold offsets that only their makers know: maker notes and DNG's private data, and
    /// offsets to free space and old-style JPEG tables.
    pub const OPAQUE: [u16; 6] = [37500, 50740, 288, 519, 520, 521];
    /// Tags that a flip makes false: GeoTIFF's places of pixels on the ground (pixel scale, tie points,
    /// transformation), and Photoshop's layers.
    pub const FALSE_AFTER_FLIP: [u16; 4] = [33550, 33922, 34264, 37724];
}

/// How the numbers of a file are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The byte order.
    pub endian: Endian,
    /// Whether offsets have eight bytes.
    pub big: bool,
    /// The offset of the first directory.
    pub first: u64,
}

impl Layout {
    /// Reads the header of a file.
    pub fn read(file: &[u8]) -> Option<Self> {
        let endian = if array(file, 0)? == *b"II" { Endian::Little } else { Endian::Big };
        let big = endian.u16(file, 2)? == 43;
        let layout = Self { endian, big, first: 0 };
        // BigTIFF tells the size of its offsets, which is always eight.
        Some(Self { first: layout.offset(file, if big { 8 } else { 4 })?, ..layout })
    }

    /// Bytes of an offset.
    pub fn word(self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn offset(self, file: &[u8], at: usize) -> Option<u64> {
        if self.big { self.endian.u64(file, at) } else { self.endian.u32(file, at).map(u64::from) }
    }
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    tag: u16,
    /// The field type.
    pub kind: u16,
    /// The number of values.
    pub count: usize,
    /// Where the first value lies: in the entry itself when all fit.
    pub value: usize,
    /// Where the entry lies.
    at: usize,
}

/// Bytes of a value of a field type.
fn size_of(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}

/// A directory of a file.
#[derive(Debug, Clone)]
pub struct Directory {
    layout: Layout,
    at: usize,
    entries: Vec<Entry>,
    /// The offset of the next directory in the chain, 0 at its end.
    pub next: u64,
}

impl Directory {
    /// Reads the directory at `offset`; `None` where it reaches past the end of the file.
    pub fn read(file: &[u8], layout: Layout, offset: u64) -> Option<Self> {
        let at = usize::try_from(offset).ok()?;
        let Layout { endian, big, .. } = layout;
        let count = if big { endian.u64(file, at)? } else { endian.u16(file, at)?.into() };
        let (head, size) = Self::shape(big);
        let count = usize::try_from(count).ok().filter(|&count| count <= file.len() / size)?;
        let table = file.get(at + head..(at + head).checked_add(count * size)?)?;
        let mut entries = Vec::with_capacity(count);
        for index in 0..count {
            let at = at + head + index * size;
            let kind = endian.u16(file, at + 2)?;
            let values = usize::try_from(layout.offset(file, at + 4)?).ok()?;
            let inline = at + 4 + layout.word();
            let fits = values.checked_mul(size_of(kind)).is_some_and(|bytes| bytes <= layout.word());
            let value = if fits { inline } else { usize::try_from(layout.offset(file, inline)?).ok()? };
            entries.push(Entry { tag: endian.u16(file, at)?, kind, count: values, value, at });
        }
        let next = layout.offset(file, at + head + table.len()).unwrap_or(0);
        Some(Self { layout, at, entries, next })
    }

    /// Bytes of the count in front of the entries, and of an entry.
    fn shape(big: bool) -> (usize, usize) {
        if big { (8, 20) } else { (2, 12) }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The layout of its file.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The entry with a tag.
    pub fn find(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().copied().find(|entry| entry.tag == tag)
    }

    /// All values of an entry, when they are whole numbers.
    pub fn numbers(&self, file: &[u8], tag: u16) -> Option<Vec<u64>> {
        let entry = self.find(tag)?;
        let size = size_of(entry.kind);
        let end = entry.count.checked_mul(size)?.checked_add(entry.value)?;
        file.get(entry.value..end)?;
        (0..entry.count).map(|index| self.value(file, entry, entry.value + index * size)).collect()
    }

    /// The first value of an entry, when it is a whole number.
    pub fn number(&self, file: &[u8], tag: u16) -> Option<u64> {
        let entry = self.find(tag).filter(|entry| entry.count > 0)?;
        self.value(file, entry, entry.value)
    }

    fn value(&self, file: &[u8], entry: Entry, at: usize) -> Option<u64> {
        let endian = self.layout.endian;
        match entry.kind {
            1 => file.get(at).map(|&value| value.into()),
            3 => endian.u16(file, at).map(u64::from),
            4 | 13 => endian.u32(file, at).map(u64::from),
            16 | 18 => endian.u64(file, at),
            _ => None,
        }
    }

    /// Reserves what the directory and the values of its entries occupy.
    pub fn protect(&self, space: &mut Space) {
        let (head, size) = Self::shape(self.layout.big);
        space.protect(self.at..self.at + head + self.entries.len() * size + self.layout.word());
        for entry in &self.entries {
            let bytes = entry.count.saturating_mul(size_of(entry.kind));
            if bytes > self.layout.word() {
                space.protect(entry.value..entry.value.saturating_add(bytes));
            }
        }
    }

    /// Writes new values for an entry: in place where they fit its type, as a new array at the end where not.
    /// `None`, and the entry unchanged, when an offset no longer fits the file's format.
    pub fn set(&self, out: &mut Vec<u8>, tag: u16, values: &[u64]) -> Option<()> {
        let (entry, Layout { endian, big, .. }) = (self.find(tag)?, self.layout);
        let size = size_of(entry.kind);
        let fits = |bytes: usize| values.iter().all(|&value| bytes == 8 || value >> (8 * bytes) == 0);
        if fits(size) && values.len() == entry.count {
            for (index, &value) in values.iter().enumerate() {
                endian.put(out, entry.value + index * size, size, value)?;
            }
            return Some(());
        }
        let (kind, size) = if big { (16, 8) } else { (4, 4) };
        let word = self.layout.word();
        if !fits(size) || !fits_word(out.len() as u64, word) {
            return None;
        }
        let inline = entry.at + 4 + word;
        let at = if values.len() * size <= word {
            inline
        } else {
            out.resize(out.len().next_multiple_of(2), 0);
            let end = out.len();
            endian.put(out, inline, word, end as u64)?;
            end
        };
        endian.put(out, entry.at + 2, 2, kind)?;
        endian.put(out, entry.at + 4, word, values.len() as u64)?;
        if at != inline {
            out.resize(at + values.len() * size, 0);
        }
        for (index, &value) in values.iter().enumerate() {
            endian.put(out, at + index * size, size, value)?;
        }
        Some(())
    }

    /// Changes every offset in the directory by `map`; `before` is the file as it was. `done` holds the places changed so far: directories may share
    /// values.
    pub fn relocate(&self, before: &[u8], out: &mut [u8], map: &dyn Fn(u64) -> u64, done: &mut HashSet<usize>) {
        let Layout { endian, big, .. } = self.layout;
        let word = self.layout.word();
        let mut change = |at: usize, size: usize, value: u64| {
            if done.insert(at) {
                let _ = endian.put(out, at, size, map(value));
            }
        };
        for entry in &self.entries {
            let size = size_of(entry.kind);
            let offsets = tag::OFFSETS.contains(&entry.tag).then(|| self.numbers(before, entry.tag)).flatten();
            for (index, value) in offsets.unwrap_or_default().into_iter().enumerate() {
                change(entry.value + index * size, size, value);
            }
            let inline = entry.at + 4 + word;
            if entry.value != inline {
                change(inline, word, entry.value as u64);
            }
        }
        let (head, size) = Self::shape(big);
        if self.next != 0 {
            change(self.at + head + self.entries.len() * size, word, self.next);
        }
    }

    /// Takes the entries that a flip makes false out of the directory.
    pub fn remove_false(&self, out: &mut [u8]) {
        let (head, size) = Self::shape(self.layout.big);
        let start = self.at + head;
        let mut kept = start;
        for entry in &self.entries {
            if !tag::FALSE_AFTER_FLIP.contains(&entry.tag) {
                out.copy_within(entry.at..entry.at + size, kept);
                kept += size;
            }
        }
        let endian = self.layout.endian;
        let count = (kept - start) / size;
        if count < self.entries.len() {
            let _ = endian.put(out, self.at, head, count as u64);
            let _ = endian.put(out, kept, self.layout.word(), self.next);
        }
    }
}

fn fits_word(value: u64, word: usize) -> bool {
    word == 8 || value >> 32 == 0
}
