//! A worker's channel as `js/dispatch/child.js` uses it, read on the event loop itself or by a thread that wakes it.

mod on_loop;

use super::dispatch::WorkerLoad;
use crate::dispatch::channel::{Channel as Inner, Past, Taken};
use crate::dispatch::keeper::{Keeper, Marks};
use crate::sys::epoll::{Epoll, Events, Waker, wait};
use crate::sys::javascript::{self, Callback};
use crate::sys::uv::{Loop, Uv, Watcher};
use crate::sys::{process, socket};
use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use on_loop::OnLoop;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, IntoRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Instead of a descriptor: this process has no room for another, look again later.
const FULL: i32 = -1;
/// Instead of a descriptor: there is none.
const EMPTY: i32 = -2;
/// Instead of a descriptor: the primary is gone.
const CLOSED: i32 = -3;

/// Wakes JavaScript: no arguments, no error to hand over.
type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

/// How connections reach the event loop.
enum Transport {
    None,
    Uv(OnLoops),
    Thread(Reader),
}

/// A worker's channel to its primary.
#[napi]
pub struct Channel {
    inner: Arc<Inner>,
    transport: Rc<RefCell<Transport>>,
    /// What the last connection taken had behind it.
    past: Rc<Cell<Past>>,
    /// The connections this worker has accepted by itself, by descriptor.
    marks: Rc<Marks>,
    /// Where they are kept; made with the first listening socket.
    keeper: Rc<OnceCell<Keeper>>,
}

/// What is watched on the loop itself: the channel, and the listening sockets by their numbers.
struct OnLoops {
    channel: Watcher,
    listeners: HashMap<u32, Watcher>,
}

#[napi]
impl Channel {
    /// Takes over the two inherited descriptors; `slot` is the worker's place in the shared memory.
    #[napi(constructor, catch_unwind)]
    pub fn new(channel: i32, memory: i32, slot: u32) -> napi::Result<Self> {
        let inner = Inner::open(channel, memory, slot as usize).map_err(refuse)?;
        let transport = Rc::new(RefCell::new(Transport::None));
        Ok(Self { inner: Arc::new(inner), transport, past: Rc::default(), marks: Marks::new(), keeper: Rc::default() })
    }

    /// Calls `on_connection(fd, server, idle)` from the event loop, one call a connection. `idle`: for how many
    /// milliseconds more it may stay idle, 0: it is new, 2 ** 32 - 1: there is no limit. A negative `fd` is no connection:
    /// -1 this process has no room for another descriptor (call `pause()`, later `resume()`), -3 the primary is gone.
    /// Answers false where libuv cannot be reached.
    #[napi(catch_unwind, ts_args_type = "onConnection: (fd: number, server: number, idle: number) => void")]
    pub fn watch(&self, env: Env, on_connection: Function<(), ()>) -> napi::Result<bool> {
        let Some(uv) = Uv::get() else { return Ok(false) };
        let callback = Callback::new(&env, &on_connection, "RUSTCLUSTER")?;
        let uv_loop = Loop::at(env.get_uv_event_loop()?.cast());
        let receiver = OnLoop {
            inner: Arc::clone(&self.inner),
            past: Rc::clone(&self.past),
            callback: Rc::new(callback),
            uv,
            uv_loop,
            transport: Rc::downgrade(&self.transport),
            marks: Rc::clone(&self.marks),
            keeper: Rc::clone(&self.keeper),
        };
        let descriptor = Arc::clone(self.inner.descriptor());
        let channel = Watcher::start(uv, uv_loop, descriptor, Rc::new(receiver)).map_err(refuse)?;
        self.inner.beat();
        self.adopt(&env, Transport::Uv(OnLoops { channel, listeners: HashMap::new() }))?;
        Ok(true)
    }

    /// Calls `wake()` from the event loop whenever there may be a connection to `take()`, until `resume()` is called.
    #[napi(catch_unwind)]
    pub fn watch_from_thread(&self, env: Env, wake: Function<(), ()>) -> napi::Result<()> {
        let wake: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let reader = Reader::start(Arc::clone(&self.inner), wake).map_err(refuse)?;
        self.adopt(&env, Transport::Thread(reader))
    }

