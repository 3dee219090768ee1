//! What lies around the LMDB file in a store's folder.
//!
//! ```text
//! data.mdb, lock.mdb   LMDB's
//! store.lock           locked (flock) by every process that has the store open: shared, or exclusively by the first
//!                      while it looks the file over
//! clock                the evictor's bits
//! turn                 who writes at this moment ([`turn`](super::turn))
//! members/             one file for each that runs `getOrSet`, locked while it lives
//! ```
//! The kernel drops these locks with the process, however it ends, and sees them across containers that share a folder.

use super::turn::{self, Turn};
use super::{clock, ours};
use crate::error::{Error, Result};
use crate::sys::{fs as sysfs, lmdb};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// LMDB's data file.
pub const DATA: &str = "data.mdb";
/// What tells that a store is open.
pub const LOCK: &str = "store.lock";
/// LMDB's lock file.
pub const LMDB_LOCK: &str = "lock.mdb";
/// The evictor's bits.
pub const CLOCK: &str = "clock";
/// Who writes.
pub const TURN: &str = "turn";
/// Those that run `getOrSet`.
pub const MEMBERS: &str = "members";

/// A store's folder, entered.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: File,
    alone: bool,
}

impl Folder {
    /// Makes the folder if need be and waits until nobody is looking its file over; the first to come does so itself.
    ///
    /// # Errors
    /// `StoreForeign`, `StoreCorrupt`; `StoreFull` when not even the lock file fits; what the system answers.
    pub fn enter(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                return Err(Error::StoreForeign(format!("'{}' is not a folder", path.display())));
            }
            Ok(_) => {}
            Err(_) => make_folder(path)?,
        }
        ours::folder(path)?;
        let name = path.join(LOCK);
        let lock = open(&name)?;
        let alone = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                lock.lock_shared().map_err(|error| Error::io("flock", &name, error))?;
                false
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("flock", &name, error)),
        };
        let folder = Self { path: path.to_owned(), lock, alone };
        if alone {
            folder.prepare()?;
        }
        Ok(folder)
    }

    /// As the first: nobody else has the store open.
    fn prepare(&self) -> Result<()> {
        ours::contents(&self.path)?;
        // LMDB would make its lock file with a hole where the readers go, and touching a hole of a full tmpfs is a
        // SIGBUS. It takes over what is long enough.
        reserve(&self.path.join(LMDB_LOCK), lmdb::LOCK_BYTES)?;
        reserve(&self.path.join(CLOCK), clock::BYTES)?;
        reserve(&self.path.join(TURN), turn::BYTES)?;
        for found in fs::read_dir(self.path.join(MEMBERS)).into_iter().flatten().flatten() {
            // A leftover of a process that is gone; if it cannot be removed it does no harm.
            if is_member(&found) {
                let _ = fs::remove_file(found.path());
            }
        }
        Ok(())
    }

    /// Whether no other process had the store open when this one entered.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Lets the others in.
    ///
    /// # Errors
    /// What flock(2) answers.
    pub fn share(&self) -> Result<()> {
        self.lock.lock_shared().map_err(|error| Error::io("flock", &self.path.join(LOCK), error))
    }

    /// The evictor's bits.
    ///
    /// # Errors
    /// What opening and mapping the file answer.
    pub fn clock(&self) -> Result<clock::Clock> {
        let name = self.path.join(CLOCK);
        open(&name).and_then(|file| clock::Clock::open(&file).map_err(|error| Error::io("mmap", &name, error)))
    }

    /// Who writes at this moment.
    ///
    /// # Errors
    /// What opening and mapping the file answer.
    pub fn turn(&self) -> Result<Turn> {
        let name = self.path.join(TURN);
        open(&name).and_then(|file| Turn::open(&file).map_err(|error| Error::io("mmap", &name, error)))
    }

    /// A new member of the store.
    ///
    /// # Errors
    /// What making and locking its file answer.
    pub fn join(&self) -> Result<Member> {
        let folder = self.path.join(MEMBERS);
        fs::create_dir_all(&folder).map_err(|error| Error::io("mkdir", &folder, error))?;
        loop {
            let id = random();
            let name = member(&self.path, id);
            match OpenOptions::new().write(true).create_new(true).open(&name) {
                Ok(file) => {
                    file.try_lock().map_err(|error| Error::io("flock", &name, error.into()))?;
                    return Ok(Member { id, name, _file: file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("open", &name, error)),
            }
        }
    }

    /// Whether member `id` lives.
    pub fn is_alive(&self, id: u64) -> bool {
        let Ok(file) = OpenOptions::new().write(true).open(member(&self.path, id)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// One that runs `getOrSet`; dropped, or with its process, it is dead.
#[derive(Debug)]
pub struct Member {
    id: u64,
    name: PathBuf,
    _file: File,
}

impl Member {
    /// Its number, one of 2^64 by chance.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // The lock tells; the file would only be litter.
        let _ = fs::remove_file(&self.name);
    }
}

fn member(store: &Path, id: u64) -> PathBuf {
    store.join(MEMBERS).join(format!("{id:016x}"))
}

/// Whether it is a file that [`Folder::join`] has made.
fn is_member(found: &fs::DirEntry) -> bool {
    let hex = |name: &str| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    found.file_name().to_str().is_some_and(hex) && found.metadata().is_ok_and(|file| file.is_file() && file.len() == 0)
}

/// Sixty-four bits that no other process has: std seeds its hasher from the system.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

fn make_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| full_or("mkdir", path, error))
}

fn open(name: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Never what a symbolic link leads to, were one made after we looked.
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
    }
    options.open(name).map_err(|error| full_or("open", name, error))
}

fn reserve(name: &Path, bytes: u64) -> Result<()> {
    let file = open(name)?;
    sysfs::reserve(&file, bytes).map_err(|error| full_or("fallocate", name, error))
}

fn full_or(syscall: &'static str, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::StoreFull(format!("{error}, at '{}'", path.display()))
        }
        _ => Error::io(syscall, path, error),
    }
}
