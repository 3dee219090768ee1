//! A wake-up without payload: tells an event loop that there is something to drain.

use napi::Env;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls JavaScript's `wake()`: no arguments, no error to hand over.
type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

/// Wakes one environment's loop. It does not keep the loop alive until told to.
pub struct Wakeup {
    wake: Mutex<Wake>,
    /// One is under way: what comes up meanwhile rides along.
    waking: AtomicBool,
    awake: AtomicBool,
}

impl Wakeup {
    /// `wake` is called on the environment's loop and must drain.
    pub fn new(wake: Function<(), ()>) -> napi::Result<Self> {
        let wake: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        Ok(Self { wake: Mutex::new(wake), waking: AtomicBool::new(false), awake: AtomicBool::new(false) })
    }

    /// From any thread: there is something to drain.
    pub fn wake(&self) {
        if !self.waking.swap(true, Ordering::SeqCst) {
            // A refusal means that the environment is ending: nobody is left to hear.
            self.lock().call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// To be called before what there is is taken: what comes up later wakes again.
    pub fn draining(&self) {
        self.waking.store(false, Ordering::SeqCst);
    }

    /// Holds the event loop open, or lets go of it. On the environment's thread.
    pub fn stay_awake(&self, env: &Env, awake: bool) -> napi::Result<()> {
        if self.awake.swap(awake, Ordering::Relaxed) == awake {
            return Ok(());
        }
        let mut wake = self.lock();
        // napi-rs deprecates these two in favour of dropping and cloning, but a clone only counts Rust's handles: it
        // does not tell the event loop whether to wait.
        #[allow(deprecated)]
        if awake { wake.refer(env) } else { wake.unref(env) }
    }

    fn lock(&self) -> MutexGuard<'_, Wake> {
        self.wake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
