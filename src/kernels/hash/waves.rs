//! Messages of one shape, as many at a time as there are lanes: they begin and end together.
//!
//! What the lane scheduler does for every message (its place, its state, its turn) is done here once for a wave, which
//! for messages of a block or two is more than the hashing. Whatever finds no wave is left to the scheduler.

use super::constants::{BLOCK, State};
use super::lanes::{Inputs, Kernel, MAX_LANES, States};
use super::schedule::STRIDE;
use super::stream::{Tail, fits_one, to_bytes};
use crate::error::Result;
use crate::kernels::control::Control;

/// Hashes every wave found in `messages`, looked at in `order` where there is one, and writes their digests,
/// `digest_len` bytes each, to their places in `digests`. Returns the messages left over, in the order they were seen.
///
/// `control` counts the bytes of the messages that are done.
///
/// # Errors
/// `Aborted`, looked at between calls of the kernel.
pub(super) fn run(
    kernel: Kernel,
    initial: &State,
    messages: &[&[u8]],
    order: Option<&[usize]>,
    digests: (&mut [u8], usize),
    control: &Control,
) -> Result<Vec<usize>> {
    let mut tails = [Tail::EMPTY; MAX_LANES];
    let (digests, digest_len) = digests;
    let nth = |place: usize| order.map_or(place, |order| order[place]);
    let mut left = Vec::new();
    let mut at = 0;
    while at < messages.len() {
        let places = at..(at + kernel.lanes()).min(messages.len());
        let first = shape(messages[nth(at)]);
        let is_wave =
            places.len() == kernel.lanes() && places.clone().all(|place| shape(messages[nth(place)]) == first);
        if !is_wave {
            left.push(nth(at));
            at += 1;
            continue;
        }
        let states = hash(kernel, initial, &mut tails, |lane| messages[nth(at + lane)], control)?;
        for (lane, place) in places.enumerate() {
            let digest = &mut digests[nth(place) * digest_len..][..digest_len];
            digest.copy_from_slice(&to_bytes(&states.get(lane))[..digest_len]);
        }
        at += kernel.lanes();
    }
    Ok(left)
}

/// What messages of one wave share: whole blocks, and whether the padding fits into one block more.
const fn shape(message: &[u8]) -> (usize, bool) {
    (message.len() / BLOCK, fits_one(message.len() % BLOCK))
}

/// The chaining values of as many messages as there are lanes, all of one shape.
fn hash<'a>(
    kernel: Kernel,
    initial: &State,
    tails: &mut [Tail; MAX_LANES],
    message: impl Fn(usize) -> &'a [u8],
    control: &Control,
) -> Result<States> {
    let mut states = States::new();
    states.set_all(initial);
    let mut bodies: Inputs = [&[]; MAX_LANES];
    let mut bytes = 0;
    for (lane, (body, tail)) in bodies.iter_mut().zip(&mut *tails).take(kernel.lanes()).enumerate() {
        let message = message(lane);
        let (blocks, rest) = message.as_chunks();
        *body = blocks;
        tail.pad(rest, message.len() as u64);
        bytes += message.len() as u64;
    }
    while !bodies[0].is_empty() {
        control.check()?;
        let count = bodies[0].len().min(STRIDE);
        kernel.compress(&mut states, &bodies, count);
        for body in &mut bodies[..kernel.lanes()] {
            *body = &body[count..];
        }
    }
    control.check()?;
    let ends: Inputs = std::array::from_fn(|lane| tails[lane].blocks());
    kernel.compress(&mut states, &ends, ends[0].len());
    control.advance(bytes);
    Ok(states)
}
