//! TIFF 6.0 and BigTIFF, all pages: strips and tiles are decoded, mirrored and coded again as they were.
//!
//! The file is edited where it lies, so that every tag, in whatever directory and byte order, stays where offsets
//! inside it expect it. Coded data that no longer fits its place goes to the end of the file.

mod coding;
mod compact;
mod directory;
mod page;
mod predictor;
mod recoded;
mod space;

use super::limits::PixelBudget;
use super::options::{Exact, Flipped, Format, Options};
use super::orientation::Orientation;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use directory::{Directory, Layout, tag};
use page::Page;
use space::Space;
use std::collections::HashSet;

/// Flips every page of a TIFF, reduced-resolution images and masks among them.
///
/// # Errors
/// `ImageUnsupported` for codings other than none, LZW, Deflate and PackBits, unless the file is a single page that
/// [`recoded`] reads; `ImageCorrupt`, `ImageTooLarge` (all pages together), `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let layout = Layout::read(file).ok_or_else(|| corrupt("header"))?;
    let directories = all_directories(file, layout)?;
    match in_place(file, &directories, options, control) {
        // Its pages, were there several, would be lost.
        Err(Error::ImageUnsupported(_)) if has_one_page(file, &directories) => recoded::flip(file, options, control),
        result => result,
    }
}

fn has_one_page(file: &[u8], directories: &[Directory]) -> bool {
    directories.iter().filter(|directory| directory.number(file, tag::WIDTH).is_some()).count() == 1
}

fn in_place(file: &[u8], directories: &[Directory], options: &Options, control: &Control) -> Result<Flipped> {
    let mut space = Space::default();
    directories.iter().for_each(|directory| directory.protect(&mut space));
    let mut budget = PixelBudget::new(options.max_pixels);
    let mut out = file.to_vec();
    let mut size = None;
    for directory in directories {
        let Some(page) = Page::read(file, directory)? else { continue };
        budget.take(page.width, page.height)?;
        let orientation = directory.number(file, tag::ORIENTATION).unwrap_or(1);
        let direction = Orientation::from_tag(u32::try_from(orientation).unwrap_or(1)).stored(options.direction);
        let chunks = page.flip(file, direction, control)?;
        page.store(&mut out, directory, &chunks, &mut space)?;
        directory.remove_false(&mut out);
        size = size.or(Some((page.width, page.height)));
    }
    let bytes = compact::without(&out, &space.holes()).unwrap_or(out);
    let (width, height) = size.ok_or_else(|| corrupt("no page with a picture"))?;
    Ok(Flipped { bytes, format: Format::Tiff, width, height, exact: Exact::All })
}

fn corrupt(what: &str) -> Error {
    Error::ImageCorrupt(format!("TIFF: {what}"))
}

/// The chain of pages and what hangs from them: smaller images, EXIF and GPS data.
fn all_directories(file: &[u8], layout: Layout) -> Result<Vec<Directory>> {
    let mut directories = Vec::new();
    let mut seen = HashSet::new();
    // Directories of an honest file do not overlap; those of a hostile one could, without end.
    let mut entries = 0;
    // Pages go to the back so that the first page comes first.
    let mut pending = std::collections::VecDeque::from([layout.first]);
    while let Some(offset) = pending.pop_front() {
        // A loop in the chain ends it, as in other readers.
        if offset == 0 || !seen.insert(offset) {
            continue;
        }
        let directory = Directory::read(file, layout, offset).ok_or_else(|| corrupt("directory"))?;
        entries += directory.len();
        if entries > file.len() / 12 {
            return Err(corrupt("directories overlap"));
        }
        for tag in [tag::SUB_IFDS, tag::EXIF_IFD, tag::GPS_IFD, tag::INTEROPERABILITY_IFD] {
            if directory.find(tag).is_some_and(|entry| entry.count <= 1024) {
                pending.extend(directory.numbers(file, tag).unwrap_or_default());
            }
        }
        pending.push_back(directory.next);
        directories.push(directory);
    }
    Ok(directories)
}
