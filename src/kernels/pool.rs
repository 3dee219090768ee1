//! The pool all kernels run on: its own threads, never libuv's, with a bounded queue in front.
//!
//! A rayon pool gives the threads, so a kernel may use `rayon::join` and stays inside. The queue is ours, since rayon
//! has no way to bound it or to take a job out again.

use crate::error::{Error, Result};
use crate::kernels::control::{Control, Cores, Spare};
#[cfg(target_os = "linux")]
use crate::shared::gate::{Gate, Permit};
use crate::shared::parallelism::available_parallelism;
use crate::sys::thread;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How far below event loops kernel threads stand, as a nice value.
pub const NICE: i32 = 5;
/// Jobs that may wait when nothing was configured.
pub const DEFAULT_MAX_QUEUE: usize = 1_000;

/// Runs a job, or with `None` only drops it; says how it ended, and how to tell whoever asked for it. Telling is split
/// off so that all the job borrowed is gone, and the counters are written, before anybody hears of its end.
type Job = Box<dyn FnOnce(Option<&Control>) -> (Ending, Settle) + Send>;
type Settle = Box<dyn FnOnce() + Send>;

/// How a job ended, for the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Completed,
    Failed,
    Aborted,
}

struct Queued {
    id: u64,
    control: Arc<Control>,
    job: Job,
}

struct State {
    threads: Option<Arc<rayon::ThreadPool>>,
    limit: usize,
    max_queue: usize,
    queue: VecDeque<Queued>,
    running: usize,
    /// Places lent to running jobs for a second thread.
    lent: usize,
    next_id: u64,
    completed: u64,
    failed: u64,
    aborted: u64,
}

/// A bounded queue in front of threads of its own. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Pool {
    state: Arc<Mutex<State>>,
    #[cfg(target_os = "linux")]
    gate: Arc<OnceLock<Gate>>,
}

/// Names a submitted job: what [`Pool::abort`] takes.
#[derive(Clone)]
pub struct Ticket {
    id: u64,
    control: Arc<Control>,
}

impl Ticket {
    /// The control the job runs under.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

/// What the pool is doing, counted since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Jobs that may run at once.
    pub threads: usize,
    /// Jobs that may wait.
    pub max_queue: usize,
    /// Jobs waiting now.
    pub queued: usize,
    /// Jobs running now.
    pub running: usize,
    /// Jobs that gave a result.
    pub completed: u64,
    /// Jobs that gave an error.
    pub failed: u64,
    /// Jobs aborted, queued or running.
    pub aborted: u64,
}

/// The process-wide pool: one for all environments, since the cores are shared by them too.
pub fn global() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(available_parallelism(), DEFAULT_MAX_QUEUE))
}

impl Pool {
    /// A pool of at most `threads` jobs at once and `max_queue` waiting. Threads start with the first job.
    pub fn new(threads: usize, max_queue: usize) -> Self {
        let state = State {
            threads: None,
            limit: threads.max(1),
            max_queue,
            queue: VecDeque::new(),
            running: 0,
            lent: 0,
            next_id: 0,
            completed: 0,
            failed: 0,
            aborted: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            #[cfg(target_os = "linux")]
            gate: Arc::default(),
        }
    }

    /// Puts a gate in front: from now on jobs also wait for a place in it. The first gate stays.
    #[cfg(target_os = "linux")]
    pub fn join(&self, gate: Gate) {
        // A second gate is that of the same cluster, opened by another copy of the module.
        let _ = self.gate.set(gate);
    }

    /// Runs `job` on a pool thread and gives its result to `done`, which runs on that thread too, or on the thread
    /// that aborts the job while it waits. A panic in `job` becomes [`Error::Internal`]. Whatever `job` owns is
    /// dropped before `done` is called.
    ///
    /// # Errors
    /// `QueueFull` when every thread is busy and `max_queue` jobs wait; `Internal` when no thread could be started.
    /// In both cases `done` is never called.
    pub fn submit<T, J, D>(&self, job: J, done: D) -> Result<Ticket>
    where
        T: Send + 'static,
        J: FnOnce(&Control) -> Result<T> + Send + 'static,
        D: FnOnce(Result<T>) + Send + 'static,
    {
        let control = Arc::new(Control::with_cores(Arc::new(self.clone())));
        let job: Job = Box::new(move |run| {
            let result = match run {
                Some(control) => catch_unwind(AssertUnwindSafe(|| job(control)))
                    .unwrap_or_else(|panic| Err(Error::Internal(panic_message(&*panic)))),
                None => {
                    drop(job);
                    Err(Error::Aborted)
                }
            };
            (Ending::of(&result), Box::new(move || done(result)))
        });

        let mut state = lock(&self.state);
        state.next_id += 1;
        let starts_runner = state.busy() < state.limit;
        if !starts_runner && state.queue.len() >= state.max_queue {
            return Err(Error::QueueFull { limit: state.max_queue });
        }
        let id = state.next_id;
        let queued = Queued { id, control: Arc::clone(&control), job };
        if starts_runner {
            // Handed over directly: in the queue it would count as waiting until its thread wakes up.
            let threads = state.threads()?;
            state.running += 1;
            drop(state);
            let pool = self.clone();
            threads.spawn(move || pool.run(queued));
        } else {
            state.queue.push_back(queued);
        }
        Ok(Ticket { id, control })
    }

