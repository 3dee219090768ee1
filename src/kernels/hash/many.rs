//! Digests of many messages that lie in memory.

use super::algorithm::Algorithm;
use super::backend::Backend;
use super::constants::{Block, INITIAL_224, INITIAL_256, State};
use super::driver::{self, Feed};
use super::ladder::Ladder;
use super::schedule;
use super::stream::{Tail, to_bytes};
use super::waves;
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
    let Some(initial) = initial(algorithm) else {
        return one_by_one(algorithm, messages, control);
    };
    let mut digests = vec![0; messages.len() * algorithm.digest_len()];
    let mut order = order(messages, ladder.lanes());
    if let Some(kernel) = ladder.widest() {
        let into = (digests.as_mut_slice(), algorithm.digest_len());
        order = Some(waves::run(kernel, &initial, messages, order.as_deref(), into, control)?);
    }
    let mut feed = Messages::new(initial, messages, order, ladder.lanes(), digests, control);
    driver::run(&ladder, &mut feed, control)?;
    Ok(feed.into_digests())
}

/// The order in which messages enter the lanes; `None` for the one they came in.
fn order(messages: &[&[u8]], lanes: usize) -> Option<Vec<usize>> {
    let blocks = |message: &&[u8]| schedule::blocks(message.len() as u64);
    let first = messages.first().map(blocks)?;
    // Many messages of one size are the most common, and need no list of sizes.
    if messages.iter().all(|message| blocks(message) == first) {
        return None;
    }
    let sizes: Vec<u64> = messages.iter().map(blocks).collect();
    schedule::order(&sizes, lanes)
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
    /// The messages to be hashed, as they shall enter the lanes; `None` for all of them.
    order: Option<Vec<usize>>,
    taken: usize,
    slots: Vec<Slot<'a>>,
    initial: State,
    digests: Vec<u8>,
    digest_len: usize,
    control: &'a Control,
}

impl<'a> Messages<'a> {
    /// A feed for `lanes` lanes of the messages that `order` names, or of all. Their digests, each as long as its share
    /// of `digests`, get their places there.
    pub(super) fn new(
        initial: State,
        messages: &'a [&'a [u8]],
        order: Option<Vec<usize>>,
        lanes: usize,
        digests: Vec<u8>,
        control: &'a Control,
    ) -> Self {
        let digest_len = digests.len() / messages.len().max(1);
        Self { messages, order, taken: 0, slots: vec![Slot::EMPTY; lanes], initial, digests, digest_len, control }
    }

    /// The digests, in the order of the messages.
    pub(super) fn into_digests(self) -> Vec<u8> {
        self.digests
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
        let message = match &self.order {
            Some(order) => order.get(self.taken).copied(),
            None => Some(self.taken).filter(|&message| message < self.messages.len()),
        };
        let Some(message) = message else {
            return Ok(None);
        };
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
