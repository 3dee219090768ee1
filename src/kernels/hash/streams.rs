//! More bytes for many streams at once, in shared lanes.

use super::constants::{Block, State};
use super::driver::{self, Feed};
use super::hasher::Hasher;
use super::ladder::Ladder;
use super::stream::Stream256;
use crate::error::Result;
use crate::kernels::control::Control;

/// Gives each hasher its next bytes, as [`Hasher::update`] would, the SHA-224 and SHA-256 ones in shared lanes.
///
/// # Errors
/// `InvalidArgument` as [`Hasher::new`]; the hashers are then as they were.
pub fn update_many(updates: &mut [(&mut Hasher, &[u8])]) -> Result<()> {
    let ladder = Ladder::chosen()?;
    let mut jobs = Vec::with_capacity(updates.len());
    for (hasher, data) in updates {
        match hasher.stream256() {
            Ok(stream) => {
                let absorbed = stream.absorb(data);
                jobs.push(Job { stream, head: absorbed.head, body: absorbed.body });
            }
            Err(alone) => alone.update(data),
        }
    }
    jobs.retain(|job| job.head.is_some() || !job.body.is_empty());
    jobs.sort_by_key(|job| std::cmp::Reverse(job.body.len()));
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

    fn refill(&mut self, _slot: usize) -> Result<bool> {
        Ok(false)
    }

    fn end(&mut self, slot: usize, state: State) {
        self.jobs[self.slots[slot]].stream.state = state;
    }
}
