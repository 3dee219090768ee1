//! The ring as `js/broadcast/ring.js` uses it.

mod listener;
mod words;

use super::failure::Failure;
use crate::broadcast::batch::{Batch, Single};
use crate::broadcast::process;
use crate::broadcast::reader::Progress;
use crate::broadcast::ring::Ring;
use crate::broadcast::station::Station;
use crate::broadcast::writer::Outcome;
use crate::error::Error;
use crate::sys::javascript::Callback;
use crate::sys::uv::{Loop, Report, Uv, Watcher};
use listener::{Called, Listener};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Either, Function};
use napi_derive::napi;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use words::{Order, Words};

/// In place of a count: no room.
const FULL: f64 = -1.0;
/// In place of a count: the lock could not be had.
const BUSY: f64 = -2.0;
/// In place of a count: all of it is sent.
const SENT: f64 = 0.0;

/// How a read went, as [`Broadcast::read`] tells it.
const DONE: u32 = 0;
/// See [`DONE`].
const MORE: u32 = 1;
/// See [`DONE`].
const AGAIN: u32 = 2;
/// See [`DONE`].
const RESTS: u32 = 3;

thread_local! {
    /// The parts of this thread's environment: several where JavaScript has loaded its side more than once.
    static SLOTS: RefCell<Vec<Option<Rc<Inner>>>> = const { RefCell::new(Vec::new()) };
}

/// The descriptors by which a worker opens the ring. They stay ours: lent for the time of the spawn.
#[napi(object, object_from_js = false)]
pub struct RingSeat {
    /// The memory.
    pub memory: i32,
    /// What wakes all.
    pub bell: i32,
    /// What wakes one.
    pub knocker: i32,
}

/// Makes the ring of this process, of `size` bytes, unless it has one, and tells what a worker inherits.
#[napi(catch_unwind)]
pub fn ring_seat(size: f64) -> Either<RingSeat, Failure> {
    match process::ring(None, size as u64) {
        Ok(ring) => {
            let [memory, bell, knocker] = ring.descriptors().map(|fd| fd.as_raw_fd());
            Either::A(RingSeat { memory, bell, knocker })
        }
        Err(error) => Either::B(failure("memfd_create", error)),
    }
}

/// Wakes all readers: a process has died, perhaps between its commit and its ring.
#[napi(catch_unwind)]
pub fn wake_ring() {
    if let Some(ring) = process::existing() {
        ring.wake_all();
    }
}

/// Sends what the order says with which a part was opened: the words 1, channel, object, kind, start, length, for `length`
/// bytes from `start` on of the scratch buffer, whole. Puts the answer in place of the 1, as `publish` gives it. What a
/// busy sender does most, and a rare one with everything cold: so nothing crosses by Node-API but the call.
#[napi(catch_unwind)]
pub fn send_broadcast() -> napi::Result<()> {
    send_ordered(None)
}

/// The same for bytes of `payload` in place of the scratch buffer.
#[napi(catch_unwind)]
pub fn send_broadcast_of(payload: BufferSlice) -> napi::Result<()> {
    send_ordered(Some(&payload))
}

fn send_ordered(payload: Option<&[u8]>) -> napi::Result<()> {
    SLOTS.with_borrow(|slots| {
        for inner in slots.iter().flatten() {
            if let Some(order) = inner.words.take_order() {
                // Looked at once, also where it fails: another part's order must not send it again.
                inner.words.answer(FULL as i32);
                let answer = inner.send(order, payload)?;
                inner.words.answer(answer as i32);
            }
        }
        Ok(())
    })
}

/// One environment's part in the broadcast. Made once per loaded module.
#[napi]
pub struct Broadcast {
    inner: Rc<Inner>,
}

struct Inner {
    /// `None` once closed.
    station: RefCell<Option<Station>>,
    /// Where JavaScript puts most of what is sent; let go of with the environment.
    scratch: RefCell<Option<Buffer>>,
    /// Where it says what of that is to be sent, and finds when what it reads came; let go of with the environment.
    words: Words,
    /// Where it finds what has come; let go of with the environment.
    batch: RefCell<Option<Buffer>>,
    ring: Arc<Ring>,
    bell: Ear,
    knocker: Ear,
    /// Something waits for room: every ring is of interest.
    waits: Cell<bool>,
}

/// How the loop listens to one of the ring's descriptors.
#[derive(Default)]
struct Ear {
    /// `None` once closed.
    watcher: RefCell<Option<Watcher>>,
    /// What the loop is told; `None`: every turn, as from the start, until it has been told once.
    reported: Cell<Option<Report>>,
}

impl Ear {
    /// Tells the loop what to report, also for the first time.
    fn listen(&self, how: Report) -> io::Result<()> {
        if self.reported.get() != Some(how)
            && let Some(watcher) = &*self.watcher.borrow()
        {
            watcher.report(how)?;
            self.reported.set(Some(how));
        }
        Ok(())
    }

