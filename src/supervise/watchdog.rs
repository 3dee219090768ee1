//! A thread that watches the workers' event loops, so that a busy primary does not keep it from looking.
//!
//! It promises to tell of a loop that hangs within the stall limit and 100 ms.

use super::stall::{Limits, Look, Watch};
use crate::dispatch::primary::Pulses;
use crate::sys::clock::monotonic_nanos;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What has become of a worker, by the dispatcher's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The worker.
    pub id: u32,
    /// [`Look::Suspect`], [`Look::Stalled`] or [`Look::Recovered`].
    pub look: Look,
}

/// The thread, and the handle it is steered by. Dropping it ends the thread.
pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    watches: HashMap<u32, Watch>,
    limits: Limits,
    reports: Vec<Report>,
    stopping: bool,
}

impl Watchdog {
    /// Starts the thread, which watches nobody yet. `wake` is called when there is something to [`take`](Self::take).
    ///
    /// # Errors
    /// What the kernel answers when it has no threads left.
    pub fn start(pulses: Pulses, limits: Limits, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let state = State { watches: HashMap::new(), limits, reports: Vec::new(), stopping: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let body = move || {
            // A panic is a bug; a cluster without a watchdog still serves.
            let _ = catch_unwind(AssertUnwindSafe(|| run(&theirs, &pulses, &wake)));
        };
        let thread = std::thread::Builder::new().name("rc-watchdog".to_owned()).spawn(body)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Watches a worker from now on.
    pub fn add(&self, id: u32) {
        self.shared.lock().watches.entry(id).or_default();
        self.shared.changed.notify_one();
    }

    /// Watches it no more.
    pub fn remove(&self, id: u32) {
        self.shared.lock().watches.remove(&id);
    }

    /// From now on a worker is suspect so many nanoseconds before it is stalled.
    pub fn set_lead(&self, lead: u64) {
        self.shared.lock().limits.lead = lead;
    }

    /// What has happened since the last call.
    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut self.shared.lock().reports)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panics are caught where they happen.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(shared: &Shared, pulses: &Pulses, wake: &dyn Fn()) {
    let mut state = shared.lock();
    let mut expected = u64::MAX;
    while !state.stopping {
        let now = monotonic_nanos();
        let limits = state.limits;
        let late = now.saturating_sub(expected) > limits.stall / 2;
        let mut news = false;
        let State { watches, reports, .. } = &mut *state;
        for (&id, watch) in watches {
            // A worker that is gone, or whose transport does not tell, is not blamed.
            let Some(heartbeat) = pulses.heartbeat(id) else { continue };
            if late {
                watch.pardon(now);
            }
            match watch.look(now, heartbeat, limits) {
                Look::Quiet => {}
                Look::Ask => pulses.ask(id),
                look => {
                    reports.push(Report { id, look });
                    news = true;
                }
            }
        }
        if news {
            wake();
        }
        let next = now + limits.interval();
        let wake_at =
            state.watches.values().filter_map(|watch| watch.due(limits)).min().map_or(next, |due| due.min(next));
        state = if state.watches.is_empty() {
            expected = u64::MAX;
            shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
        } else {
            expected = wake_at;
            let pause = Duration::from_nanos(wake_at.saturating_sub(now).max(1_000_000));
            shared.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
        };
    }
}
