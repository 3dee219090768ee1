//! The stores this process has open: each folder once, however many threads and copies of the JavaScript ask for it.

use super::engine::{Engine, Settings};
use super::folder::Member;
use super::op::Op;
use super::writer::{self, Desk, Writer};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

struct Open {
    engine: Arc<Engine>,
    writer: Arc<Writer>,
    handles: usize,
}

fn registry() -> MutexGuard<'static, HashMap<PathBuf, Open>> {
    static STORES: OnceLock<Mutex<HashMap<PathBuf, Open>>> = OnceLock::new();
    STORES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// One opening of a store. The last one dropped closes it.
pub struct Handle {
    path: PathBuf,
    engine: Option<Arc<Engine>>,
    writer: Option<Arc<Writer>>,
    member: Option<Member>,
}

impl Handle {
    /// Opens the store in `path`, or joins those of this process who have it open.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(path: &Path, settings: Settings) -> Result<Self> {
        let mut stores = registry();
        // Symbolic links lead to one name; a folder that is not there yet has its parent's.
        let path = std::path::absolute(path).map_err(|error| Error::io("open", path, error))?;
        let known = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if let Some(open) = stores.get_mut(&known) {
            let found = *open.engine.settings();
            if found != settings {
                let text = format!("this process has the store open with other settings: {found:?}, not {settings:?}");
                return Err(Error::InvalidArgument(text));
            }
            open.handles += 1;
            let (engine, writer) = (Arc::clone(&open.engine), Arc::clone(&open.writer));
            return Ok(Self { path: known, engine: Some(engine), writer: Some(writer), member: None });
        }
        let engine = Arc::new(Engine::open(&path, settings)?);
        let writer = Writer::start(Arc::clone(&engine)).map_err(|error| Error::io("thread", &path, error))?;
        let writer = Arc::new(writer);
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        stores.insert(path.clone(), Open { engine: Arc::clone(&engine), writer: Arc::clone(&writer), handles: 1 });
        Ok(Self { path, engine: Some(engine), writer: Some(writer), member: None })
    }

    /// The store.
    ///
    /// # Errors
    /// `StoreClosed` after [`close`](Self::close).
    pub fn engine(&self) -> Result<&Engine> {
        self.engine.as_deref().ok_or(Error::StoreClosed)
    }

    /// The store, to be let go of before [`close`](Self::close).
    ///
    /// # Errors
    /// As [`engine`](Self::engine).
    pub fn shared_engine(&self) -> Result<&Arc<Engine>> {
        self.engine.as_ref().ok_or(Error::StoreClosed)
    }

    /// Hands a write in.
    ///
    /// # Errors
    /// `StoreClosed` after [`close`](Self::close); `desk` then hears nothing.
    pub fn submit(&self, desk: &Arc<dyn Desk>, id: u32, op: Op) -> Result<()> {
        self.writer.as_ref().ok_or(Error::StoreClosed)?.submit(desk, id, op);
        Ok(())
    }

    /// Applies a write at once where that takes microseconds; `None`: it is to be handed in.
    pub fn at_once(&self, op: &Op) -> Option<Result<f64>> {
        writer::at_once(self.engine.as_deref()?, op)
    }

    /// This handle's number as one that runs `getOrSet`.
    ///
    /// # Errors
    /// `StoreClosed`; what making its file answers.
    pub fn member(&mut self) -> Result<u64> {
        if self.member.is_none() {
            self.member = Some(self.engine()?.folder().join()?);
        }
        Ok(self.member.as_ref().map_or(0, Member::id))
    }

    /// Ends this handle's membership: its runs count as those of the dead, and the next gets another number.
    pub fn leave(&mut self) {
        self.member = None;
    }

    /// Lets go of the store. What was handed in is written first when this was the last handle.
    pub fn close(&mut self) {
        self.member = None;
        if self.engine.take().is_none() {
            return;
        }
        self.writer = None;
        // Closed under the lock: whoever opens it next must not meet it half closed.
        let mut stores = registry();
        let Some(open) = stores.get_mut(&self.path) else { return };
        open.handles -= 1;
        if open.handles == 0 {
            stores.remove(&self.path);
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
