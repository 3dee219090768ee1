//! The desk where one JavaScript environment hands in jobs and collects what has become of them.

use super::failure::Failure;
use super::flip::FlipInfo;
use super::gzip::GzipInfo;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::jpeg::lossless;
use crate::kernels::pool::{Pool, Ticket, global};
use crate::sys::javascript;
use crate::sys::lent::Lent;
use napi::Env;
use napi::bindgen_prelude::{Buffer, Either4, Function, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Calls JavaScript's `wake()`: no arguments, no error to hand over.
type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

/// What a job gives.
pub enum Output {
    /// Nothing: what there is was written where JavaScript asked for it.
    Nothing,
    /// Bytes, which become a Buffer without being copied.
    Bytes(Vec<u8>),
    /// A flipped JPEG, likewise; its memory is for the next flip once JavaScript has let go of it.
    Flipped(Vec<u8>),
    /// A string.
    Text(String),
    /// What `flipFile` tells.
    Flip(FlipInfo),
    /// What `gzipFile` and `gunzipFile` tell.
    Gzip(GzipInfo),
}

/// How far a job is.
#[napi(object, object_from_js = false)]
pub struct Progress {
    /// Input bytes dealt with.
    pub bytes_done: f64,
    /// Input bytes there will be, where that is known.
    pub total: Option<f64>,
}

impl From<&Control> for Progress {
    fn from(control: &Control) -> Self {
        Self { bytes_done: control.done() as f64, total: control.total().map(|total| total as f64) }
    }
}

/// A job that has ended, as JavaScript drains it: `value` is set, where there is one, or `failure`.
#[napi(object, object_from_js = false)]
pub struct Completion {
    /// The number JavaScript gave the job.
    pub id: u32,
    /// The result.
    pub value: Option<Either4<Buffer, String, FlipInfo, GzipInfo>>,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// How far it got, of a job that was watched.
    pub progress: Option<Progress>,
}

/// A job JavaScript has not heard the end of.
struct Live {
    ticket: Ticket,
    /// Keeps the caller's memory alive, and is let go of on the JavaScript thread, where the references live.
    held: Held,
    /// JavaScript wants to know how far the job got.
    watched: bool,
}

/// The caller's memory that a job reads.
pub struct Held {
    _arrays: Vec<Arc<Uint8Array>>,
    lent: Option<Arc<Lent>>,
}

impl From<Vec<Arc<Uint8Array>>> for Held {
    fn from(arrays: Vec<Arc<Uint8Array>>) -> Self {
        Self::new(arrays, None)
    }
}

impl Held {
    /// Arrays, and whole ArrayBuffers.
    pub fn new(arrays: Vec<Arc<Uint8Array>>, lent: Option<Arc<Lent>>) -> Self {
        Self { _arrays: arrays, lent }
    }

    /// Lets go of it all, once the job has ended.
    fn give_back(self, env: &Env) {
        if let Some(lent) = self.lent.and_then(Arc::into_inner) {
            // A refusal means that the environment is ending, and lets go of its objects itself.
            let _ = lent.give_back(env);
        }
    }
}

/// Shared with the pool's threads.
struct Desk {
    wake: Mutex<Wake>,
    /// A wake-up is under way: jobs that end meanwhile ride along.
    waking: AtomicBool,
    ended: Mutex<Ended>,
    /// Signalled when a job ends, for the environment's end to wait on.
    changed: Condvar,
}

#[derive(Default)]
struct Ended {
    /// Jobs submitted and not yet ended.
    outstanding: usize,
    results: Vec<(u32, Result<Output>)>,
}

/// Takes jobs from one JavaScript environment. Made once per loaded module.
#[napi]
pub struct Jobs {
    desk: Arc<Desk>,
    live: Arc<Mutex<HashMap<u32, Live>>>,
    /// Held while jobs are outstanding, so that the event loop stays alive for them.
    awake: bool,
}

#[napi]
impl Jobs {
    /// `wake` is called, from the event loop, when jobs have ended: it must call `drain()`.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, wake: Function<(), ()>) -> napi::Result<Self> {
        let wake: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let desk = Arc::new(Desk {
            wake: Mutex::new(wake),
            waking: AtomicBool::new(false),
            ended: Mutex::default(),
            changed: Condvar::new(),
        });
        let live = Arc::new(Mutex::new(HashMap::new()));
        // An ending environment (process.exit, a terminated worker thread) frees the memory that jobs read: none may
        // outlive it.
        env.add_env_cleanup_hook((Arc::clone(&desk), Arc::clone(&live)), |(desk, live)| desk.close(&live))?;
        Ok(Self { desk, live, awake: false })
    }

    /// Aborts a job; it still ends through `drain()`. An unknown number is ignored.
    #[napi(catch_unwind)]
    pub fn abort(&self, id: u32) {
        let ticket = lock(&self.live).get(&id).map(|live| live.ticket.clone());
        if let Some(ticket) = ticket {
            global().abort(&ticket);
        }
    }

    /// How far a job is that has not been drained; from now on its end tells it too. Null for an unknown number.
    #[napi(catch_unwind)]
    pub fn watch(&self, id: u32) -> Option<Progress> {
        let mut live = lock(&self.live);
        let live = live.get_mut(&id)?;
        live.watched = true;
        Some(live.ticket.control().into())
    }

    /// Takes every job that has ended since the last call.
    #[napi(catch_unwind)]
    pub fn drain(&mut self, env: Env) -> napi::Result<Vec<Completion>> {
        // Before the results are taken: a job that ends after this line wakes us again.
        self.desk.waking.store(false, Ordering::SeqCst);
        let results = std::mem::take(&mut lock(&self.desk.ended).results);
        let mut live = lock(&self.live);
        let completion = |(id, result)| {
            let ended = live.remove(&id);
            let progress = ended.as_ref().filter(|live| live.watched).map(|live| live.ticket.control().into());
            if let Some(Live { held, .. }) = ended {
                held.give_back(&env);
            }
            Completion::new(&env, id, result, progress)
        };
        let completions = results.into_iter().map(completion).collect();
        let idle = live.is_empty();
        drop(live);
        if idle {
            self.stay_awake(&env, false)?;
        }
        Ok(completions)
    }
}