    /// Takes one connection: its descriptor, which is the caller's from here on, the server it is for, and how long it
    /// may stay idle; a negative descriptor as for `watch`, -2: there is none.
    #[napi(catch_unwind)]
    pub fn take(&self) -> Vec<i64> {
        let (fd, server) = take(&self.inner, &self.past);
        vec![i64::from(fd), i64::from(server), i64::from(self.past.get().idle)]
    }

    /// Reports no connections until `resume()`.
    #[napi(catch_unwind)]
    pub fn pause(&self) {
        if let Transport::Uv(OnLoops { channel, listeners }) = &*self.transport.borrow() {
            listeners.values().chain([channel]).for_each(Watcher::pause);
        }
    }

    /// Reports connections again.
    #[napi(catch_unwind)]
    pub fn resume(&self) -> napi::Result<()> {
        match &*self.transport.borrow() {
            Transport::Uv(OnLoops { channel, listeners }) => {
                listeners.values().chain([channel]).try_for_each(Watcher::resume).map_err(refuse)
            }
            Transport::Thread(reader) => {
                reader.rearm.wake();
                Ok(())
            }
            Transport::None => Ok(()),
        }
    }

    /// Tells the primary that a server listens; false when the primary is gone.
    #[napi(catch_unwind)]
    pub fn ready(&self, server: u32) -> bool {
        let accepts = matches!(*self.transport.borrow(), Transport::Uv(_));
        self.inner.ready(server, accepts).is_ok()
    }

    /// Tells the primary that a server takes no more connections; false when the primary is gone.
    #[napi(catch_unwind)]
    pub fn leave(&self, server: u32) -> bool {
        if let Transport::Uv(OnLoops { listeners, .. }) = &mut *self.transport.borrow_mut() {
            listeners.remove(&server);
        }
        self.inner.leave(server).is_ok()
    }

    /// Sends the connection that was taken last back for another worker, and closes it here; false: it is lost.
    #[napi(catch_unwind)]
    pub fn give_back(&self, fd: i32, server: u32) -> bool {
        self.marks.clear(fd);
        let past = self.past.get();
        process::adopt(fd).is_ok_and(|socket| self.inner.give_back(socket, server, past).is_ok())
    }

    /// Passes a connection on to any worker, with how long it may stay idle as for `watch`. `fd` stays the caller's, who
    /// closes it when the answer is true, without `closed()`; false: nothing has changed, try again later.
    #[napi(catch_unwind)]
    pub fn pass_on(&self, fd: i32, server: u32, idle: u32) -> bool {
        let passed = process::borrow(fd, |socket| self.inner.pass_on(socket, server, idle)).is_ok();
        if passed {
            self.marks.clear(fd);
        }
        passed
    }

    /// The connection `fd`, which stays the caller's, is about to be closed with nothing read from it.
    #[napi(catch_unwind)]
    pub fn untouched(&self, fd: i32) {
        // One that is closed already has nothing to be told of.
        let _ = process::borrow(fd, |socket| {
            self.inner.untouched(socket);
            Ok(())
        });
    }

    /// The connection `fd`, which stays the caller's and has a mark, is about to be closed by an end that is not said to its
    /// client before nobody has it open.
    #[napi(catch_unwind)]
    pub fn release(&self, fd: i32) {
        if let Some(keeper) = self.keeper.get() {
            keeper.release(fd);
        }
    }

    /// A connection was taken by another way than this channel.
    #[napi(catch_unwind)]
    pub fn opened(&self) {
        self.inner.opened();
    }

