//! The one thread of a process that writes to a store: it takes what has gathered, commits it as one transaction, and
//! tells those who asked.

use super::batch::{Batch, Failed};
use super::engine::Engine;
use super::op::Op;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most operations of one transaction: other processes wait for its end.
const BATCH: usize = 2_048;
/// How often expired entries are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Whoever hands in operations and hears of their end, on the writer's thread.
pub trait Desk: Send + Sync {
    /// Takes the answers, each with the number its operation was handed in under.
    fn settle(&self, answers: Vec<(u32, Result<f64>)>);
}

struct Job {
    desk: Arc<dyn Desk>,
    id: u32,
    op: Op,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closing: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// The thread; dropped, it finishes what it was given and ends.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts it.
    ///
    /// # Errors
    /// What starting a thread answers.
    pub fn start(engine: Arc<Engine>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("rustcluster-store".into());
        let thread = builder.spawn(move || run(&engine, &theirs))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands an operation in. Its answer goes to `desk`, whatever becomes of it.
    pub fn submit(&self, desk: &Arc<dyn Desk>, id: u32, op: Op) {
        let mut queue = lock(&self.shared.queue);
        queue.jobs.push_back(Job { desk: Arc::clone(desk), id, op });
        let first = queue.jobs.len() == 1;
        drop(queue);
        // The thread sleeps only on an empty queue.
        if first {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.queue).closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It catches its panics; if it ended by one all the same there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

fn run(engine: &Engine, shared: &Shared) {
    let mut next_tick = Instant::now() + TICK;
    loop {
        let jobs = match take(shared, next_tick) {
            Some(jobs) => jobs,
            None => return,
        };
        work(engine, jobs);
        if Instant::now() >= next_tick {
            // A failure here (no room, say) has nobody to hear it; the next tick tries again, and reads see no
            // expired entry meanwhile.
            let _ = catch_unwind(AssertUnwindSafe(|| tick(engine)));
            next_tick = Instant::now() + TICK;
        }
    }
}

/// Waits for jobs until `until`; `None` when closing and nothing is left.
fn take(shared: &Shared, until: Instant) -> Option<Vec<Job>> {
    let mut queue = lock(&shared.queue);
    while queue.jobs.is_empty() && !queue.closing {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        queue = shared.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    if queue.jobs.is_empty() && queue.closing {
        return None;
    }
    let count = queue.jobs.len().min(BATCH);
    Some(queue.jobs.drain(..count).collect())
}

fn tick(engine: &Engine) -> Result<()> {
    // A dead reader holds back every page freed since it began: the file would only grow.
    engine.env().clear_stale_readers().map_err(|error| engine.failed(error))?;
    while engine.has_expired()? {
        let mut batch = Batch::begin(engine).map_err(|error| engine.failed(error))?;
        batch.sweep().and_then(|_| batch.commit()).map_err(|error| engine.failed(error))?;
    }
    Ok(())
}

fn work(engine: &Engine, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let ops: Vec<&Op> = jobs.iter().map(|job| &job.op).collect();
    let answers = catch_unwind(AssertUnwindSafe(|| commit(engine, &ops)));
    let answers =
        answers.unwrap_or_else(|_| jobs.iter().map(|_| Err(Error::Internal("the writer panicked".into()))).collect());
    let mut answers = jobs.into_iter().zip(answers).peekable();
    while let Some((job, answer)) = answers.next() {
        let mut own = vec![(job.id, answer)];
        while let Some((job, answer)) = answers.next_if(|(next, _)| Arc::ptr_eq(&next.desk, &job.desk)) {
            own.push((job.id, answer));
        }
        job.desk.settle(own);
    }
}

/// Applies `ops` as one transaction. Where it does not fit, halves are tried apart, so that only those fail that have no
/// room of their own.
fn commit(engine: &Engine, ops: &[&Op]) -> Vec<Result<f64>> {
    let mut error = match attempt(engine, ops) {
        Ok(answers) => return answers,
        Err(error) => error,
    };
    if let [_, _, ..] = ops {
        let (first, second) = ops.split_at(ops.len() / 2);
        return commit(engine, first).into_iter().chain(commit(engine, second)).collect();
    }
    // A process killed in mid-read holds back what was freed since, until the next tick at the latest.
    if engine.is_full(&error) && engine.env().clear_stale_readers().is_ok_and(|cleared| cleared > 0) {
        match attempt(engine, ops) {
            Ok(answers) => return answers,
            Err(again) => error = again,
        }
    }
    if engine.is_full(&error)
        && engine.settings().evict
        && shrink(engine)
        && let Ok(answers) = attempt(engine, ops)
    {
        return answers;
    }
    vec![Err(engine.failed(error))]
}

fn attempt(engine: &Engine, ops: &[&Op]) -> heed::Result<Vec<Result<f64>>> {
    let mut batch = Batch::begin(engine)?;
    let _turn = engine.turn().announce();
    let mut answers = Vec::with_capacity(ops.len());
    for op in ops {
        answers.push(match batch.apply(op) {
            Ok(answer) => Ok(answer),
            Err(Failed::Itself(error)) => Err(error),
            Err(Failed::All(error)) => return Err(error),
            Err(Failed::Later) => Err(Error::Internal("a long batch was asked to be brief".into())),
        });
    }
    batch.commit()?;
    Ok(answers)
}

/// Applies one operation on the caller's own thread, which is an event loop: only where nobody else writes, and where it
/// takes microseconds. `None`: hand it to the writer.
pub fn at_once(engine: &Engine, op: &Op) -> Option<Result<f64>> {
    // A durable commit waits for the disk.
    if engine.settings().durable || !op.is_brief() {
        return None;
    }
    let _turn = engine.turn().try_take()?;
    let mut batch = Batch::begin(engine).ok()?;
    batch.be_brief();
    let answer = match batch.apply(op) {
        Ok(answer) => answer,
        Err(Failed::Itself(error)) => return Some(Err(error)),
        Err(Failed::All(_) | Failed::Later) => return None,
    };
    // What fails here (no room left, say) has changed nothing: the writer knows what to do.
    batch.commit().ok()?;
    Some(Ok(answer))
}

/// The file system is full before `maxSize` is reached: a quarter of the entries makes room. Says whether it worked.
fn shrink(engine: &Engine) -> bool {
    let evict = || {
        let mut batch = Batch::begin(engine)?;
        let target = batch.taken() / 4 * 3;
        batch.evict(target, target)?;
        batch.commit()
    };
    evict().is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
