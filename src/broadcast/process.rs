//! The one ring of this process: inherited from the primary that forked it, or made when first asked for.

use super::ring::Ring;
use crate::sys::process::adopt;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::parent_id;
use std::sync::{Arc, Mutex, PoisonError};

/// The variable by which a primary tells a worker which descriptors it inherits: memory, bell, knocker, and the primary's
/// process id, so that a worker's own children, which may inherit the variable, do not believe it.
pub const VARIABLE: &str = "RUSTCLUSTER_RING";

/// Never let go of: its mutexes may be held by any thread until the process ends.
static RING: Mutex<Option<Arc<Ring>>> = Mutex::new(None);

/// The ring; `seat` is what [`VARIABLE`] said in case the system cannot tell, `size` that of a new one.
///
/// # Errors
/// As [`Ring::create`]; as [`Ring::open`] and `NotFound` for one this process should have inherited: one of its own would
/// cut it off from all others without a word.
pub fn ring(seat: Option<&str>, size: u64) -> io::Result<Arc<Ring>> {
    let mut ring = RING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ring) = &*ring {
        return Ok(Arc::clone(ring));
    }
    let inherited = initial_variable().or_else(|| seat.map(str::to_owned));
    let made = match inherited.as_deref().and_then(seat_of) {
        Some(descriptors) => inherit(&descriptors)?,
        None => Ring::create(size)?,
    };
    Ok(Arc::clone(ring.insert(Arc::new(made))))
}

/// The ring if there is one yet.
pub fn existing() -> Option<Arc<Ring>> {
    RING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What the variable said when this process was started: a worker thread's `process.env` need not have it any more.
fn initial_variable() -> Option<String> {
    let environment = std::fs::read("/proc/self/environ").ok()?;
    let prefix = format!("{VARIABLE}=");
    let line = environment.split(|&byte| byte == 0).find(|line| line.starts_with(prefix.as_bytes()))?;
    String::from_utf8(line[prefix.len()..].to_vec()).ok()
}

/// The descriptors, when they are meant for this process.
fn seat_of(text: &str) -> Option<Vec<u32>> {
    let mut parts = text.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
    (parts.pop()? == parent_id()).then_some(parts)
}

/// # Errors
/// `NotFound` for others than a primary of this version lends.
fn inherit(descriptors: &[u32]) -> io::Result<Ring> {
    let &[memory, bell, knocker] = descriptors else { return Err(io::ErrorKind::NotFound.into()) };
    let are_bells = [bell, knocker].iter().all(|&fd| is(fd, "anon_inode:[eventfd]"));
    if !is(memory, "/memfd:rustcluster-broadcast") || !are_bells {
        return Err(io::ErrorKind::NotFound.into());
    }
    let take = |fd| RawFd::try_from(fd).map_err(|_| io::Error::from(io::ErrorKind::NotFound)).and_then(adopt);
    let memory = take(memory)?;
    Ring::open(memory, take(bell)?, take(knocker)?)
}

/// Whether a descriptor is what it should be, before it is taken over; trusted where there is no /proc.
fn is(fd: u32, what: &str) -> bool {
    let target = std::fs::read_link(format!("/proc/self/fd/{fd}"));
    target.map_or(true, |target| target.to_string_lossy().starts_with(what))
}
