//! Looks an LMDB file over before LMDB maps it: LMDB trusts what it reads, and a broken page can make it touch memory
//! that is not there.
//!
//! Every page that can be reached from the newest meta page is visited: its kind, the bounds of its nodes, its place in
//! the file, and that no page is in two places. Values are not looked into. The layout is that of LMDB 0.9
//! (`libraries/liblmdb/mdb.c`: MDB_page, MDB_meta, MDB_db, MDB_node), 64 bits, in the byte order of the machine.

use super::engine::FORMAT;
use super::record::SETTINGS;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const MAGIC: u32 = 0xBEEF_C0DE;
const VERSION: u32 = 1;
const HEADER: usize = 16;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const OVERFLOW: u16 = 0x04;
const META: u16 = 0x08;

/// A node's value lies on pages of its own.
const BIG: u16 = 0x01;

/// One of the two trees in a meta page.
#[derive(Debug, Clone, Copy)]
struct Tree {
    depth: u16,
    entries: u64,
    root: u64,
}

struct Meta {
    page_size: usize,
    free: Tree,
    main: Tree,
    last: u64,
    transaction: u64,
}

/// What a data file that may be opened has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none, or nothing in it: a store to be made.
    Nothing,
    /// Our settings.
    Ours,
}

/// Checks the data file at `path`.
///
/// # Errors
/// `StoreForeign` for what is no LMDB file, `StoreCorrupt` for a broken one, else what reading it answers.
pub fn data_file(path: &Path) -> Result<Found> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    let length = file.metadata().map_err(|error| Error::io("stat", path, error))?.len();
    if length == 0 {
        return Ok(Found::Nothing);
    }
    look_over(&mut file, length).map_err(|fault| match fault {
        Fault::Foreign(text) => Error::StoreForeign(format!("{text}, '{}'", path.display())),
        Fault::Corrupt(text) => Error::StoreCorrupt(format!("{text}, '{}'", path.display())),
        Fault::Io(error) => Error::io("read", path, error),
    })
}

enum Fault {
    Foreign(&'static str),
    Corrupt(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Corrupt("the file ends too early"),
            _ => Self::Io(error),
        }
    }
}

type Checked<T> = std::result::Result<T, Fault>;

fn look_over<F: Read + Seek>(file: &mut F, length: u64) -> Checked<Found> {
    let first = meta(file, 0)?;
    let second = meta(file, first.page_size as u64)?;
    if second.page_size != first.page_size {
        return Err(Fault::Corrupt("its meta pages differ in page size"));
    }
    let newest = if second.transaction > first.transaction { second } else { first };
    let size = newest.page_size;
    let pages = newest.last.saturating_add(1);
    // The file may end before its last page where that one is free, but not by so much that no file ever held it.
    if pages > (length / size as u64).saturating_mul(64).saturating_add(1 << 20) {
        return Err(Fault::Corrupt("the file ends too early"));
    }
    let mut walk = Walk { file, size, length, seen: vec![0; (pages as usize).div_ceil(64)], pages, ours: false };
    walk.mark(0)?;
    walk.mark(1)?;
    walk.tree(newest.main, false)?;
    walk.tree(newest.free, true)?;
    match (walk.ours, newest.main.entries) {
        (true, _) => Ok(Found::Ours),
        (false, 0) => Ok(Found::Nothing),
        (false, _) => Err(Fault::Foreign("an LMDB file of another program, or of another version of this one")),
    }
}

fn meta<F: Read + Seek>(file: &mut F, at: u64) -> Checked<Meta> {
    let mut bytes = [0; HEADER + 136];
    file.seek(SeekFrom::Start(at))?;
    if let Err(error) = file.read_exact(&mut bytes) {
        return match error.kind() {
            // What is too short for a first page never was a store; a second one is missing from what was.
            io::ErrorKind::UnexpectedEof if at == 0 => Err(Fault::Foreign("too short for an LMDB file")),
            _ => Err(error.into()),
        };
    }
    if u16_at(&bytes, 10) & META == 0 || u32_at(&bytes, HEADER) != MAGIC {
        let text = "a page that should begin an LMDB file does not";
        return Err(if at == 0 { Fault::Foreign(text) } else { Fault::Corrupt(text) });
    }
    if u32_at(&bytes, HEADER + 4) != VERSION {
        return Err(Fault::Foreign("an LMDB file of another version"));
    }
    let tree = |from: usize| Tree {
        depth: u16_at(&bytes, from + 6),
        entries: u64_at(&bytes, from + 32),
        root: u64_at(&bytes, from + 40),
    };
    let page_size = u32_at(&bytes, HEADER + 24) as usize;
    if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
        return Err(Fault::Corrupt("no page has that size"));
    }
    Ok(Meta {
        page_size,
        free: tree(HEADER + 24),
        main: tree(HEADER + 72),
        last: u64_at(&bytes, HEADER + 120),
        transaction: u64_at(&bytes, HEADER + 128),
    })
}

struct Walk<'f, F> {
    file: &'f mut F,
    size: usize,
    length: u64,
    pages: u64,
    /// A bit for each page met.
    seen: Vec<u64>,
    /// Whether our settings were met.
    ours: bool,
}

