//! Where stores live that die with their primary: a folder named after its process, in shared memory if there is some.

use super::folder::LOCK;
use crate::error::{Error, Result};
use crate::sys::fs::free_bytes;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A folder with less room than this is passed over for the next.
const ROOM: u64 = 4 << 20;
/// How such folders' names begin.
pub const PREFIX: &str = "rustcluster-store-";

/// The process a root belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it started, in the system's ticks; 0 where that cannot be told. Numbers come round, times do not.
    pub started: u64,
}

impl Owner {
    /// The process with this number, if it runs.
    pub fn of(pid: u32) -> Option<Self> {
        #[cfg(target_os = "linux")]
        {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The second field is the program's name in brackets and may hold anything; the 22nd is the time. Z is a
            // process that has ended and was not waited for.
            let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
            if fields.next() == Some("Z") {
                return None;
            }
            let started = fields.nth(18)?.parse().ok()?;
            Some(Self { pid, started })
        }
        #[cfg(not(target_os = "linux"))]
        {
            Some(Self { pid, started: 0 })
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let (pid, started) = name.strip_prefix(PREFIX)?.split_once('-')?;
        Some(Self { pid: pid.parse().ok()?, started: started.parse().ok()? })
    }

    fn name(self) -> String {
        format!("{PREFIX}{}-{}", self.pid, self.started)
    }

    fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }
}

/// The root of process `pid` in the first of `candidates` where it is or can be made. All of its processes find the
/// same one: the first to look makes it, and one that is there is taken.
///
/// # Errors
/// `StoreFull` where there is a place and no room, `StoreUnavailable` when none of them can be written.
pub fn root_of(pid: u32, candidates: &[PathBuf]) -> Result<PathBuf> {
    let owner = Owner::of(pid).unwrap_or(Owner { pid, started: 0 });
    let paths: Vec<PathBuf> = candidates.iter().map(|folder| folder.join(owner.name())).collect();
    if let Some(found) = paths.iter().find(|path| is_ours(path)) {
        return Ok(found.clone());
    }
    let (mut reason, mut full) = ("no folder was given".to_owned(), None);
    for (path, folder) in paths.iter().zip(candidates) {
        sweep(folder);
        if free_bytes(folder).is_some_and(|free| free < ROOM) {
            full = Some(format!("'{}' has less than {ROOM} bytes left", folder.display()));
            continue;
        }
        match make(path) {
            Ok(()) => {}
            Err(error) => {
                reason = format!("'{}': {error}", path.display());
                continue;
            }
        }
        // Another process may have found an earlier candidate to have room, a moment ago.
        let earlier = paths.iter().find(|other| is_ours(other)).unwrap_or(path);
        if earlier != path {
            let _ = fs::remove_dir(path);
        }
        return Ok(earlier.clone());
    }
    // Room may come back at any time, and then another process would find it: that is no reason to do without.
    Err(full.map_or(Error::StoreUnavailable(reason), Error::StoreFull))
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && is_ours(path) => Ok(()),
        done => done,
    }
}

/// Whether a folder is there, and nobody else's: in a folder that all may write another user could have made it.
fn is_ours(path: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = fs::metadata("/proc/self").map_or(found.uid(), |own| own.uid());
        if found.uid() != own || found.mode() & 0o077 != 0 {
            return false;
        }
    }
    found.is_dir()
}

/// Removes roots in `folder` whose process is gone, however it ended, and which nobody has open (as a container that
/// shares the folder but not the process numbers may).
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(Owner::parse);
        if owner.is_some_and(|owner| !owner.lives()) && is_ours(&entry.path()) && is_idle(&entry.path()) {
            // Another start may be at it too; what stays is for the next.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the root of process `pid` wherever it is: its process ends.
pub fn remove(pid: u32, candidates: &[PathBuf]) {
    let Some(owner) = Owner::of(pid) else { return };
    for folder in candidates {
        let path = folder.join(owner.name());
        if is_ours(&path) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_idle(root: &Path) -> bool {
    fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .all(|store| File::open(store.path().join(LOCK)).map_or(true, |lock| lock.try_lock().is_ok()))
}
