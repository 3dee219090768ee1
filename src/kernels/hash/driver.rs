//! Drives the kernels: keeps lanes filled from a [`Feed`] until it runs dry.

use super::constants::{Block, State};
use super::ladder::Ladder;
use super::lanes::{Inputs, MAX_LANES, States};
use super::schedule::{rung, stride};
use crate::error::Result;
use crate::kernels::control::Control;

/// Where lanes get their blocks from. A slot is a place for one message at a time, as long as the feed lives.
pub(super) trait Feed {
    /// The next message for an empty slot: its chaining value so far, or `None` when no message is left.
    ///
    /// After `Some`, [`blocks`](Self::blocks) of the slot is not empty.
    ///
    /// # Errors
    /// Whatever stops the whole job.
    fn begin(&mut self, slot: usize) -> Result<Option<State>>;

    /// The blocks the slot's message has at hand.
    fn blocks(&self, slot: usize) -> &[Block];

    /// Takes note that the first `count` of them are compressed.
    fn consume(&mut self, slot: usize, count: usize);

    /// Called when the slot has no blocks at hand: gets further ones, or says with `false` that the message is done.
    ///
    /// # Errors
    /// Whatever stops the whole job.
    fn refill(&mut self, slot: usize) -> Result<bool>;

    /// The message in the slot is done; this is its chaining value.
    fn end(&mut self, slot: usize, state: State);
}

/// Compresses all that `feed` has, in lanes.
///
/// # Errors
/// `Aborted`, looked at between calls of a kernel, and what the feed reports.
pub(super) fn run(ladder: &Ladder, feed: &mut impl Feed, control: &Control) -> Result<()> {
    let mut states = States::new();
    // Lane i works for slots[i]; the first `busy` lanes work.
    let mut slots = [0; MAX_LANES];
    let mut busy = 0;
    for slot in 0..ladder.lanes() {
        control.check()?;
        match feed.begin(slot)? {
            Some(state) => states.set(busy, &state),
            None => break,
        }
        slots[busy] = slot;
        busy += 1;
    }
    while busy > 0 {
        control.check()?;
        let used = advance(ladder, feed, &mut states, &slots[..busy]);
        // Downwards, so that the lane moved into a gap has been seen already.
        for lane in (0..used).rev() {
            let slot = slots[lane];
            if !feed.blocks(slot).is_empty() || feed.refill(slot)? {
                continue;
            }
            feed.end(slot, states.get(lane));
            if let Some(state) = feed.begin(slot)? {
                states.set(lane, &state);
            } else {
                busy -= 1;
                slots[lane] = slots[busy];
                let moved = states.get(busy);
                states.set(lane, &moved);
            }
        }
    }
    Ok(())
}

/// One call of the kernel that suits this many lanes. Returns how many of them, from the first on, it served.
fn advance(ladder: &Ladder, feed: &mut impl Feed, states: &mut States, slots: &[usize]) -> usize {
    let Some(index) = rung(ladder.rungs().iter().map(|(rung, _)| *rung), slots.len()) else {
        let blocks = feed.blocks(slots[0]);
        let count = stride(std::iter::once(blocks.len()));
        let mut state = states.get(0);
        ladder.stream()(&mut state, &blocks[..count]);
        states.set(0, &state);
        feed.consume(slots[0], count);
        return 1;
    };
    let (_, kernel) = ladder.rungs()[index];
    let slots = &slots[..slots.len().min(kernel.lanes())];
    // Lanes without work do the first one's again; nobody reads their state.
    let mut inputs: Inputs = [feed.blocks(slots[0]); MAX_LANES];
    for (input, slot) in inputs.iter_mut().zip(slots) {
        *input = feed.blocks(*slot);
    }
    let count = stride(inputs[..slots.len()].iter().map(|input| input.len()));
    kernel.compress(states, &inputs, count);
    for slot in slots {
        feed.consume(*slot, count);
    }
    slots.len()
}