    /// The count of connections this worker has open, to be changed by `Atomics` on an `Int32Array`: four bytes of the
    /// memory shared with the primary. Null where the engine allows no such buffer.
    #[napi(catch_unwind)]
    pub fn active<'env>(&self, env: &'env Env) -> Option<ArrayBuffer<'env>> {
        javascript::lend(env, self.inner.words().clone(), |words| from_ref(words.active_word()))
    }

    /// By descriptor modulo their number: not 0 for a connection that this worker has accepted by itself and keeps for the
    /// case that it dies. Whoever closes one writes 0. Null where the engine allows no such buffer.
    #[napi(catch_unwind)]
    pub fn marks<'env>(&self, env: &'env Env) -> Option<ArrayBuffer<'env>> {
        javascript::lend(env, Rc::clone(&self.marks), |marks| marks.words())
    }

    /// What this worker has open, as the primary sees it.
    #[napi(catch_unwind)]
    pub fn load(&self) -> WorkerLoad {
        self.inner.load().into()
    }

    /// A connection was closed.
    #[napi(catch_unwind)]
    pub fn closed(&self) {
        self.inner.closed();
    }

    /// Ends the watch; what has not been taken stays for the primary.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        drop(self.transport.replace(Transport::None));
    }
}

impl Channel {
    fn adopt(&self, env: &Env, transport: Transport) -> napi::Result<()> {
        *self.transport.borrow_mut() = transport;
        // An ending environment must not be called into.
        env.add_env_cleanup_hook(Rc::clone(&self.transport), |transport| drop(transport.replace(Transport::None)))?;
        Ok(())
    }
}

/// A TCP socket's descriptor, which is the caller's: JavaScript learns the class of its handles from it.
#[napi(catch_unwind)]
pub fn open_tcp_socket() -> napi::Result<i32> {
    Ok(socket::unconnected().map_err(refuse)?.into_raw_fd())
}

/// Closes a descriptor that is the caller's.
#[napi(catch_unwind)]
pub fn close_descriptor(fd: i32) {
    drop(process::adopt(fd));
}

/// Whether `watch()` can work in this program.
#[napi(catch_unwind)]
pub fn has_event_loop_access() -> bool {
    Uv::get().is_some()
}

fn take(inner: &Inner, past: &Cell<Past>) -> (i32, u32) {
    hand_out(inner.take(), past)
}

fn hand_out(taken: Taken, past: &Cell<Past>) -> (i32, u32) {
    match taken {
        Taken::Connection { socket, server, past: known } => {
            past.set(known);
            (socket.into_raw_fd(), server)
        }
        // Nobody has asked for a listening socket here.
        Taken::Empty | Taken::Listener { .. } => (EMPTY, 0),
        Taken::Full => (FULL, 0),
        Taken::Closed => (CLOSED, 0),
    }
}

/// A thread that waits for the channel to become readable, and then for JavaScript to have looked.
struct Reader {
    rearm: Arc<Waker>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(inner: Arc<Inner>, wake: Wake) -> io::Result<Self> {
        let (rearm, stopping) = (Arc::new(Waker::new()?), Arc::new(AtomicBool::new(false)));
        let epoll = Epoll::new()?;
        epoll.add(&*rearm, REARM, true)?;
        epoll.add(inner.descriptor(), READABLE, true)?;
        let (their_rearm, their_stopping) = (Arc::clone(&rearm), Arc::clone(&stopping));
        let wake = Mutex::new(wake);
        let body = move || {
            let loop_ = || read(&inner, &epoll, &their_rearm, &their_stopping, &wake);
            let _ = catch_unwind(AssertUnwindSafe(loop_));
        };
        let thread = std::thread::Builder::new().name("rc-channel".to_owned()).spawn(body)?;
        Ok(Self { rearm, stopping, thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.rearm.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const REARM: u64 = 0;
const READABLE: u64 = 1;

fn read(inner: &Inner, epoll: &Epoll, rearm: &Waker, stopping: &AtomicBool, wake: &Mutex<Wake>) {
    let mut events = Events::with_capacity(2);
    let Ok(set) = epoll.try_clone() else { return };
    loop {
        if wait(set.as_fd(), &mut events, None).is_err() || stopping.load(Ordering::Relaxed) {
            return;
        }
        for token in events.tokens() {
            let armed = token == REARM;
            if armed {
                rearm.clear();
            } else {
                // What is not read yet must stay in the channel, where the primary can take it back.
                let wake = wake.lock().unwrap_or_else(PoisonError::into_inner);
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
            if epoll.arm(inner.descriptor(), READABLE, armed).is_err() {
                return;
            }
        }
    }
}

fn refuse(error: io::Error) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}
