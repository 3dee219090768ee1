//! A file written beside its destination and renamed over it: readers see the old file or the new one, never a part.

use crate::error::{Error, Result};
#[cfg(target_os = "linux")]
use crate::sys::fs::{name, open_nameless};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// What is to replace the file at a path. Dropped before [`commit`](Self::commit), it leaves nothing behind.
pub struct Replacement<'a> {
    file: Temporary,
    folder: &'a Path,
    destination: &'a Path,
}

enum Temporary {
    /// It has no name before it is whole: of a process that is killed meanwhile nothing is left.
    #[cfg(target_os = "linux")]
    Nameless(File),
    /// Where there are no such files.
    Named(NamedTempFile<File>),
}

impl<'a> Replacement<'a> {
    /// Makes the temporary file, in the folder of `destination`, since a rename cannot leave a file system.
    ///
    /// # Errors
    /// `Io` (`open`) naming `destination`, a directory there among them; `InvalidArgument` when it is a device, a pipe or
    /// a socket: a rename would put a file in its place.
    pub fn create(destination: &'a Path) -> Result<Self> {
        existing(destination)?;
        let folder = destination.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = Temporary::create(folder).map_err(|error| Error::io("open", destination, error))?;
        Ok(Self { file, folder, destination })
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// `Io` (`write`), a full disk among them.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.as_file().write_all(bytes).map_err(|error| Error::io("write", self.destination, error))
    }

    /// Puts the file in its place. A destination that exists keeps its permissions; a symbolic link there is replaced,
    /// not followed.
    ///
    /// # Errors
    /// As [`create`](Self::create), and `Io` (`chmod`, `link`, `rename`); the destination is then as it was.
    pub fn commit(self) -> Result<()> {
        let Self { file, folder, destination } = self;
        if let Some(old) = existing(destination)? {
            let set = file.as_file().set_permissions(old.permissions());
            set.map_err(|error| Error::io("chmod", destination, error))?;
        }
        let renamed = match file {
            #[cfg(target_os = "linux")]
            Temporary::Nameless(file) => {
                let named = temporary(folder, |path| name(&file, path));
                named.map_err(|error| Error::io("link", destination, error))?.persist(destination).map_err(|e| e.error)
            }
            Temporary::Named(file) => file.persist(destination).map(drop).map_err(|error| error.error),
        };
        renamed.map_err(|error| Error::io("rename", destination, error))
    }
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        // A failure here is told by the other way of making a file, if that fails as well.
        #[cfg(target_os = "linux")]
        if let Ok(file) = open_nameless(folder) {
            return Ok(Self::Nameless(file));
        }
        Self::named(folder)
    }

    fn named(folder: &Path) -> io::Result<Self> {
        // Opened here, with the permissions of any new file: the crate would make it private, and hide the errno.
        temporary(folder, |path| File::options().write(true).create_new(true).open(path)).map(Self::Named)
    }

    fn as_file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            // Not the wrapper, whose writing hides the errno.
            Self::Named(file) => file.as_file(),
        }
    }
}

/// Has `make` make something at a path in `folder` that nothing else has.
fn temporary<T>(folder: &Path, make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<NamedTempFile<T>> {
    tempfile::Builder::new().prefix(".rustcluster-").suffix(".tmp").make_in(folder, make)
}

/// What is at `destination`: nothing, or a file that may be replaced.
fn existing(destination: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(destination) {
        Ok(old) if old.is_file() => Ok(Some(old)),
        Ok(old) if old.is_dir() => Err(Error::io("open", destination, io::Error::from_raw_os_error(libc::EISDIR))),
        Ok(_) => Err(Error::InvalidArgument(format!("'{}' is not a regular file", destination.display()))),
        // Whatever keeps it from being looked at will be told by what is done next.
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// A replacement of either kind, as far as there are both here.
    fn of_each_kind(check: impl Fn(&Path, Replacement)) {
        for kind in [Temporary::create, Temporary::named] {
            let folder = tempfile::tempdir().unwrap();
            let destination = folder.path().join("out");
            fs::write(&destination, "before").unwrap();
            let file = kind(folder.path()).unwrap();
            check(&destination, Replacement { file, folder: folder.path(), destination: &destination });
            assert_eq!(names(folder.path()), ["out"]);
        }
    }

    #[test]
    fn what_is_not_committed_leaves_the_destination_and_no_temporary_file() {
        of_each_kind(|destination, mut replacement| {
            replacement.write_all(b"half").unwrap();
            drop(replacement);
            assert_eq!(fs::read(destination).unwrap(), b"before");
        });
    }

    #[test]
    fn what_is_committed_stands_in_the_place_of_the_old() {
        of_each_kind(|destination, mut replacement| {
            replacement.write_all(b"after").unwrap();
            replacement.commit().unwrap();
            assert_eq!(fs::read(destination).unwrap(), b"after");
        });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_killed_process_would_leave_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("out");
        if open_nameless(folder.path()).is_err() {
            return eprintln!("skipped: no nameless files in {}", folder.path().display());
        }
        let mut replacement = Replacement::create(&destination).unwrap();
        replacement.write_all(b"half").unwrap();
        assert!(names(folder.path()).is_empty());
        replacement.commit().unwrap();
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_missing_folder_and_a_directory_in_the_way_are_system_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = Replacement::create(&folder.path().join("absent/out")).err().unwrap();
        assert!(matches!(error, Error::Io { syscall: "open", source, .. } if source.raw_os_error().is_some()));
        let error = Replacement::create(folder.path()).err().unwrap();
        assert!(
            matches!(error, Error::Io { syscall: "open", source, .. } if source.raw_os_error() == Some(libc::EISDIR))
        );
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_replaced_whenever_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let (destination, link) = (folder.path().join("socket"), folder.path().join("link"));
        let replacement = Replacement::create(&destination).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&destination).unwrap();
        std::os::unix::fs::symlink(&destination, &link).unwrap();
        let errors = [
            replacement.commit().unwrap_err(),
            Replacement::create(&destination).err().unwrap(),
            Replacement::create(&link).err().unwrap(),
        ];
        for error in errors {
            assert_eq!(error.code(), Some("ERR_INVALID_ARG_VALUE"), "{error}");
        }
        assert!(!fs::metadata(&destination).unwrap().is_file());
    }

    #[test]
    #[cfg(unix)]
    fn the_destination_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("out");
        fs::write(&destination, "before").unwrap();
        fs::set_permissions(&destination, fs::Permissions::from_mode(0o640)).unwrap();
        let mut replacement = Replacement::create(&destination).unwrap();
        replacement.write_all(b"after").unwrap();
        replacement.commit().unwrap();
        assert_eq!(fs::metadata(&destination).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&destination).unwrap(), b"after");
    }
}
