//! The answers of a store's writer, on their way to one JavaScript environment.

use crate::binding::wakeup::Wakeup;
use crate::error::Result;
use crate::store::writer::Desk;
use napi::Env;
use napi::bindgen_prelude::Function;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the end of an environment waits for its writes: another process that stands still while it holds the lock
/// must not hold this one for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes that the loop does itself between two drains.
const AT_ONCE: u32 = 16;

/// Answers that wait to be drained, and how many are still to come.
pub struct Answers {
    wakeup: Wakeup,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    outstanding: usize,
    /// Writes the loop may still do itself before it has to turn.
    at_once: u32,
    ended: Vec<(u32, Result<f64>)>,
}

impl Answers {
    /// `wake` is called on the loop when there are answers.
    pub fn new(wake: Function<(), ()>) -> napi::Result<Self> {
        Ok(Self { wakeup: Wakeup::new(wake)?, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Whether the next write may be done on the loop: none is under way, which it would overtake, and the loop has turned
    /// since the last few. An `await` of what is done already lets nothing else run.
    pub fn may_write_at_once(&self) -> bool {
        let mut state = self.lock();
        if state.outstanding > 0 || state.at_once == 0 {
            return false;
        }
        state.at_once -= 1;
        true
    }

    /// One more is to come.
    pub fn expect(&self) {
        self.lock().outstanding += 1;
    }

    /// One does not come after all.
    pub fn forget(&self) {
        self.lock().outstanding -= 1;
    }

    /// What has come, and whether nothing more is to come.
    pub fn take(&self) -> (Vec<(u32, Result<f64>)>, bool) {
        self.wakeup.draining();
        let mut state = self.lock();
        state.at_once = AT_ONCE;
        (std::mem::take(&mut state.ended), state.outstanding == 0)
    }

    /// Holds the event loop open, or lets go of it.
    pub fn stay_awake(&self, env: &Env, awake: bool) -> napi::Result<()> {
        self.wakeup.stay_awake(env, awake)
    }

    /// Waits until all have come.
    pub fn wait(&self) {
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, |state| state.outstanding > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk for Answers {
    fn settle(&self, answers: Vec<(u32, Result<f64>)>) {
        let mut state = self.lock();
        state.outstanding = state.outstanding.saturating_sub(answers.len());
        if state.ended.is_empty() {
            state.ended = answers;
        } else {
            state.ended.extend(answers);
        }
        drop(state);
        self.changed.notify_all();
        self.wakeup.wake();
    }
}
