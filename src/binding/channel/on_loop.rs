//! What a worker's event loop does by itself: reads its channel, and accepts from listening sockets.

use super::{CLOSED, EMPTY, FULL, OnLoops, Transport, hand_out};
use crate::dispatch::acceptor::Accepted;
use crate::dispatch::channel::{Channel as Inner, Past, Taken};
use crate::dispatch::keeper::{Keeper, Marks};
use crate::sys::clock::monotonic_nanos;
use crate::sys::javascript::Callback;
use crate::sys::uv::{Loop, Uv, Watched, Watcher};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Reads on the loop's own thread.
pub(super) struct OnLoop {
    pub(super) inner: Arc<Inner>,
    pub(super) past: Rc<Cell<Past>>,
    pub(super) callback: Rc<Callback>,
    pub(super) uv: &'static Uv,
    pub(super) uv_loop: Loop,
    pub(super) transport: Weak<RefCell<Transport>>,
    pub(super) marks: Rc<Marks>,
    pub(super) keeper: Rc<OnceCell<Keeper>>,
}

impl Watched for OnLoop {
    fn readable(&self) {
        let taken = self.inner.take();
        if let Taken::Listener { socket, server } = taken {
            // Where that fails connections come through the channel all the same.
            let _ = self.accept_from(socket, server);
            return;
        }
        let (fd, server) = hand_out(taken, &self.past);
        if fd == CLOSED {
            // Nobody is left to say who may accept.
            with_listeners(&self.transport, HashMap::clear);
        }
        if fd != EMPTY {
            self.callback.call(fd, [server, self.past.get().idle]);
        }
    }

    fn turn(&self) {
        let now = self.inner.beat();
        if let Some(keeper) = self.keeper.get() {
            keeper.turn(now);
        }
    }
}

impl OnLoop {
    fn accept_from(&self, socket: OwnedFd, server: u32) -> io::Result<()> {
        if self.keeper.get().is_none() {
            let keeper = Keeper::new(Rc::clone(&self.marks))?;
            self.inner.show_keeper(keeper.head())?;
            self.keeper.get_or_init(|| keeper);
        }
        let socket = Arc::new(socket);
        let accepting = Accepting {
            inner: Arc::clone(&self.inner),
            past: Rc::clone(&self.past),
            callback: Rc::clone(&self.callback),
            transport: Weak::clone(&self.transport),
            keeper: Rc::clone(&self.keeper),
            listener: Arc::clone(&socket),
            server,
        };
        let watcher = Watcher::start(self.uv, self.uv_loop, socket, Rc::new(accepting))?;
        with_listeners(&self.transport, |listeners| listeners.insert(server, watcher));
        Ok(())
    }
}

/// Changes the list of listening sockets that are watched, while there is one.
fn with_listeners<T>(transport: &Weak<RefCell<Transport>>, act: impl FnOnce(&mut HashMap<u32, Watcher>) -> T) {
    let Some(transport) = transport.upgrade() else { return };
    if let Transport::Uv(OnLoops { listeners, .. }) = &mut *transport.borrow_mut() {
        act(listeners);
    }
}

/// Accepts on the loop's own thread.
struct Accepting {
    inner: Arc<Inner>,
    past: Rc<Cell<Past>>,
    callback: Rc<Callback>,
    transport: Weak<RefCell<Transport>>,
    keeper: Rc<OnceCell<Keeper>>,
    listener: Arc<OwnedFd>,
    server: u32,
}

impl Watched for Accepting {
    fn readable(&self) {
        let Some(keeper) = self.keeper.get() else { return };
        match self.inner.accept(&self.listener, self.server, keeper.ended(monotonic_nanos())) {
            Accepted::Connection(socket) => {
                keeper.keep(&socket, self.server);
                self.past.set(Past::default());
                self.callback.call(socket.into_raw_fd(), [self.server, 0]);
            }
            Accepted::Full => self.callback.call(FULL, [0, 0]),
            Accepted::Over => with_listeners(&self.transport, |listeners| listeners.remove(&self.server)),
            Accepted::Empty | Accepted::Passed => {}
        }
    }

    fn wants_turns(&self) -> bool {
        false
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
