//! Messages of one shape, as many at a time as there are lanes: they begin and end together.
//!
//! What the lane scheduler does for every message (its place, its state, its turn) is done here once for a wave, which
//! for messages of a block or two is more than the hashing. Whatever finds no wave is left to the scheduler.

use super::constants::{BLOCK, State};
use super::lanes::{Common, Inputs, Kernel, MAX_LANES, States};
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
    let mut wave = Wave { kernel, initial: *initial, tails: [Tail::EMPTY; MAX_LANES], padding: None };
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
        let states = wave.hash(|lane| messages[nth(at + lane)], control)?;
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

/// What one wave leaves to the next.
struct Wave {
    kernel: Kernel,
    initial: State,
    tails: [Tail; MAX_LANES],
    /// The last block of messages of this length, which holds nothing of them.
    padding: Option<(usize, Common)>,
}

impl Wave {
    /// The chaining values of as many messages as there are lanes, all of one shape.
    fn hash<'a>(&mut self, message: impl Fn(usize) -> &'a [u8], control: &Control) -> Result<States> {
        let kernel = self.kernel;
        let mut states = States::new();
        states.set_all(&self.initial);
        let mut bodies: Inputs = [&[]; MAX_LANES];
        let length = message(0).len();
        let (mut bytes, mut is_one_length) = (0, true);
        for (lane, body) in bodies.iter_mut().take(kernel.lanes()).enumerate() {
            let message = message(lane);
            *body = message.as_chunks().0;
            bytes += message.len() as u64;
            is_one_length &= message.len() == length;
        }
        // Whether the last block is padding alone, and the same for all.
        let rest = length % BLOCK;
        let has_common = is_one_length && (rest == 0 || !fits_one(rest));
        if rest > 0 || !has_common {
            for (lane, tail) in self.tails.iter_mut().take(kernel.lanes()).enumerate() {
                let message = message(lane);
                tail.pad(message.as_chunks::<BLOCK>().1, message.len() as u64);
            }
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
        if rest > 0 || !has_common {
            let count = self.tails[0].blocks().len() - usize::from(has_common);
            let ends: Inputs = std::array::from_fn(|lane| self.tails[lane].blocks());
            kernel.compress(&mut states, &ends, count);
        }
        if has_common {
            kernel.compress_common(&mut states, self.padding(length));
        }
        control.advance(bytes);
        Ok(states)
    }

    /// The last block of messages of `length` bytes, where it holds none of them.
    fn padding(&mut self, length: usize) -> &Common {
        if self.padding.as_ref().is_none_or(|(of, _)| *of != length) {
            self.padding = None;
        }
        let (_, common) = self.padding.get_or_insert_with(|| {
            let rest = length % BLOCK;
            let tail = Tail::new(&[0; BLOCK][..rest], length as u64);
            (length, Common::new(tail.blocks()[tail.blocks().len() - 1]))
        });
        common
    }
}
