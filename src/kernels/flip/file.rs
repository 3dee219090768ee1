//! Flips one file into another, so that the destination is whole or untouched.

use super::jpeg::lossless;
use super::{Exact, Format, Options};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::replacement::Replacement;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// The largest file that is read: an encoded picture beyond it is no picture.
const MAX_FILE: u64 = 2 << 30;

/// What was read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The format of both files.
    pub format: Format,
    /// Stored width in pixels.
    pub width: u32,
    /// Stored height in pixels.
    pub height: u32,
    /// How much of it is exactly the source's, mirrored.
    pub exact: Exact,
    /// Size of the source in bytes.
    pub bytes_in: u64,
    /// Size of the destination in bytes.
    pub bytes_out: u64,
}

/// Flips the image at `source` into `destination`, which may be the same path.
///
/// The result is written beside `destination` and renamed over it: readers see the old file or the new one, and an
/// error or an abort leaves the old one. A destination that exists keeps its permissions; a symbolic link there is
/// replaced, not followed.
///
/// # Errors
/// `Io` for a failed call; those of [`super::flip`]; `InvalidArgument` when the source, or what is at the
/// destination, is no regular file; `ImageTooLarge` when the source is larger than 2 GiB.
pub fn flip(source: &Path, destination: &Path, options: &Options, control: &Control) -> Result<Written> {
    let input = read(source)?;
    control.check()?;
    // Before the work: a destination that cannot be written need not wait for it.
    let mut replacement = Replacement::create(destination)?;
    let flipped = super::flip(&input, options, control)?;
    control.check()?;
    replacement.write_all(&flipped.bytes)?;
    replacement.commit()?;
    let written = Written {
        format: flipped.format,
        width: flipped.width,
        height: flipped.height,
        exact: flipped.exact,
        bytes_in: input.len() as u64,
        bytes_out: flipped.bytes.len() as u64,
    };
    if written.format == Format::Jpeg {
        lossless::recycle(flipped.bytes);
    }
    Ok(written)
}

fn read(source: &Path) -> Result<Vec<u8>> {
    // Asked before opening: opening a pipe would wait for its writer.
    let kind = fs::metadata(source).map_err(|error| Error::io("open", source, error))?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(Error::InvalidArgument(format!("'{}' is not a regular file", source.display())));
    }
    let mut file = File::open(source).map_err(|error| Error::io("open", source, error))?;
    if kind.len() > MAX_FILE && kind.is_file() {
        return Err(Error::ImageTooLarge(format!("the file has {} bytes, the limit is {MAX_FILE}", kind.len())));
    }
    let mut input = Vec::new();
    file.read_to_end(&mut input).map_err(|error| Error::io("read", source, error))?;
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_flip_leaves_the_destination_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let (source, destination) = (folder.path().join("in"), folder.path().join("out"));
        fs::write(&source, "no image").unwrap();
        fs::write(&destination, "before").unwrap();
        let error = flip(&source, &destination, &Options::default(), &Control::new()).unwrap_err();
        assert_eq!(error.code(), Some("ERR_IMAGE_UNSUPPORTED"));
        assert_eq!(fs::read(&destination).unwrap(), b"before");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_and_a_missing_file_are_named_as_the_system_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let flip = |source: &Path| flip(source, &folder.path().join("out"), &Options::default(), &Control::new());
        match flip(folder.path()).unwrap_err() {
            Error::Io { syscall, source, .. } => {
                assert_eq!((syscall, source.raw_os_error()), ("read", Some(libc::EISDIR)))
            }
            other => panic!("{other}"),
        }
        match flip(&folder.path().join("absent")).unwrap_err() {
            Error::Io { syscall, source, .. } => {
                assert_eq!((syscall, source.raw_os_error()), ("open", Some(libc::ENOENT)))
            }
            other => panic!("{other}"),
        }
    }
}
