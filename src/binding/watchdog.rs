//! The watchdog as `js/supervise/watchdog.js` uses it.

use super::dispatch::Dispatcher;
use crate::supervise::stall::{Limits, Look};
use crate::supervise::watchdog::{Report, Watchdog as Inner};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use std::sync::{Arc, Mutex, PoisonError};

const MILLISECOND: u64 = 1_000_000;

/// Wakes JavaScript: no arguments, no error to hand over.
type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

/// What has become of a worker.
#[napi(object, object_from_js = false)]
pub struct StallReport {
    /// The dispatcher's number for it.
    pub id: u32,
    /// `suspect`: it will be stalled soon; `stalled`; `recovered`: it was one of these and turns again.
    pub look: &'static str,
}

/// A thread that watches the event loops of a dispatcher's workers.
#[napi]
pub struct Watchdog {
    /// `None` once stopped. Shared with the hook that runs when the environment ends.
    inner: Arc<Mutex<Option<Inner>>>,
}

#[napi]
impl Watchdog {
    /// Starts the thread; `wake()` is called from the event loop when there is something to `take()`.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, dispatcher: &Dispatcher, stall_timeout: u32, wake: Function<(), ()>) -> napi::Result<Self> {
        let wake: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let limits = Limits { stall: u64::from(stall_timeout) * MILLISECOND, lead: 0 };
        let wake = move || {
            wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        };
        let inner = Inner::start(dispatcher.pulses()?, limits, wake)
            .map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let inner = Arc::new(Mutex::new(Some(inner)));
        env.add_env_cleanup_hook(Arc::clone(&inner), |inner| drop(take(&inner)))?;
        Ok(Self { inner })
    }

    /// Watches worker `id`, by the dispatcher's number.
    #[napi(catch_unwind)]
    pub fn add(&self, id: u32) {
        self.with(|watchdog| watchdog.add(id));
    }

    /// Watches it no more.
    #[napi(catch_unwind)]
    pub fn remove(&self, id: u32) {
        self.with(|watchdog| watchdog.remove(id));
    }

    /// From now on a worker is suspect so many milliseconds before it is stalled.
    #[napi(catch_unwind)]
    pub fn set_lead(&self, lead: u32) {
        self.with(|watchdog| watchdog.set_lead(u64::from(lead) * MILLISECOND));
    }

    /// What has happened since the last call.
    #[napi(catch_unwind)]
    pub fn take(&self) -> Vec<StallReport> {
        self.with(Inner::take).unwrap_or_default().into_iter().map(StallReport::from).collect()
    }

    /// Ends the thread.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        drop(take(&self.inner));
    }

    fn with<T>(&self, act: impl FnOnce(&Inner) -> T) -> Option<T> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }
}

impl From<Report> for StallReport {
    fn from(Report { id, look }: Report) -> Self {
        let look = match look {
            Look::Suspect => "suspect",
            Look::Stalled => "stalled",
            Look::Quiet | Look::Ask | Look::Recovered => "recovered",
        };
        Self { id, look }
    }
}

fn take(inner: &Mutex<Option<Inner>>) -> Option<Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner).take()
}
