//! Digests of files, read in pieces of one fixed size: memory does not grow with the file.

use super::algorithm::Algorithm;
use super::hasher::Hasher;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::sys::fs::{advise_sequential, wait_readable};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

/// Bytes per read: long enough to make the system call vanish, short enough to stay in a core's own cache.
pub(super) const CHUNK: usize = 128 * 1024;
/// How long an abort may go unseen while a pipe has nothing to read.
const PIPE_PATIENCE: Duration = Duration::from_millis(50);

/// A file being read from front to back.
pub(super) struct Source<'a> {
    file: File,
    path: &'a Path,
    /// Whether a read may wait for somebody else: a pipe or a device, not a file on disk.
    may_wait: bool,
}

impl<'a> Source<'a> {
    /// Opens `path`.
    ///
    /// # Errors
    /// `Io` naming the call as Node does.
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        let file = open_without_waiting(path).map_err(|source| Error::io("open", path, source))?;
        let kind = file.metadata().map_err(|source| Error::io("fstat", path, source))?.file_type();
        let may_wait = !kind.is_file() && !kind.is_dir();
        if !may_wait {
            advise_sequential(&file);
        }
        Ok(Self { file, path, may_wait })
    }

    /// Reads what comes next into `buffer`, filling it unless the file ends: 0 is the end.
    ///
    /// # Errors
    /// `Io` (a directory: `EISDIR` from `read`), `Aborted` while waiting for a pipe.
    pub(super) fn read(&mut self, buffer: &mut [u8], control: &Control) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.may_wait {
                self.wait(control)?;
            }
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => return Err(Error::io("read", self.path, error)),
            }
        }
        Ok(filled)
    }

    fn wait(&self, control: &Control) -> Result<()> {
        loop {
            control.check()?;
            if wait_readable(&self.file, PIPE_PATIENCE).map_err(|source| Error::io("poll", self.path, source))? {
                return Ok(());
            }
        }
    }
}

/// Opens without waiting for a pipe's writer: a job that waits inside `open` could not be aborted.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// The digest of a file's bytes, read in chunks: memory does not grow with the file.
///
/// `control` counts the bytes read.
///
/// # Errors
/// `Io` with Node's names for the call (`open`, `read`), `Aborted`, and `InvalidArgument` as [`Hasher::new`].
pub fn file(algorithm: Algorithm, path: &Path, control: &Control) -> Result<Vec<u8>> {
    control.check()?;
    let mut hasher = Hasher::new(algorithm)?;
    let mut source = Source::open(path)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = source.read(&mut buffer, control)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..count]);
        control.advance(count as u64);
        control.check()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::hash::digest;

    #[test]
    fn equals_the_digest_of_the_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
            let data: Vec<u8> = (0..length).map(|i| (i % 253) as u8).collect();
            std::fs::write(&path, &data).expect("written");
            for algorithm in Algorithm::ALL {
                let control = Control::new();
                let got = file(algorithm, &path, &control).expect("a digest");
                assert_eq!(got, digest(algorithm, &data, &Control::new()).expect("a digest"));
                assert_eq!(control.done(), length as u64);
            }
        }
    }

    #[test]
    fn missing_files_and_directories_say_which_call_failed() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = file(Algorithm::Sha256, &folder.path().join("none"), &Control::new()).expect_err("missing");
        assert!(matches!(&missing, Error::Io { syscall: "open", source, .. } if source.kind() == ErrorKind::NotFound));
        let directory = file(Algorithm::Sha256, folder.path(), &Control::new()).expect_err("a directory");
        assert!(
            matches!(&directory, Error::Io { syscall: "read", source, .. } if source.kind() == ErrorKind::IsADirectory)
        );
    }

    #[test]
    fn an_aborted_control_stops_the_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        std::fs::write(&path, vec![0; 1 << 20]).expect("written");
        let control = Control::new();
        control.abort();
        assert!(matches!(file(Algorithm::Sha256, &path, &control), Err(Error::Aborted)));
        assert_eq!(control.done(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_without_a_writer_can_be_aborted_and_one_with_is_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("started").success());

        let control = Control::new();
        std::thread::scope(|scope| {
            let job = scope.spawn(|| file(Algorithm::Sha256, &path, &control));
            control.abort();
            assert!(matches!(job.join().expect("no panic"), Err(Error::Aborted)));
        });

        let data = vec![5; 300_000];
        let got = std::thread::scope(|scope| {
            let job = scope.spawn(|| file(Algorithm::Sha256, &path, &Control::new()));
            std::fs::write(&path, &data).expect("written");
            job.join().expect("no panic").expect("a digest")
        });
        assert_eq!(got, digest(Algorithm::Sha256, &data, &Control::new()).expect("a digest"));
    }
}
