//! What an environment's event loop does when it is woken for broadcasts.

use super::{Inner, RESTS};
use crate::sys::javascript::Callback;
use crate::sys::uv::Watched;
use std::rc::Rc;

/// Hears the bell.
pub(super) struct Listener {
    pub(super) inner: Rc<Inner>,
    pub(super) callback: Callback,
}

impl Watched for Listener {
    fn readable(&self) {
        // Reported on every turn, should this fail: a loop that looks too often is slow, one that is deaf is wrong.
        let _ = self.inner.bell.listen(self.inner.bell_report());
        self.hear();
    }

    fn turn(&self) {
        if let Some(station) = &mut *self.inner.station.borrow_mut() {
            station.end_turn();
        }
    }

    fn wants_turns(&self) -> bool {
        false
    }
}

impl Listener {
    fn hear(&self) {
        // Read here, so that what most often comes, one message, takes one crossing.
        match self.inner.read() {
            (answer, Some(single)) => {
                let words = [single.kind, single.channel, single.object];
                self.callback.call_with_text(answer as i32, words, single.text());
            }
            (RESTS, None) if !self.inner.waits.get() => {}
            (answer, None) => self.callback.call(answer as i32, [0; 3]),
        }
    }
}

/// The one that was called: wakes the rest before it looks for itself.
pub(super) struct Called {
    pub(super) listener: Rc<Listener>,
}

impl Watched for Called {
    fn readable(&self) {
        let inner = &self.listener.inner;
        // As for the bell.
        let _ = inner.knocker.listen(inner.knocker_report());
        if let Some(station) = &*inner.station.borrow() {
            station.answer();
        }
        self.listener.hear();
    }

    fn wants_turns(&self) -> bool {
        false
    }
}
