//! Files, read and written in pieces: memory does not grow with them, and a destination is whole or untouched.

use super::block::BLOCK;
use super::gunzip::Reader;
use super::{Level, parallel};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::replacement::Replacement;
use crate::sys::fs::advise_sequential;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

pub use super::parallel::Totals;

/// Bytes of compressed input read at once.
const CHUNK: usize = 128 * 1024;
/// Bytes of decompressed output written at once.
const OUTPUT: usize = 512 * 1024;

/// Compresses the file at `source` into `destination`, which may be the same path: one gzip member, the same bytes as
/// [`super::gzip`] gives for its content. `control` knows the file's size and counts what has been compressed.
///
/// # Errors
/// `Io` naming the call as Node does; `InvalidArgument` when the source, or what is at the destination, is no regular
/// file; `Aborted`. The destination is then as it was.
pub fn gzip(source: &Path, destination: &Path, level: Level, control: &Control) -> Result<Totals> {
    let mut file = open(source, control)?;
    let mut replacement = Replacement::create(destination)?;
    let read = |block: &mut Vec<u8>| read_up_to(&mut file, source, BLOCK, block);
    let totals = parallel::compress(level, read, |bytes| replacement.write_all(bytes), control)?;
    control.check()?;
    replacement.commit()?;
    Ok(totals)
}

/// Decompresses every member of the file at `source` into `destination`, which may be the same path, at most `limit`
/// bytes of it.
///
/// # Errors
/// As [`gzip`], and those of [`super::gunzip`].
pub fn gunzip(source: &Path, destination: &Path, limit: u64, control: &Control) -> Result<Totals> {
    let mut file = open(source, control)?;
    let mut replacement = Replacement::create(destination)?;
    let mut reader = Reader::new(limit);
    let (mut input, mut output) = (Vec::with_capacity(CHUNK), vec![0; OUTPUT]);
    let mut totals = Totals::default();
    loop {
        control.check()?;
        input.clear();
        read_up_to(&mut file, source, CHUNK, &mut input)?;
        let mut rest = input.as_slice();
        loop {
            control.check()?;
            let step = reader.step(rest, &mut output)?;
            rest = &rest[step.consumed..];
            replacement.write_all(&output[..step.produced])?;
            totals.bytes_out += step.produced as u64;
            // An output that is full may have more behind it, though the input is used up.
            if rest.is_empty() && step.produced < output.len() {
                break;
            }
        }
        totals.bytes_in += input.len() as u64;
        control.advance(input.len() as u64);
        if input.len() < CHUNK {
            break;
        }
    }
    reader.end()?;
    control.check()?;
    replacement.commit()?;
    Ok(totals)
}

fn open(source: &Path, control: &Control) -> Result<File> {
    control.check()?;
    // Asked before opening: opening a pipe would wait for its writer.
    let kind = fs::metadata(source).map_err(|error| Error::io("open", source, error))?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(Error::InvalidArgument(format!("'{}' is not a regular file", source.display())));
    }
    let file = File::open(source).map_err(|error| Error::io("open", source, error))?;
    advise_sequential(&file);
    control.expect(kind.len());
    Ok(file)
}

/// Appends what comes next, `most` bytes unless the file ends.
fn read_up_to(file: &mut File, source: &Path, most: usize, into: &mut Vec<u8>) -> Result<()> {
    into.reserve(most);
    file.take(most as u64).read_to_end(into).map_err(|error| Error::io("read", source, error))?;
    Ok(())
}