    /// Aborts a job: one that waits is taken out and settled at once, one that runs stops at its next row or chunk,
    /// one that has ended is left alone.
    pub fn abort(&self, ticket: &Ticket) {
        ticket.control.abort();
        let mut state = lock(&self.state);
        let Some(at) = state.queue.iter().position(|queued| queued.id == ticket.id) else { return };
        let Some(queued) = state.queue.remove(at) else { return };
        drop(state);
        let (ending, settle) = (queued.job)(None);
        lock(&self.state).count(ending);
        settle();
    }

    /// Changes the limits. Jobs that run stay where they are; more threads take effect with the next job.
    pub fn configure(&self, threads: Option<usize>, max_queue: Option<usize>) {
        let mut state = lock(&self.state);
        if let Some(threads) = threads.filter(|&threads| threads.max(1) != state.limit) {
            state.limit = threads.max(1);
            state.threads = None;
        }
        if let Some(max_queue) = max_queue {
            state.max_queue = max_queue;
        }
    }

    /// What the pool is doing now.
    pub fn stats(&self) -> Stats {
        let state = lock(&self.state);
        Stats {
            threads: state.limit,
            max_queue: state.max_queue,
            queued: state.queue.len(),
            running: state.running,
            completed: state.completed,
            failed: state.failed,
            aborted: state.aborted,
        }
    }

    /// Runs `first` and then queued jobs until none is left, on a pool thread.
    fn run(&self, first: Queued) {
        let mut next = Some(first);
        while let Some(queued) = next {
            let (ending, settle) = self.run_one(queued);
            let mut state = lock(&self.state);
            state.count(ending);
            // After configure() there may be more runners than the new limit.
            next = if state.busy() > state.limit { None } else { state.queue.pop_front() };
            if next.is_none() {
                state.running -= 1;
            }
            drop(state);
            // A panicking `done` must not take the runner, and with it a slot, along.
            let _ = catch_unwind(AssertUnwindSafe(settle));
        }
    }

    /// Runs one job, once the gate lets it in.
    fn run_one(&self, Queued { control, job, .. }: Queued) -> (Ending, Settle) {
        #[cfg(target_os = "linux")]
        let _permit = self.gate.get().map(|gate| gate.enter(|| control.is_aborted()));
        job(if control.is_aborted() { None } else { Some(&*control) })
    }
}

/// A place in the pool, and in the gate if there is one, that no job had a use for.
struct Place<'a> {
    pool: &'a Pool,
    #[cfg(target_os = "linux")]
    permit: Option<Permit<'a>>,
}

impl Spare for Place<'_> {}

impl Cores for Pool {
    /// A place while fewer jobs run than may and none waits, in this process or, as far as the gate tells, another.
    fn spare(&self) -> Option<Box<dyn Spare + '_>> {
        let mut state = lock(&self.state);
        if state.busy() >= state.limit || !state.queue.is_empty() {
            return None;
        }
        #[cfg(target_os = "linux")]
        let permit = match self.gate.get() {
            Some(gate) => Some(gate.try_enter()?),
            None => None,
        };
        state.lent += 1;
        drop(state);
        Some(Box::new(Place {
            pool: self,
            #[cfg(target_os = "linux")]
            permit,
        }))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        drop(self.permit.take());
        let mut state = lock(&self.pool.state);
        state.lent -= 1;
        // A job that came meanwhile has waited for this place.
        if state.busy() < state.limit
            && let Some(threads) = state.threads.clone()
            && let Some(next) = state.queue.pop_front()
        {
            state.running += 1;
            drop(state);
            let pool = self.pool.clone();
            threads.spawn(move || pool.run(next));
        }
    }
}

impl State {
    /// Threads at work.
    fn busy(&self) -> usize {
        self.running + self.lent
    }

    fn count(&mut self, ending: Ending) {
        match ending {
            Ending::Completed => self.completed += 1,
            Ending::Failed => self.failed += 1,
            Ending::Aborted => self.aborted += 1,
        }
    }

    fn threads(&mut self) -> Result<Arc<rayon::ThreadPool>> {
        if let Some(threads) = &self.threads {
            return Ok(Arc::clone(threads));
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(self.limit)
            .thread_name(|index| format!("kernel-{index}"))
            .start_handler(|_| {
                // Not being nice is no reason not to work.
                let _ = thread::lower_priority(NICE);
            })
            .build()
            .map_err(|error| Error::Internal(format!("no kernel thread could be started: {error}")))?;
        let threads = Arc::new(threads);
        self.threads = Some(Arc::clone(&threads));
        Ok(threads)
    }
}

impl Ending {
    fn of<T>(result: &Result<T>) -> Self {
        match result {
            Ok(_) => Self::Completed,
            Err(Error::Aborted) => Self::Aborted,
            Err(_) => Self::Failed,
        }
    }
}

/// Locks, whatever happened to earlier holders: no invariant of ours spans a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The text a panic was raised with.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a kernel panicked").to_owned()
}

#[cfg(test)]
mod tests;
