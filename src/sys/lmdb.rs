//! Opening an LMDB environment, which heed calls unsafe: the file is mapped, and whoever changes it from outside
//! changes memory under Rust's feet.

use heed::{Env, EnvFlags, EnvOpenOptions, WithTls};
use std::path::Path;

/// Readers that can exist at once, over all processes: one for each thread that has ever read.
pub const READERS: u32 = 2048;

/// Bytes of the lock file for [`READERS`] (`MDB_txninfo` of at most three cache lines, then one line a reader).
pub const LOCK_BYTES: u64 = 256 + 64 * READERS as u64;

/// Opens the environment in the folder `path`, of at most `map_size` bytes (a multiple of the page size).
///
/// `sync`: a commit returns after fdatasync(2). Without it a commit outlives the process, not a loss of power.
/// The map is never written through (no MDB_WRITEMAP): where the file system is full, a write fails with ENOSPC and no
/// access raises SIGBUS.
///
/// The caller makes sure that the file is a whole LMDB file (`store::check`), and that only LMDB writes it.
///
/// # Errors
/// LMDB's own, `EnvAlreadyOpened` for a folder this process has open.
pub fn open(path: &Path, map_size: usize, sync: bool) -> heed::Result<Env<WithTls>> {
    // Values are written whole: memory LMDB hands out need not be zeroed first. Reads jump about: no read-ahead.
    let mut flags = EnvFlags::NO_READ_AHEAD;
    if !sync {
        flags |= EnvFlags::NO_SYNC;
    }
    let mut options = EnvOpenOptions::new();
    options.map_size(map_size).max_readers(READERS).max_dbs(0);
    // SAFETY: none of these flags gives up LMDB's own locking or writes through the map. NO_SYNC can break the file
    // when the machine loses power; it is opened again only after it has been checked.
    unsafe { options.flags(flags) };
    // SAFETY: the folder is private to its user (mode 0700) and named as a store; nobody but LMDB writes the data file,
    // and the caller has checked its structure. heed refuses to open it twice in one process.
    unsafe { options.open(path) }
}