    /// The same for one that has been heard before.
    fn attune(&self, how: Report) -> io::Result<()> {
        if self.reported.get().is_some() { self.listen(how) } else { Ok(()) }
    }
}

impl Inner {
    fn reads(&self) -> bool {
        self.station.borrow().as_ref().is_some_and(Station::listens)
    }

    /// Listens when there is something to hear, and else not: a loop that only sends would wake for every ring of its own.
    fn attune(&self) -> io::Result<()> {
        self.bell.attune(self.bell_report())?;
        self.knocker.attune(self.knocker_report())
    }

    fn bell_report(&self) -> Report {
        if self.waits.get() || self.reads() { Report::Edges } else { Report::Nothing }
    }

    fn knocker_report(&self) -> Report {
        if self.reads() { Report::One } else { Report::Nothing }
    }

    /// Looks before the loop sleeps whether somebody is to be woken yet.
    fn end_turn_later(&self, station: &Station) {
        if station.has_to_end_turn()
            && let Some(watcher) = &*self.bell.watcher.borrow()
        {
            watcher.next_turn();
        }
    }

    /// See [`Broadcast::read`]; and the message, if it was one, short and of plain text.
    fn read(&self) -> (u32, Option<Single>) {
        let (mut station, mut buffer) = (self.station.borrow_mut(), self.batch.borrow_mut());
        let (Some(station), Some(buffer)) = (&mut *station, &mut *buffer) else { return (DONE, None) };
        self.words.note_arrival();
        let mut batch = Batch::new(buffer);
        let progress = match station.read(&mut batch) {
            Progress::Done if batch.entries() > 1 => DONE,
            Progress::Done if station.rest() => MORE,
            Progress::Done => RESTS,
            Progress::More => MORE,
            Progress::Busy => AGAIN,
        };
        let single = if progress == RESTS { batch.single() } else { None };
        (batch.finish() as u32 * 4 + progress, single)
    }

    fn send(&self, order: Order, payload: Option<&[u8]>) -> napi::Result<f64> {
        let Order { channel, object, kind, start, length } = order;
        let scratch = self.scratch.borrow();
        let bytes = payload.or(scratch.as_deref());
        let bytes = bytes.and_then(|bytes| bytes.get(start as usize..)?.get(..length as usize));
        self.publish((channel, object, kind as u8), bytes.unwrap_or_default(), 0, true)
    }

    fn publish(&self, message: (u32, u32, u8), payload: &[u8], from: usize, whole: bool) -> napi::Result<f64> {
        let mut station = self.station.borrow_mut();
        let Some(station) = &mut *station else { return Ok(FULL) };
        let outcome = station.publish(message, payload, from, whole)?;
        self.end_turn_later(station);
        Ok(match outcome {
            Outcome::Sent(_) => SENT,
            Outcome::Partly(bytes) => bytes as f64,
            Outcome::Full => FULL,
            Outcome::Busy => BUSY,
        })
    }
}

#[napi]
impl Broadcast {
    /// Takes part in the ring this process inherited, as `seat` says, or in a new one of `size` bytes. `sendBroadcast`
    /// takes messages from `scratch` as `words` say, and `batch` is filled with those that come; all must keep their
    /// memory. `wake` is called from the event loop with what `read()` would have answered, or when there is perhaps room
    /// for what waits. With one short message of plain text, after which nothing is left, come the message's kind, channel
    /// and object and its text, too.
    #[napi(factory, catch_unwind)]
    pub fn open(
        env: Env,
        seat: Option<String>,
        size: f64,
        scratch: Buffer,
        words: Buffer,
        batch: Buffer,
        #[napi(ts_arg_type = "(answer: number, kind: number, channel: number, object: number, text: string) => void")]
        wake: Function<(), ()>,
    ) -> napi::Result<Self> {
        let ring = process::ring(seat.as_deref(), size as u64)?;
        let station = Station::new(&ring)?;
        let inner = Rc::new(Inner {
            station: RefCell::new(Some(station)),
            scratch: RefCell::new(Some(scratch)),
            words: Words::new(words),
            batch: RefCell::new(Some(batch)),
            bell: Ear::default(),
            knocker: Ear::default(),
            ring,
            waits: Cell::new(false),
        });
        let uv = Uv::get().ok_or_else(|| napi::Error::from_reason("libuv cannot be reached"))?;
        let callback = Callback::new(&env, &wake, "RUSTCLUSTER_BROADCAST")?;
        let listener = Rc::new(Listener { inner: Rc::clone(&inner), callback });
        let called = Rc::new(Called { listener: Rc::clone(&listener) });
        let uv_loop = Loop::at(env.get_uv_event_loop()?.cast());
        let watcher = Watcher::start(uv, uv_loop, inner.ring.bell().ear()?, listener)?;
        *inner.bell.watcher.borrow_mut() = Some(watcher);
        let watcher = Watcher::start(uv, uv_loop, inner.ring.knocker().ear()?, called)?;
        *inner.knocker.watcher.borrow_mut() = Some(watcher);
        // An ending environment must not be called into, and its life mutex is its thread's to unlock.
        let slot = take_slot(&inner);
        env.add_env_cleanup_hook(Rc::clone(&inner), move |inner| {
            SLOTS.with_borrow_mut(|slots| slots[slot as usize] = None);
            drop(inner.bell.watcher.take());
            drop(inner.knocker.watcher.take());
            drop(inner.station.take());
            drop(inner.scratch.take());
            inner.words.let_go();
            drop(inner.batch.take());
        })?;
        Ok(Self { inner })
    }

