//! One JavaScript environment's part in the broadcast: the channels it has open, what it sends and what it reads.

use super::channels::{self, Key};
use super::layout;
use super::pace::{Pace, Wake};
use super::reader::Reader;
use super::ring::Ring;
use super::room;
use super::seat::{self, Seat};
use super::wake;
use super::writer::{self, Message, Outcome};
use crate::sys::clock::monotonic_nanos;
use std::cell::Cell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long an event loop may wait for the senders' lock.
pub const PATIENCE: Duration = Duration::from_millis(2);
/// How long opening and listening may wait: rare, and there is no other way to say no.
const LONG: Duration = Duration::from_millis(200);
/// Up to so many seats a sender wakes all by itself when it wakes them now: that costs it some 2 us for each sleeper, and
/// who is called to do it comes to it later.
const FEW: usize = 16;
/// The longest message, in bytes.
pub const LARGEST_MESSAGE: usize = 1 << 30;

/// A channel this environment knows.
#[derive(Debug)]
pub struct Channel {
    pub(super) key: Key,
    /// Its messages are handed over.
    pub(super) listens: bool,
    /// The one object that listens, when it is only one: what it sent itself concerns nobody here. 0: there are several.
    pub(super) sole: u32,
    /// Records before this position came before it listened.
    pub(super) since: u64,
    /// The number its next message should have.
    pub(super) expected: u64,
    /// Some may be missing: the number its next message had when that was found out.
    pub(super) gap: Option<u64>,
    /// What this environment has sent and not read back: numbers and objects.
    pub(super) own: VecDeque<(u64, u32)>,
}

/// One environment. It belongs to the thread that made it.
#[derive(Debug)]
pub struct Station {
    pub(super) ring: Arc<Ring>,
    pub(super) seat: Seat,
    pub(super) channels: Vec<Channel>,
    pub(super) by_hash: HashMap<u64, Vec<usize>>,
    /// Numbers of forgotten channels.
    vacant: Vec<usize>,
    /// How many channels are listened to.
    listening: usize,
    pub(super) reader: Option<Reader>,
    pub(super) large: VecDeque<Vec<u8>>,
    pace: Pace,
    /// It has called a reader to wake the rest, see [`Ring::follow_up`].
    called: Option<u64>,
    /// What it was told when it last said that it sleeps.
    armed: Cell<u64>,
}

impl Station {
    /// Takes part.
    ///
    /// # Errors
    /// `WouldBlock` when the lock cannot be had, `QuotaExceeded` when too many take part already.
    pub fn new(ring: &Arc<Ring>) -> io::Result<Self> {
        let seat = Seat::take(ring, LONG)?;
        Ok(Self {
            ring: Arc::clone(ring),
            seat,
            channels: Vec::new(),
            by_hash: HashMap::new(),
            vacant: Vec::new(),
            listening: 0,
            reader: None,
            large: VecDeque::new(),
            pace: Pace::default(),
            called: None,
            armed: Cell::new(0),
        })
    }

    /// The number by which this environment knows a channel from now on.
    pub fn channel(&mut self, name: &str) -> u32 {
        let key = Key::new(name);
        let known = self.by_hash.entry(key.hash).or_default();
        if let Some(&index) = known.iter().find(|&&index| self.channels[index].key == key) {
            return index as u32;
        }
        let (listens, own) = (false, VecDeque::new());
        let channel = Channel { key, listens, sole: 0, since: 0, expected: 0, gap: None, own };
        let index = self.vacant.pop().unwrap_or(self.channels.len());
        known.push(index);
        match self.channels.get_mut(index) {
            Some(vacant) => *vacant = channel,
            None => self.channels.push(channel),
        }
        index as u32
    }

    /// Lets go of a channel that nobody here has open: its number may be given to another. One that is listened to stays.
    pub fn forget(&mut self, channel: u32) {
        let index = channel as usize;
        let Some(one) = self.channels.get_mut(index).filter(|one| !one.listens) else { return };
        let Entry::Occupied(mut known) = self.by_hash.entry(one.key.hash) else { return };
        known.get_mut().retain(|&at| at != index);
        if known.get().is_empty() {
            known.remove();
        }
        // No channel has this hash: forgotten twice is forgotten once.
        one.key = Key { hash: 0, name: Box::default() };
        self.vacant.push(index);
    }

