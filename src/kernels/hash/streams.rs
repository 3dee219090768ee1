//! More bytes for many streams at once, in shared lanes.

use super::constants::{Block, State};
use super::driver::{self, Feed};
use super::hasher::Hasher;
use super::ladder::Ladder;
use super::stream::Stream256;
use crate::error::Result;
use crate::kernels::control::Control;

/// What one stream is given: its hasher, and its next bytes, piece after piece.
pub type Update<'a> = (&'a mut Hasher, Vec<&'a [u8]>);

/// Gives each hasher its next pieces, as [`Hasher::update`] would, the SHA-224 and SHA-256 ones in shared lanes.
///
/// # Errors
/// `InvalidArgument` as [`Hasher::new`]; the hashers are then as they were.
pub fn update_many(updates: Vec<Update<'_>>) -> Result<()> {
    let ladder = Ladder::chosen()?;
    let mut jobs = Vec::with_capacity(updates.len());
    for (hasher, pieces) in updates {
        match hasher.stream256() {
            Ok(stream) => {
                let length = pieces.iter().map(|piece| piece.len()).sum();
                let mut job = Job { stream, head: None, body: &[], pieces: pieces.into_iter(), length };
                // What makes no whole block is taken in already.
                if job.next_blocks() {
                    jobs.push(job);
                }
            }
            Err(alone) => pieces.iter().for_each(|piece| alone.update(piece)),
        }
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.length));
    let mut feed = Streams { slots: vec![0; ladder.lanes()], jobs, taken: 0 };
    driver::run(&ladder, &mut feed, &Control::new())
}

/// Bytes for streams that are in the middle of their message.
struct Streams<'a> {
    jobs: Vec<Job<'a>>,
    taken: usize,
    slots: Vec<usize>,
}

struct Job<'a> {
    stream: &'a mut Stream256,
    head: Option<Block>,
    body: &'a [Block],
    pieces: std::vec::IntoIter<&'a [u8]>,
    /// Bytes of all pieces.
    length: usize,
}

impl Job<'_> {
    /// Takes in pieces until they make a whole block; `false` when none is left. The blocks before are compressed.
    fn next_blocks(&mut self) -> bool {
        for piece in self.pieces.by_ref() {
            let absorbed = self.stream.absorb(piece);
            (self.head, self.body) = (absorbed.head, absorbed.body);
            if self.head.is_some() || !self.body.is_empty() {
                return true;
            }
        }
        false
    }
}

impl Feed for Streams<'_> {
    fn begin(&mut self, slot: usize) -> Result<Option<State>> {
        let Some(job) = self.jobs.get(self.taken) else {
            return Ok(None);
        };
        self.slots[slot] = self.taken;
        self.taken += 1;
        Ok(Some(job.stream.state))
    }

    fn blocks(&self, slot: usize) -> &[Block] {
        let job = &self.jobs[self.slots[slot]];
        job.head.as_ref().map_or(job.body, std::slice::from_ref)
    }

    fn consume(&mut self, slot: usize, count: usize) {
        let job = &mut self.jobs[self.slots[slot]];
        if job.head.take().is_none() {
            job.body = &job.body[count..];
        }
    }

    fn refill(&mut self, slot: usize) -> Result<bool> {
        Ok(self.jobs[self.slots[slot]].next_blocks())
    }

    fn end(&mut self, slot: usize, state: State) {
        self.jobs[self.slots[slot]].stream.state = state;
    }
}
