//! gzip and gunzip of buffers, files and streams.

use super::failure::Failure;
use super::jobs::{Input, Jobs, Output};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::gzip::stream::{self, Settings};
use crate::kernels::gzip::{self, Level};
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What `gzipFile` and `gunzipFile` tell about the files.
#[napi(object)]
pub struct GzipInfo {
    /// Size of the file read.
    pub bytes_in: f64,
    /// Size of the file written.
    pub bytes_out: f64,
}

impl From<gzip::file::Totals> for GzipInfo {
    fn from(totals: gzip::file::Totals) -> Self {
        Self { bytes_in: totals.bytes_in as f64, bytes_out: totals.bytes_out as f64 }
    }
}

/// What jobs share of a stream: one of them at a time has it.
struct Shared<T> {
    stream: Mutex<Option<T>>,
    /// Set by `close()`: whoever has the stream then drops it.
    closed: AtomicBool,
}

impl<T> Shared<T> {
    fn new(stream: T) -> Arc<Self> {
        Arc::new(Self { stream: Mutex::new(Some(stream)), closed: AtomicBool::new(false) })
    }

    /// Calls `work` with the stream.
    ///
    /// # Errors
    /// Those of `work`; `Aborted` once the stream was closed.
    fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut guard = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let result = guard.as_mut().map_or(Err(Error::Aborted), work);
        self.drop_if_closed(guard);
        result
    }

    /// Frees the stream's memory, now or when the job that has it ends. Never waits.
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        match self.stream.try_lock() {
            Ok(guard) => self.drop_if_closed(guard),
            Err(TryLockError::Poisoned(poisoned)) => self.drop_if_closed(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn drop_if_closed(&self, mut guard: MutexGuard<'_, Option<T>>) {
        if self.closed.load(Ordering::SeqCst) {
            *guard = None;
        }
    }
}

/// A stream being compressed: what `createGzip` feeds through [`Jobs::gzip_write`].
#[napi]
pub struct GzipStream {
    shared: Arc<Shared<stream::GzipStream>>,
}

#[napi]
impl GzipStream {
    /// The settings have zlib's names and ranges; JavaScript has checked them.
    #[napi(constructor, catch_unwind)]
    pub fn new(level: i32, window_bits: i32, mem_level: i32, strategy: i32) -> napi::Result<Self> {
        let stream = stream::GzipStream::new(Settings { level, window_bits, mem_level, strategy });
        let stream = stream.map_err(|error| napi::Error::from_reason(error.to_string()))?;
        Ok(Self { shared: Shared::new(stream) })
    }

    /// Frees the stream's memory, at once or when the job under way ends.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.shared.close();
    }
}

/// A stream being decompressed: what `createGunzip` feeds through [`Jobs::gunzip_write`].
#[napi]
pub struct GunzipStream {
    shared: Arc<Shared<stream::GunzipStream>>,
    pending: Arc<AtomicBool>,
}

#[napi]
impl GunzipStream {
    /// `limit`: the most bytes the stream may give in all.
    #[napi(constructor, catch_unwind)]
    pub fn new(limit: f64) -> Self {
        Self { shared: Shared::new(stream::GunzipStream::new(limit as u64)), pending: Arc::default() }
    }

    /// Whether the last job left output, or an error, for another one without input.
    #[napi(getter, catch_unwind)]
    pub fn pending(&self) -> bool {
        self.pending.load(Ordering::SeqCst)
    }

    /// Frees the stream's memory, at once or when the job under way ends.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.shared.close();
    }
}

#[napi]
impl Jobs {
    /// Compresses bytes into one gzip member; ends with a Buffer.
    #[napi(catch_unwind)]
    pub fn gzip(&mut self, env: Env, id: u32, input: Uint8Array, level: u8) -> napi::Result<Option<Failure>> {
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            gzip::gzip(input.as_slice(), Level::new(level)?, control).map(Output::Bytes)
        })
    }

    /// Decompresses every gzip member, at most `limit` bytes in all; ends with a Buffer.
    #[napi(catch_unwind)]
    pub fn gunzip(&mut self, env: Env, id: u32, input: Uint8Array, limit: f64) -> napi::Result<Option<Failure>> {
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            gzip::gunzip(input.as_slice(), limit as u64, control).map(Output::Bytes)
        })
    }

    /// Compresses the file at `source` into `destination`; ends with a `GzipInfo`.
    #[napi(catch_unwind)]
    pub fn gzip_file(
        &mut self,
        env: Env,
        id: u32,
        source: String,
        destination: String,
        level: u8,
    ) -> napi::Result<Option<Failure>> {
        self.file(&env, id, source, destination, move |source, destination, control| {
            gzip::file::gzip(source, destination, Level::new(level)?, control)
        })
    }

    /// Decompresses the file at `source` into `destination`, at most `limit` bytes; ends with a `GzipInfo`.
    #[napi(catch_unwind)]
    pub fn gunzip_file(
        &mut self,
        env: Env,
        id: u32,
        source: String,
        destination: String,
        limit: f64,
    ) -> napi::Result<Option<Failure>> {
        self.file(&env, id, source, destination, move |source, destination, control| {
            gzip::file::gunzip(source, destination, limit as u64, control)
        })
    }

    /// Compresses a stream's next bytes; ends with a Buffer of what is ready. `flush` is zlib's number. A stream may be
    /// written by one job at a time.
    #[napi(catch_unwind)]
    pub fn gzip_write(
        &mut self,
        env: Env,
        id: u32,
        stream: &GzipStream,
        input: Uint8Array,
        flush: i32,
    ) -> napi::Result<Option<Failure>> {
        let shared = Arc::clone(&stream.shared);
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            shared.with(|stream| stream.write(input.as_slice(), flush, control)).map(Output::Bytes)
        })
    }

    /// Decompresses a stream's next bytes; ends with a Buffer of at most `most` bytes. While `stream.pending` is true
    /// afterwards, the next job must bring no input. A stream may be written by one job at a time.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments)]
    pub fn gunzip_write(
        &mut self,
        env: Env,
        id: u32,
        stream: &GunzipStream,
        input: Uint8Array,
        is_last: bool,
        most: u32,
    ) -> napi::Result<Option<Failure>> {
        let (shared, pending) = (Arc::clone(&stream.shared), Arc::clone(&stream.pending));
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            let written = shared.with(|stream| {
                let written = stream.write(input.as_slice(), is_last, most as usize, control);
                pending.store(stream.pending(), Ordering::SeqCst);
                written
            });
            written.map(Output::Bytes)
        })
    }
}

impl Jobs {
    fn file<F>(
        &mut self,
        env: &Env,
        id: u32,
        source: String,
        destination: String,
        job: F,
    ) -> napi::Result<Option<Failure>>
    where
        F: FnOnce(&PathBuf, &PathBuf, &Control) -> Result<gzip::file::Totals> + Send + 'static,
    {
        let (source, destination) = (PathBuf::from(source), PathBuf::from(destination));
        self.submit(env, id, Vec::new(), move |control| {
            job(&source, &destination, control).map(|totals| Output::Gzip(totals.into()))
        })
    }
}
