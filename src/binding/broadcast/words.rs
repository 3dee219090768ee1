//! Words that JavaScript and this environment's part share (`js/broadcast/words.js`), so that they need not cross by
//! Node-API: what is to be sent, and when what is handed over came.

use crate::sys::clock::monotonic_nanos;
use napi::bindgen_prelude::Buffer;
use std::cell::RefCell;
use std::ops::Range;

/// The state of an order that nobody has looked at. The answer comes in its place.
const ORDERED: u32 = 1;
/// Behind the order, in bytes: when the messages of the last read came, in nanoseconds of the monotonic clock, as an f64.
const ARRIVAL: Range<usize> = 24..32;

/// What is to be sent: a word each, behind the state.
pub(super) struct Order {
    pub(super) channel: u32,
    pub(super) object: u32,
    pub(super) kind: u32,
    pub(super) start: u32,
    pub(super) length: u32,
}

/// The words; without any once their environment has ended.
pub(super) struct Words {
    bytes: RefCell<Option<Buffer>>,
}

impl Words {
    pub(super) fn new(bytes: Buffer) -> Self {
        Self { bytes: RefCell::new(Some(bytes)) }
    }

    /// An order that nobody has looked at.
    pub(super) fn take_order(&self) -> Option<Order> {
        let bytes = self.bytes.borrow();
        let (words, _) = bytes.as_deref()?.as_chunks::<4>();
        let word = |index: usize| words.get(index).map(|&bytes| u32::from_ne_bytes(bytes));
        (word(0)? == ORDERED).then_some(())?;
        Some(Order { channel: word(1)?, object: word(2)?, kind: word(3)?, start: word(4)?, length: word(5)? })
    }

    /// What has become of the order.
    pub(super) fn answer(&self, answer: i32) {
        if let Some(place) = self.bytes.borrow_mut().as_deref_mut().and_then(|bytes| bytes.first_chunk_mut::<4>()) {
            *place = answer.to_ne_bytes();
        }
    }

    /// What is read now has come now.
    pub(super) fn note_arrival(&self) {
        if let Some(place) = self.bytes.borrow_mut().as_deref_mut().and_then(|bytes| bytes.get_mut(ARRIVAL)) {
            place.copy_from_slice(&(monotonic_nanos() as f64).to_ne_bytes());
        }
    }

    /// The environment ends, and its memory with it.
    pub(super) fn let_go(&self) {
        drop(self.bytes.take());
    }
}
