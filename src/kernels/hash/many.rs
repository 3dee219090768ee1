//! Digests of many messages that lie in memory.

use super::algorithm::Algorithm;
use super::backend::Backend;
use super::constants::{Block, INITIAL_224, INITIAL_256, State};
use super::driver::{self, Feed};
use super::ladder::Ladder;
use super::schedule;
use super::stream::{Tail, to_bytes};
use crate::error::Result;
use crate::kernels::control::Control;

/// The digests of `messages`, one after the other in their order: [`Algorithm::digest_len`] bytes each.
///
/// SHA-224 and SHA-256 run in SIMD lanes on the calling thread, the others one by one. `control` counts the bytes of
/// the messages that are done.
///
/// # Errors
/// `Aborted`, looked at every 16 KiB a lane at the latest; `InvalidArgument` as [`Hasher::new`](super::Hasher::new).
pub fn many(algorithm: Algorithm, messages: &[&[u8]], control: &Control) -> Result<Vec<u8>> {
    many_with(None, algorithm, messages, control)
}

/// [`many()`] on one backend alone, for tests and measurements. It has no say over SHA-384 and SHA-512.
///
/// # Errors
/// As [`many()`]; `InvalidArgument` also when this CPU lacks the backend.
pub fn many_on(backend: Backend, algorithm: Algorithm, messages: &[&[u8]], control: &Control) -> Result<Vec<u8>> {
    many_with(Some(backend), algorithm, messages, control)
}

fn many_with(backend: Option<Backend>, algorithm: Algorithm, messages: &[&[u8]], control: &Control) -> Result<Vec<u8>> {
    control.check()?;
    let ladder = backend.map_or_else(Ladder::chosen, Ladder::of)?;
    let Some(mut feed) = Messages::new(algorithm, messages, ladder.lanes(), control) else {
        return one_by_one(algorithm, messages, control);
    };
    driver::run(&ladder, &mut feed, control)?;
    Ok(feed.into_digests())
}

/// The initial hash value of the algorithms that have lanes.
pub(super) const fn initial(algorithm: Algorithm) -> Option<State> {
    match algorithm {
        Algorithm::Sha224 => Some(INITIAL_224),
        Algorithm::Sha256 => Some(INITIAL_256),
        Algorithm::Sha384 | Algorithm::Sha512 => None,
    }
}

fn one_by_one(algorithm: Algorithm, messages: &[&[u8]], control: &Control) -> Result<Vec<u8>> {
    let mut digests = Vec::with_capacity(messages.len() * algorithm.digest_len());
    for message in messages {
        digests.extend(super::digest(algorithm, message, control)?);
    }
    Ok(digests)
}

/// Messages in memory, each hashed where it lies: only what follows its last whole block is copied.
pub(super) struct Messages<'a> {
    messages: &'a [&'a [u8]],
    order: Option<Vec<usize>>,
    taken: usize,
    slots: Vec<Slot<'a>>,
    initial: State,
    digests: Vec<u8>,
    digest_len: usize,
    control: &'a Control,
}

impl<'a> Messages<'a> {
    /// A feed for `lanes` lanes, longest message first where that pays; `None` for an algorithm without lanes.
    pub(super) fn new(
        algorithm: Algorithm,
        messages: &'a [&'a [u8]],
        lanes: usize,
        control: &'a Control,
    ) -> Option<Self> {
        let initial = initial(algorithm)?;
        let sizes: Vec<u64> = messages.iter().map(|message| schedule::blocks(message.len() as u64)).collect();
        Some(Self {
            messages,
            order: schedule::order(&sizes, lanes),
            taken: 0,
            slots: vec![Slot::EMPTY; lanes],
            initial,
            digests: vec![0; messages.len() * algorithm.digest_len()],
            digest_len: algorithm.digest_len(),
            control,
        })
    }

    /// The digests, in the order of the messages.
    pub(super) fn into_digests(self) -> Vec<u8> {
        self.digests
    }

    /// Lets messages enter lanes in the order they came in.
    #[cfg(test)]
    pub(super) fn keep_order(&mut self) {
        self.order = None;
    }
}

#[derive(Clone)]
struct Slot<'a> {
    message: usize,
    body: &'a [Block],
    tail: Tail,
    /// Blocks of the tail that are compressed.
    tail_done: usize,
}

impl Slot<'_> {
    const EMPTY: Self = Self { message: 0, body: &[], tail: Tail::EMPTY, tail_done: 0 };
}

impl Feed for Messages<'_> {
    fn begin(&mut self, slot: usize) -> Result<Option<State>> {
        if self.taken == self.messages.len() {
            return Ok(None);
        }
        let message = self.order.as_ref().map_or(self.taken, |order| order[self.taken]);
        self.taken += 1;
        let bytes = self.messages[message];
        let (body, rest) = bytes.as_chunks();
        let slot = &mut self.slots[slot];
        (slot.message, slot.body, slot.tail_done) = (message, body, 0);
        slot.tail.pad(rest, bytes.len() as u64);
        Ok(Some(self.initial))
    }

    fn blocks(&self, slot: usize) -> &[Block] {
        let slot = &self.slots[slot];
        if slot.body.is_empty() { &slot.tail.blocks()[slot.tail_done..] } else { slot.body }
    }

    fn consume(&mut self, slot: usize, count: usize) {
        let slot = &mut self.slots[slot];
        if slot.body.is_empty() {
            slot.tail_done += count;
        } else {
            slot.body = &slot.body[count..];
        }
    }

    fn refill(&mut self, _slot: usize) -> Result<bool> {
        Ok(false)
    }

    fn end(&mut self, slot: usize, state: State) {
        let message = self.slots[slot].message;
        let at = message * self.digest_len;
        self.digests[at..at + self.digest_len].copy_from_slice(&to_bytes(&state)[..self.digest_len]);
        self.control.advance(self.messages[message].len() as u64);
    }
}