    /// How many objects listen to a channel, and which, when it is one: from now on its messages are handed over, or not
    /// any more.
    ///
    /// # Errors
    /// `WouldBlock` when the lock cannot be had.
    pub fn listen(&mut self, channel: u32, objects: u32, sole: u32) -> io::Result<()> {
        let Some(one) = self.channels.get_mut(channel as usize) else { return Ok(()) };
        one.sole = sole;
        if one.listens == (objects > 0) {
            return Ok(());
        }
        if objects == 0 {
            one.listens = false;
            one.own.clear();
            one.gap = None;
            // Counted: to look through all of them for each that is closed takes minutes where there are 100,000.
            self.listening -= 1;
            if self.listening == 0 {
                self.stop_reading();
            }
            return Ok(());
        }
        let guard = self.ring.lock(LONG).ok_or(io::ErrorKind::WouldBlock)?;
        if self.reader.is_none() {
            self.reader = Some(Reader::new(self.seat.listen(&guard)));
        }
        let expected = channels::count(&guard, &self.ring, one.key.hash);
        (one.listens, one.since, one.expected) = (true, self.ring.head(), expected);
        self.listening += 1;
        Ok(())
    }

    /// How long the ring may be full on this environment's account, in milliseconds; `u32::MAX`: for ever.
    pub fn set_max_lag(&self, milliseconds: u32) {
        self.seat.set_max_lag(milliseconds);
    }

    /// Sends a message, see [`writer::publish`]. Whoever sleeps on it is woken, at the latest by
    /// [`end_turn`](Self::end_turn). `Full` also wakes whoever sleeps on what is in the ring, and asks to be woken when
    /// there is room.
    ///
    /// # Errors
    /// No memory for the ring; `InvalidInput` for an unknown channel or a message above [`LARGEST_MESSAGE`].
    pub fn publish(
        &mut self,
        (channel, object, kind): (u32, u32, u8),
        payload: &[u8],
        from: usize,
        whole: bool,
    ) -> io::Result<Outcome> {
        self.ring.provide_memory()?;
        let Some(one) = self.channels.get_mut(channel as usize) else { return Err(io::ErrorKind::InvalidInput.into()) };
        if payload.len() > LARGEST_MESSAGE || from > payload.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let message = Message { channel: &one.key, env: self.seat.env(), object, kind, payload };
        let mut outcome = writer::publish(&self.ring, &message, from, whole, PATIENCE);
        if outcome == Outcome::Full {
            room::want(&self.ring, writer::needed(&self.ring, &message, from, whole));
            // What a reader freed before it could see that somebody waits.
            outcome = writer::publish(&self.ring, &message, from, whole, PATIENCE);
        }
        if let Outcome::Sent(number) = outcome
            && one.listens
        {
            one.own.push_back((number, object));
        }
        if !matches!(outcome, Outcome::Sent(_)) {
            // Of a sender that died readers may be asleep on a full ring.
            self.ring.wake();
        } else {
            self.wake();
        }
        Ok(outcome)
    }

    fn wake(&mut self) {
        match self.pace.sent(monotonic_nanos()) {
            Wake::Later => {}
            Wake::Now if seat::used(&self.ring) <= FEW => {
                self.ring.wake();
            }
            Wake::Now | Wake::Meanwhile => self.called = self.ring.call().or(self.called),
        }
    }

    /// Whether [`end_turn`](Self::end_turn) must come.
    pub fn has_to_end_turn(&self) -> bool {
        self.pace.owes() || self.called.is_some()
    }

    /// It was called: wakes the rest, unless somebody has.
    pub fn answer(&self) {
        self.ring.answer(self.armed.get());
    }

    /// Before the event loop sleeps, when it [has to](Self::has_to_end_turn): wakes who still sleeps on what was sent, also
    /// those whom a reader that was called has not come to wake yet.
    pub fn end_turn(&mut self) {
        let called = self.called.take();
        if self.pace.end_turn() {
            self.ring.wake();
        } else if let Some(asleep) = called {
            self.ring.follow_up(asleep);
        }
    }

    /// Whether a message of `bytes` can be sent at once when the ring is empty.
    pub fn fits(&self, bytes: usize) -> bool {
        (bytes as u64) <= self.ring.size() / 2
    }

    /// Whether it listens to any channel.
    pub fn listens(&self) -> bool {
        self.reader.is_some()
    }

    /// Something to read has come.
    pub fn has_news(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.position() != self.ring.head())
    }

    /// Before the event loop sleeps: says that it must be woken. Answers whether something has come meanwhile.
    pub fn rest(&self) -> bool {
        if self.reader.is_some() {
            self.armed.set(wake::arm(self.ring.u64(layout::ARMS)));
        }
        self.has_news()
    }

    /// The next payload that was too large for a batch.
    pub fn take_large(&mut self) -> Option<Vec<u8>> {
        self.large.pop_front()
    }

    fn stop_reading(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.seat.stop_listening();
            room::moved(&self.ring, reader.position(), self.ring.head());
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.ring.wake();
    }
}
