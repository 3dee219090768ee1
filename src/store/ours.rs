//! Whether what lies in a store's folder is ours. Files of ours have common names (`clock`, `turn`) and are written without
//! looking: what somebody else has put there must be found out before, and stays as it is.

use super::check::{self, Found};
use super::folder::{CLOCK, DATA, LMDB_LOCK, LOCK, MEMBERS, TURN};
use super::{clock, turn};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// First bytes of LMDB's lock file (`MDB_MAGIC` of mdb.c), once LMDB has begun it.
const LOCK_MAGIC: [u8; 4] = 0xBEEF_C0DE_u32.to_ne_bytes();
/// Files that are reserved by a process which is killed meanwhile have whole blocks of it.
const BLOCK: u64 = 4096;
/// What the root of a file system of its own may have.
const LOST: &str = "lost+found";

/// Checks a folder before anything of ours is made in it.
///
/// # Errors
/// `StoreForeign` for one that has other things and no store; else as [`prepared`].
pub fn folder(path: &Path) -> Result<()> {
    let mut names = names(path)?;
    names.retain(|name| name != LOST);
    // The lock is the first of our files and stays to the last: where it is, the others are to be looked at under it.
    // Asked for after the names, so that one who makes the store at this moment is no stranger.
    if names.is_empty() || is_file(path, LOCK)? {
        return Ok(());
    }
    // A store of which somebody has kept the data alone.
    if is_file(path, DATA)? && check::data_file(&path.join(DATA))? == Found::Ours {
        return Ok(());
    }
    Err(foreign(path, "a folder with other things and no store"))
}

/// Checks all that lies in a folder, under its lock, before it is written.
///
/// # Errors
/// `StoreForeign` for what is somebody else's, `StoreCorrupt` for a broken data file, else what the system answers.
pub fn contents(path: &Path) -> Result<()> {
    let found = if is_file(path, DATA)? { check::data_file(&path.join(DATA))? } else { Found::Nothing };
    let ours = [DATA, LMDB_LOCK, LOCK, CLOCK, TURN, MEMBERS, LOST];
    // Whatever else is there was added to a store, or was there before one could be begun.
    if found == Found::Nothing
        && let Some(other) = names(path)?.iter().find(|name| !ours.iter().any(|ours| name == ours))
    {
        return Err(foreign(&path.join(other), "a folder with other things and no store"));
    }
    shaped(path, LOCK, |_, length| Ok(length == 0))?;
    shaped(path, CLOCK, |_, length| Ok(length <= clock::BYTES && length.is_multiple_of(BLOCK)))?;
    shaped(path, TURN, |mut file, length| {
        let mut bytes = Vec::new();
        file.by_ref().take(turn::BYTES + 1).read_to_end(&mut bytes)?;
        // Its one word, and zeros.
        Ok(length == 0 || length == turn::BYTES && bytes.iter().skip(4).all(|&byte| byte == 0))
    })?;
    shaped(path, LMDB_LOCK, |mut file, length| {
        let mut magic = [0; 4];
        // Zero where it was reserved and not begun.
        Ok(length == 0 || file.read_exact(&mut magic).is_ok() && (magic == [0; 4] || magic == LOCK_MAGIC))
    })?;
    match fs::symlink_metadata(path.join(MEMBERS)) {
        Ok(found) if !found.is_dir() => Err(foreign(&path.join(MEMBERS), "not the folder that it should be")),
        _ => Ok(()),
    }
}

/// Whether a file of that name is there; anything else of that name is somebody else's, a symbolic link too: what it
/// leads to would be written.
pub fn is_file(path: &Path, name: &str) -> Result<bool> {
    let name = path.join(name);
    match fs::symlink_metadata(&name) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(foreign(&name, "not the file that it should be")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("stat", &name, error)),
    }
}

fn shaped(path: &Path, name: &str, fits: impl FnOnce(File, u64) -> io::Result<bool>) -> Result<()> {
    if !is_file(path, name)? {
        return Ok(());
    }
    let name = path.join(name);
    let read = || {
        let file = File::open(&name)?;
        let length = file.metadata()?.len();
        fits(file, length)
    };
    match read() {
        Ok(true) => Ok(()),
        Ok(false) => Err(foreign(&name, "a file of something else")),
        Err(error) => Err(Error::io("read", &name, error)),
    }
}

fn names(path: &Path) -> Result<Vec<std::ffi::OsString>> {
    let list = || fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
    list().map_err(|error| Error::io("readdir", path, error))
}

fn foreign(path: &Path, what: &str) -> Error {
    Error::StoreForeign(format!("{what}, '{}'", path.display()))
}