    /// Bytes that the ring holds.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> f64 {
        self.inner.ring.size() as f64
    }

    /// Gives the ring its memory. Must come before the first `publish`.
    #[napi(catch_unwind)]
    pub fn provide_memory(&self) -> Option<Failure> {
        let ring = process::existing()?;
        ring.provide_memory().err().map(|error| failure("fallocate", error))
    }

    /// Whether the open channels keep the event loop running.
    #[napi(catch_unwind)]
    pub fn keep_alive(&self, alive: bool) {
        if let Some(watcher) = &*self.inner.bell.watcher.borrow() {
            watcher.keep_alive(alive);
        }
    }

    /// The number of a channel.
    #[napi(catch_unwind)]
    pub fn channel(&self, name: String) -> napi::Result<u32> {
        self.with(|station| station.channel(&name))
    }

    /// Nobody has this channel open any more: its number may be given to another.
    #[napi(catch_unwind)]
    pub fn forget(&self, channel: u32) -> napi::Result<()> {
        self.with(|station| station.forget(channel))
    }

    /// How many objects listen to a channel, and which, when it is one. False: the ring's lock could not be had.
    #[napi(catch_unwind)]
    pub fn listen(&self, channel: u32, objects: u32, sole: u32) -> napi::Result<bool> {
        let listens = self.with(|station| station.listen(channel, objects, sole).is_ok())?;
        self.inner.attune()?;
        Ok(listens)
    }

    /// How long the ring may be full on our account, in milliseconds; 0xffffffff: for ever.
    #[napi(catch_unwind)]
    pub fn set_max_lag(&self, milliseconds: u32) -> napi::Result<()> {
        self.with(|station| station.set_max_lag(milliseconds))
    }

    /// Sends what there is room for of `payload`, from byte `from` on. 0: all is sent; -1: no room; -2: the lock could
    /// not be had; else the bytes that are in the ring so far.
    #[napi(catch_unwind)]
    pub fn publish(&self, channel: u32, object: u32, kind: u32, payload: BufferSlice, from: u32) -> napi::Result<f64> {
        self.inner.publish((channel, object, kind as u8), &payload, from as usize, false)
    }

    /// Something waits for room, or nothing does any more.
    #[napi(catch_unwind)]
    pub fn wait_for_room(&self, waits: bool) -> napi::Result<()> {
        self.inner.waits.set(waits);
        Ok(self.inner.attune()?)
    }

    /// Fills the batch and tells how many bytes of it, times four, plus: 0 nothing is left, 1 there is more, 2 the lock is
    /// needed, so try again soon, 3 nothing is left and `rest()` has been done: after one message, which seldom has a
    /// second one behind it.
    #[napi(catch_unwind)]
    pub fn read(&self) -> u32 {
        self.inner.read().0
    }

    /// The next payload too large for a batch.
    #[napi(catch_unwind)]
    pub fn take_large(&self) -> Option<Buffer> {
        self.inner.station.borrow_mut().as_mut()?.take_large().map(Buffer::from)
    }

    /// All is read: `wake` shall be called when more comes. True: it has come meanwhile, so read on.
    #[napi(catch_unwind)]
    pub fn rest(&self) -> bool {
        self.inner.station.borrow().as_ref().is_some_and(Station::rest)
    }
}

/// The same number may be given again once its environment has ended.
fn take_slot(inner: &Rc<Inner>) -> u32 {
    SLOTS.with_borrow_mut(|slots| {
        let free = slots.iter().position(Option::is_none).unwrap_or(slots.len());
        slots.resize_with(slots.len().max(free + 1), || None);
        slots[free] = Some(Rc::clone(inner));
        free as u32
    })
}

impl Broadcast {
    fn with<T>(&self, act: impl FnOnce(&mut Station) -> T) -> napi::Result<T> {
        let mut station = self.inner.station.borrow_mut();
        station.as_mut().map(act).ok_or_else(|| napi::Error::from_reason("the environment is ending"))
    }
}

fn failure(syscall: &'static str, error: io::Error) -> Failure {
    Error::io(syscall, Path::new(""), error).into()
}
