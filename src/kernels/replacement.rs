//! A file written beside its destination and renamed over it: readers see the old file or the new one, never a part.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// What is to replace the file at a path. Dropped before [`commit`](Self::commit), it leaves nothing behind.
pub struct Replacement<'a> {
    file: NamedTempFile<File>,
    destination: &'a Path,
}

impl<'a> Replacement<'a> {
    /// Makes the temporary file, in the folder of `destination`, since a rename cannot leave a file system.
    ///
    /// # Errors
    /// `Io` (`open`) naming `destination`.
    pub fn create(destination: &'a Path) -> Result<Self> {
        let folder = destination.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rustcluster-").suffix(".tmp");
        // Opened here, with the permissions of any new file: the crate would make it private, and hide the errno.
        let file = builder.make_in(folder, |path| File::options().write(true).create_new(true).open(path));
        let file = file.map_err(|error| Error::io("open", destination, error))?;
        Ok(Self { file, destination })
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// `Io` (`write`), a full disk among them.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        // Not through the wrapper, which hides the errno.
        self.file.as_file_mut().write_all(bytes).map_err(|error| Error::io("write", self.destination, error))
    }

    /// Puts the file in its place. A destination that exists keeps its permissions; a symbolic link there is replaced,
    /// not followed.
    ///
    /// # Errors
    /// `Io` (`chmod`, `rename`); the destination is then as it was.
    pub fn commit(self) -> Result<()> {
        let Self { file, destination } = self;
        if let Ok(old) = fs::metadata(destination) {
            let set = file.as_file().set_permissions(old.permissions());
            set.map_err(|error| Error::io("chmod", destination, error))?;
        }
        file.persist(destination).map_err(|error| Error::io("rename", destination, error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_committed_leaves_the_destination_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("out");
        fs::write(&destination, "before").unwrap();
        let mut replacement = Replacement::create(&destination).unwrap();
        replacement.write_all(b"half").unwrap();
        drop(replacement);
        assert_eq!(fs::read(&destination).unwrap(), b"before");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_and_a_directory_in_the_way_are_system_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = Replacement::create(&folder.path().join("absent/out")).err().unwrap();
        assert!(matches!(error, Error::Io { syscall: "open", source, .. } if source.raw_os_error().is_some()));
        let replacement = Replacement::create(folder.path()).unwrap();
        let error = replacement.commit().unwrap_err();
        assert!(matches!(error, Error::Io { syscall: "rename", source, .. } if source.raw_os_error().is_some()));
    }
}
