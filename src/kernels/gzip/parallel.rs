//! Blocks compressed by several threads, written in their order.
//!
//! The thread that runs the job reads, writes, and compresses what nobody else has taken; idle threads of the pool
//! help. Where a block begins and ends depends on the input alone, so the output is the same for any number of helpers.
//!
//! Not `rayon::join`: its waiting side runs whatever the pool has to do, so that one job could hold up another for as
//! long as new jobs keep coming. Here a job waits for nothing but blocks that are being compressed at that moment.

use super::block::{BLOCK, Piece};
use super::engine::Engine;
use super::{Level, format};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::pool::panic_message;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Size of the input.
    pub bytes_in: u64,
    /// Size of the output.
    pub bytes_out: u64,
}

/// Makes one gzip member of all that `read` gives.
///
/// `read` appends up to [`BLOCK`] bytes to a buffer; fewer say that the input has ended. `write` is given the
/// output in order. At most a few blocks per thread are in memory. `control` counts the input compressed.
///
/// # Errors
/// Those of `read` and `write`; `Aborted`, looked at between blocks.
pub(super) fn compress(
    level: Level,
    mut read: impl FnMut(&mut Vec<u8>) -> Result<()>,
    mut write: impl FnMut(&[u8]) -> Result<()>,
    control: &Control,
) -> Result<Totals> {
    let team = Team::new();
    let mut totals = Totals::default();
    let mut put = |bytes: &[u8]| {
        totals.bytes_out += bytes.len() as u64;
        write(bytes)
    };
    put(&format::header(level))?;
    let mut crc = crc32fast::Hasher::new();
    let (mut handed_in, mut written, mut ended) = (0usize, 0, false);
    let mut spare: Vec<Piece> = Vec::new();
    let mut engine = None;
    // What the next block may look back to.
    let mut history: Vec<u8> = Vec::new();
    while !ended || written < handed_in {
        control.check()?;
        if !ended && handed_in - written < team.window {
            let mut piece = spare.pop().unwrap_or_default();
            piece.input.clear();
            piece.input.extend_from_slice(&history);
            piece.start = history.len();
            read(&mut piece.input)?;
            ended = piece.len() < BLOCK;
            // By the first block, beyond which only a longer input goes.
            let engine = *engine.get_or_insert_with(|| Engine::of(level, piece.len()));
            history.clear();
            history.extend_from_slice(&piece.input[piece.input.len().saturating_sub(engine.window())..]);
            team.hand_in(Task { index: handed_in, piece, engine, is_last: ended });
            handed_in += 1;
            continue;
        }
        let piece = team.collect(written)?;
        written += 1;
        put(&piece.deflate)?;
        crc.combine(&piece.crc);
        totals.bytes_in += piece.len() as u64;
        control.advance(piece.len() as u64);
        spare.push(piece);
    }
    put(&format::trailer(crc.finalize(), totals.bytes_in))?;
    Ok(totals)
}

struct Task {
    index: usize,
    piece: Piece,
    engine: Engine,
    is_last: bool,
}

impl Task {
    fn run(mut self) -> Result<Piece> {
        self.piece.compress(self.engine, self.is_last)?;
        Ok(self.piece)
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Task>,
    done: HashMap<usize, Result<Piece>>,
    helpers: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when a block is done.
    changed: Condvar,
}

/// The owner's end: what it hands in is compressed by itself or by helpers.
struct Team {
    shared: Arc<Shared>,
    /// Threads that may help.
    most_helpers: usize,
    /// Blocks that may be in memory.
    window: usize,
}

impl Team {
    fn new() -> Self {
        // Outside a pool, rayon's own global one would be used: nobody helps there.
        let threads = if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 };
        let shared = Arc::<Shared>::default();
        // One block in every thread's hands; one ready for each, so that a helper need not wait for the owner.
        Self { shared, most_helpers: threads - 1, window: if threads == 1 { 1 } else { 2 * threads } }
    }

    fn hand_in(&self, task: Task) {
        let mut state = self.shared.lock();
        state.waiting.push_back(task);
        // The first block is for the owner.
        if state.helpers < self.most_helpers && state.waiting.len() > 1 {
            state.helpers += 1;
            drop(state);
            let shared = Arc::clone(&self.shared);
            rayon::spawn(move || shared.help());
        }
    }

    /// Block `index`, compressing what waits until it is there.
    fn collect(&self, index: usize) -> Result<Piece> {
        let mut state = self.shared.lock();
        loop {
            if let Some(done) = state.done.remove(&index) {
                return done;
            }
            state = match state.waiting.pop_front() {
                Some(task) => {
                    drop(state);
                    let index = task.index;
                    let result = task.run();
                    let mut state = self.shared.lock();
                    state.done.insert(index, result);
                    state
                }
                None => self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Drop for Team {
    /// However the job ends, helpers begin no further block of it.
    fn drop(&mut self) {
        self.shared.lock().waiting.clear();
    }
}

impl Shared {
    fn help(&self) {
        loop {
            let mut state = self.lock();
            let Some(task) = state.waiting.pop_front() else {
                state.helpers -= 1;
                return;
            };
            drop(state);
            let index = task.index;
            let result = catch_unwind(AssertUnwindSafe(|| task.run()))
                .unwrap_or_else(|panic| Err(Error::Internal(panic_message(&*panic))));
            self.lock().done.insert(index, result);
            self.changed.notify_one();
            // One large file must not keep other jobs from this thread.
            rayon::yield_now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