impl<F: Read + Seek> Walk<'_, F> {
    fn tree(&mut self, tree: Tree, free: bool) -> Checked<()> {
        if tree.root == u64::MAX {
            return if tree.entries == 0 { Ok(()) } else { Err(Fault::Corrupt("a tree has entries and no root")) };
        }
        if tree.depth == 0 || tree.depth > 32 {
            return Err(Fault::Corrupt("no tree has that depth"));
        }
        let found = self.page(tree.root, tree.depth, free)?;
        if found == tree.entries { Ok(()) } else { Err(Fault::Corrupt("entries are missing")) }
    }

    /// Visits a page and all below it, `depth` levels; answers the number of entries.
    fn page(&mut self, number: u64, depth: u16, free: bool) -> Checked<u64> {
        self.mark(number)?;
        let page = self.read(number, self.size)?;
        let flags = u16_at(&page, 10);
        let wanted = if depth == 1 { LEAF } else { BRANCH };
        if u64_at(&page, 0) != number || flags & (BRANCH | LEAF | OVERFLOW | META | 0x20 | 0x40) != wanted {
            return Err(Fault::Corrupt("a page is not what it should be"));
        }
        let (lower, upper) = (u16_at(&page, 12) as usize, u16_at(&page, 14) as usize);
        if lower < HEADER || !lower.is_multiple_of(2) || lower > upper || upper > self.size {
            return Err(Fault::Corrupt("a page's bounds are wrong"));
        }
        let count = (lower - HEADER) / 2;
        if count == 0 {
            return Err(Fault::Corrupt("a page is empty"));
        }
        let mut entries = 0;
        for index in 0..count {
            let at = u16_at(&page, HEADER + 2 * index) as usize;
            if at < upper || !at.is_multiple_of(2) || at + 8 > self.size {
                return Err(Fault::Corrupt("an entry lies outside its page"));
            }
            let (low, high, flags, key) =
                (u16_at(&page, at), u16_at(&page, at + 2), u16_at(&page, at + 4), u16_at(&page, at + 6) as usize);
            let body = at + 8 + key;
            if body > self.size {
                return Err(Fault::Corrupt("a key lies outside its page"));
            }
            if wanted == BRANCH {
                let child = u64::from(low) | u64::from(high) << 16 | u64::from(flags) << 32;
                entries += self.page(child, depth - 1, free)?;
                continue;
            }
            entries += 1;
            let length = usize::from(low) | usize::from(high) << 16;
            match flags {
                0 if body + length <= self.size => {
                    let value = &page[body..body + length];
                    if free {
                        self.free_list(value)?;
                    } else if &page[at + 8..body] == SETTINGS {
                        self.ours = value.starts_with(FORMAT);
                    }
                }
                BIG if body + 8 <= self.size => {
                    let first = u64_at(&page, body);
                    self.value(first, length)?;
                    if free {
                        let list = self.read(first, HEADER + length)?;
                        self.free_list(&list[HEADER..])?;
                    }
                }
                0 | BIG => return Err(Fault::Corrupt("a value lies outside its page")),
                // Sub-trees and duplicates, which a store has none of.
                _ => return Err(Fault::Foreign("an LMDB file of another program")),
            }
        }
        Ok(entries)
    }

    /// Visits a value on pages of its own.
    fn value(&mut self, number: u64, length: usize) -> Checked<()> {
        let pages = (HEADER + length).div_ceil(self.size) as u64;
        for page in number..number.saturating_add(pages) {
            self.mark(page)?;
        }
        let page = self.read(number, HEADER)?;
        let flags = u16_at(&page, 10);
        if u64_at(&page, 0) != number || flags & OVERFLOW == 0 || u64::from(u32_at(&page, 12)) != pages {
            return Err(Fault::Corrupt("a long value is not what it should be"));
        }
        if (number + pages) * self.size as u64 > self.length {
            return Err(Fault::Corrupt("the file ends too early"));
        }
        Ok(())
    }

    /// Pages that are free must not be in use too, or a write would destroy what is there.
    fn free_list(&mut self, bytes: &[u8]) -> Checked<()> {
        let numbers: Vec<u64> = bytes.chunks_exact(8).map(|chunk| u64_at(chunk, 0)).collect();
        let Some((&count, numbers)) = numbers.split_first() else {
            return Err(Fault::Corrupt("a list of free pages is broken"));
        };
        let Some(numbers) = usize::try_from(count).ok().and_then(|count| numbers.get(..count)) else {
            return Err(Fault::Corrupt("a list of free pages is broken"));
        };
        numbers.iter().try_for_each(|&number| self.mark(number))
    }

    fn mark(&mut self, number: u64) -> Checked<()> {
        if number >= self.pages {
            return Err(Fault::Corrupt("a page lies outside the file"));
        }
        let (word, bit) = ((number / 64) as usize, 1u64 << (number % 64));
        if self.seen[word] & bit != 0 {
            return Err(Fault::Corrupt("a page is in two places"));
        }
        self.seen[word] |= bit;
        Ok(())
    }

    fn read(&mut self, number: u64, length: usize) -> Checked<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.seek(SeekFrom::Start(number * self.size as u64))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]))
}
