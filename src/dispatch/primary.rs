//! The accept thread, and the handle JavaScript's thread steers it by.

use super::hub::{Hub, Load, Seat, Source};
use super::listener::Wanted;
use crate::sys::epoll::{Events, Waker};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Panics the accept thread survives before it gives up: each is a bug, but a primary that stops accepting is worse.
const PANICS: u32 = 100;

/// The primary's dispatch. Dropping it ends the thread and closes every listening socket.
pub struct Primary {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    hub: Mutex<Hub>,
    waker: Waker,
    stopping: AtomicBool,
}

impl Shared {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The workers' heartbeats, by the hub's numbers for them.
pub struct Pulses(Arc<Shared>);

impl Pulses {
    /// See [`Hub::heartbeat`].
    pub fn heartbeat(&self, id: u32) -> Option<u64> {
        self.0.hub().heartbeat(id)
    }

    /// See [`Hub::ask`].
    pub fn ask(&self, id: u32) {
        self.0.hub().ask(id);
    }
}

impl Primary {
    /// Starts the accept thread. A worker counts as stalled after `stall` nanoseconds; see [`super::health::STALL`].
    ///
    /// # Errors
    /// What the kernel answers when it has no memory, threads or descriptors left.
    pub fn start(stall: u64) -> io::Result<Self> {
        let (hub, waker) = (Hub::new(stall)?, Waker::new()?);
        hub.epoll().add(&waker, Source::Waker.token(), true)?;
        let set = hub.epoll().try_clone()?;
        let shared = Arc::new(Shared { hub: Mutex::new(hub), waker, stopping: AtomicBool::new(false) });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("rc-dispatch".to_owned()).spawn(move || run(&theirs, &set))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// See [`Hub::add_worker`].
    ///
    /// # Errors
    /// As there.
    pub fn add_worker(&self) -> io::Result<Seat> {
        self.hub().add_worker()
    }

    /// See [`Hub::worker_started`].
    pub fn worker_started(&self, id: u32, name: u32, pid: u32) {
        self.hub().worker_started(id, name, pid);
    }

    /// See [`Hub::retire_worker`].
    pub fn retire_worker(&self, id: u32) {
        self.hub().retire_worker(id);
        self.shared.waker.wake();
    }

    /// See [`Hub::remove_worker`].
    pub fn remove_worker(&self, id: u32) {
        self.hub().remove_worker(id);
        self.shared.waker.wake();
    }

    /// See [`Hub::listen`].
    ///
    /// # Errors
    /// As there.
    pub fn listen(&self, wanted: &Wanted) -> io::Result<(u32, SocketAddr)> {
        self.hub().listen(wanted)
    }

    /// See [`Hub::join`].
    ///
    /// # Errors
    /// As there.
    pub fn join(&self, number: u32, id: u32) -> io::Result<OwnedFd> {
        self.hub().join(number, id)
    }

    /// See [`Hub::unlisten`].
    pub fn unlisten(&self, number: u32) {
        self.hub().unlisten(number);
    }

    /// See [`Hub::stop_listening`].
    pub fn stop_listening(&self) {
        self.hub().stop_listening();
        self.shared.waker.wake();
    }

    /// See [`Hub::untaken`].
    pub fn untaken(&self) -> u64 {
        self.hub().untaken()
    }

    /// See [`Hub::connections`].
    pub fn connections(&self) -> Vec<Load> {
        self.hub().connections()
    }

    /// See [`Hub::waiting`].
    pub fn waiting(&self) -> usize {
        self.hub().waiting()
    }

    /// See [`Hub::hold_worker`].
    pub fn hold_worker(&self, id: u32) {
        self.hub().hold_worker(id);
        self.shared.waker.wake();
    }

    /// See [`Hub::release_worker`].
    pub fn release_worker(&self, id: u32) {
        self.hub().release_worker(id);
        self.shared.waker.wake();
    }

    /// The workers' heartbeats, for another thread.
    pub fn pulses(&self) -> Pulses {
        Pulses(Arc::clone(&self.shared))
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.shared.hub()
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.waker.wake();
        if let Some(thread) = self.thread.take() {
            // Its panics are caught where they happen.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, set: &OwnedFd) {
    let mut events = Events::with_capacity(256);
    let (mut timeout, mut panics) = (None, 0);
    while !shared.stopping.load(Ordering::Relaxed) && panics < PANICS {
        if crate::sys::epoll::wait(set.as_fd(), &mut events, timeout).is_err() {
            return;
        }
        let turn = catch_unwind(AssertUnwindSafe(|| {
            let mut hub = shared.hub();
            for token in events.tokens() {
                match Source::from_token(token) {
                    Source::Waker => shared.waker.clear(),
                    source => hub.handle(source),
                }
            }
            hub.tick()
        }));
        timeout = turn.unwrap_or_else(|_| {
            panics += 1;
            Some(std::time::Duration::from_millis(10))
        });
    }
}