impl Jobs {
    /// Hands a job to the pool. `held` is what the job reads of the caller's memory.
    pub fn submit<J>(&mut self, env: &Env, id: u32, held: impl Into<Held>, job: J) -> napi::Result<Option<Failure>>
    where
        J: FnOnce(&Control) -> Result<Output> + Send + 'static,
    {
        let pool: &Pool = global();
        let desk = Arc::clone(&self.desk);
        lock(&self.desk.ended).outstanding += 1;
        match pool.submit(job, move |result| desk.end(id, result)) {
            Ok(ticket) => {
                lock(&self.live).insert(id, Live { ticket, held: held.into(), watched: false });
                self.stay_awake(env, true)?;
                Ok(None)
            }
            Err(error) => {
                lock(&self.desk.ended).outstanding -= 1;
                Ok(Some(error.into()))
            }
        }
    }

    /// Lets the wake-up hold the event loop open, or lets go of it.
    fn stay_awake(&mut self, env: &Env, awake: bool) -> napi::Result<()> {
        if self.awake == awake {
            return Ok(());
        }
        self.awake = awake;
        let mut wake = lock(&self.desk.wake);
        // napi-rs deprecates these two in favour of dropping and cloning, but a clone only counts Rust's handles: it
        // does not tell the event loop whether to wait.
        #[allow(deprecated)]
        if awake { wake.refer(env) } else { wake.unref(env) }
    }
}

impl Desk {
    /// A pool thread, or the thread that aborts, reports a job's end.
    fn end(&self, id: u32, result: Result<Output>) {
        let mut ended = lock(&self.ended);
        ended.outstanding -= 1;
        ended.results.push((id, result));
        drop(ended);
        self.changed.notify_all();
        if !self.waking.swap(true, Ordering::SeqCst) {
            // A refusal means that the environment is ending: nobody is left to hear.
            lock(&self.wake).call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Stops everything for an environment that ends: after this no thread of ours touches its memory.
    fn close(&self, live: &Mutex<HashMap<u32, Live>>) {
        let live = std::mem::take(&mut *lock(live));
        for job in live.values() {
            global().abort(&job.ticket);
        }
        let mut ended = lock(&self.ended);
        while ended.outstanding > 0 {
            ended = self.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Completion {
    fn new(env: &Env, id: u32, result: Result<Output>, progress: Option<Progress>) -> Self {
        let value = match result {
            Ok(Output::Nothing) => return Self { id, value: None, failure: None, progress },
            Ok(Output::Bytes(bytes)) => Either4::A(Buffer::from(bytes)),
            Ok(Output::Flipped(bytes)) => match javascript::hand_over(env, bytes, lossless::recycle) {
                Ok(buffer) => Either4::A(buffer),
                Err(error) => {
                    let failure = Error::Internal(format!("no Buffer for the result: {error}"));
                    return Self { id, value: None, failure: Some(failure.into()), progress };
                }
            },
            Ok(Output::Text(text)) => Either4::B(text),
            Ok(Output::Flip(info)) => Either4::C(info),
            Ok(Output::Gzip(info)) => Either4::D(info),
            Err(error) => return Self { id, value: None, failure: Some(error.into()), progress },
        };
        Self { id, value: Some(value), failure: None, progress }
    }
}

/// The caller's bytes as a job may read them: large ones by reference, small ones copied, which is cheaper than
/// keeping a reference and lets the caller reuse the memory at once.
pub enum Input {
    /// Our own copy.
    Copied(Vec<u8>),
    /// The caller's memory, held by [`Live`] as well.
    Borrowed(Arc<Uint8Array>),
}

/// Up to this many bytes are copied.
const COPY_BELOW: usize = 32 * 1024;

impl Input {
    /// Takes an argument over; the second part is what [`Jobs::submit`] wants as `held`.
    pub fn new(bytes: Uint8Array) -> (Self, Vec<Arc<Uint8Array>>) {
        if bytes.len() <= COPY_BELOW {
            return (Self::Copied(bytes.to_vec()), Vec::new());
        }
        let shared = Arc::new(bytes);
        (Self::Borrowed(Arc::clone(&shared)), vec![shared])
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Borrowed(bytes) => bytes,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error for an argument JavaScript should have checked.
pub fn unknown(what: &str, value: &str) -> Error {
    Error::InvalidArgument(format!("unknown {what} '{value}'"))
}
