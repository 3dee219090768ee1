//! libuv's watchers, reached through the symbols the running program exports: Node has them, Bun and Deno do not, and
//! a missing one must not keep the addon from loading.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

/// The loop of a running JavaScript environment.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Loop(*mut c_void);

impl Loop {
    /// The loop at an address that Node-API has just given (napi_get_uv_event_loop), and no other.
    pub fn at(address: *mut c_void) -> Self {
        Self(address)
    }
}

type Handle = *mut c_void;
type OnPoll = extern "C" fn(Handle, c_int, c_int);
type OnTurn = extern "C" fn(Handle);

// The signatures of the functions below.
type Size = unsafe extern "C" fn(c_int) -> usize;
type GetData = unsafe extern "C" fn(Handle) -> *mut c_void;
type SetData = unsafe extern "C" fn(Handle, *mut c_void);
type Unref = unsafe extern "C" fn(Handle);
type Close = unsafe extern "C" fn(Handle, Option<OnTurn>);
type PollInit = unsafe extern "C" fn(Loop, Handle, c_int) -> c_int;
type PollStart = unsafe extern "C" fn(Handle, c_int, OnPoll) -> c_int;
type PollStop = unsafe extern "C" fn(Handle) -> c_int;
type BackendFd = unsafe extern "C" fn(Loop) -> c_int;
type Init = unsafe extern "C" fn(Loop, Handle) -> c_int;
type Stop = unsafe extern "C" fn(Handle) -> c_int;
type Start = unsafe extern "C" fn(Handle, OnTurn) -> c_int;

// Values of uv_handle_type and uv_poll_event, fixed by libuv's promise of a stable ABI within version 1.
const UV_CHECK: c_int = 2;
const UV_POLL: c_int = 8;
const UV_PREPARE: c_int = 9;
const UV_READABLE: c_int = 1;

/// libuv's functions.
pub struct Uv {
    handle_size: Size,
    get_data: GetData,
    set_data: SetData,
    refer: Unref,
    unref: Unref,
    close: Close,
    poll_init: PollInit,
    poll_start: PollStart,
    poll_stop: PollStop,
    backend_fd: BackendFd,
    prepare_init: Init,
    prepare_start: Start,
    prepare_stop: Stop,
    check_init: Init,
    check_start: Start,
}

/// Looks a function of the running program up.
macro_rules! symbol {
    ($name:literal, $signature:ty) => {{
        let name: &CStr = $name;
        // SAFETY: `name` is a live C string; a lookup in what is already loaded runs no code of a library.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        if address.is_null() {
            return None;
        }
        // SAFETY: libuv declares the function of this name with the signature of the field it is stored in.
        unsafe { std::mem::transmute::<*mut c_void, $signature>(address) }
    }};
}

impl Uv {
    /// The functions, or `None` where the program lacks one.
    pub fn get() -> Option<&'static Self> {
        static UV: OnceLock<Option<Uv>> = OnceLock::new();
        UV.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        Some(Self {
            handle_size: symbol!(c"uv_handle_size", Size),
            get_data: symbol!(c"uv_handle_get_data", GetData),
            set_data: symbol!(c"uv_handle_set_data", SetData),
            refer: symbol!(c"uv_ref", Unref),
            unref: symbol!(c"uv_unref", Unref),
            close: symbol!(c"uv_close", Close),
            poll_init: symbol!(c"uv_poll_init", PollInit),
            poll_start: symbol!(c"uv_poll_start", PollStart),
            poll_stop: symbol!(c"uv_poll_stop", PollStop),
            backend_fd: symbol!(c"uv_backend_fd", BackendFd),
            prepare_init: symbol!(c"uv_prepare_init", Init),
            prepare_start: symbol!(c"uv_prepare_start", Start),
            prepare_stop: symbol!(c"uv_prepare_stop", Stop),
            check_init: symbol!(c"uv_check_init", Init),
            check_start: symbol!(c"uv_check_start", Start),
        })
    }

    /// Memory for a handle, zeroed, in 16-byte units so that it is aligned for anything.
    fn allocate(&self, kind: c_int) -> Box<[u128]> {
        // SAFETY: a pure function of its argument.
        let bytes = unsafe { (self.handle_size)(kind) };
        vec![0u128; bytes.div_ceil(size_of::<u128>())].into_boxed_slice()
    }
}

/// What of a descriptor reaches a [`Watcher`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// That it has become readable, once each time.
    Edges,
    /// The same, each time to one of those who watch it so and wait, and to those before that one who do not.
    One,
    /// Nothing.
    Nothing,
}

const EXCLUSIVE: u32 = (libc::EPOLLIN | libc::EPOLLEXCLUSIVE) as u32;

/// What a [`Watcher`] calls, on the loop's thread.
pub trait Watched {
    /// The descriptor is readable. Called again on the loop's next turn if it still is.
    fn readable(&self);
    /// The loop is about to wait for events, or has just dealt with some.
    fn turn(&self) {}
    /// Whether `turn` shall be called always, and not only after [`Watcher::next_turn`]; asked once.
    fn wants_turns(&self) -> bool {
        true
    }
    /// Whether, of all loops that wait for the descriptor, only one that sleeps shall be woken (EPOLLEXCLUSIVE); asked
    /// once.
    fn is_exclusive(&self) -> bool {
        false
    }
}

/// All a loop's callbacks need; lives until libuv has let go of all three handles.
struct Shared {
    uv: &'static Uv,
    /// Gone as soon as the watch ends: what it holds may not outlive the environment, and libuv's last callback may.
    watched: Option<Rc<dyn Watched>>,
    uv_loop: Loop,
    /// Closed only after libuv has let go of it.
    descriptor: Arc<OwnedFd>,
    poll: Box<[u128]>,
    prepare: Box<[u128]>,
    check: Box<[u128]>,
    /// Handles not closed yet.
    open: u8,
    exclusive: bool,
    /// The loop's set has it as [`Watched::is_exclusive`] wants it.
    settled: Cell<bool>,
}

impl Shared {
    /// The loop has the descriptor in its set, and does not look again while the watch goes on. Only what is added can be
    /// exclusive.
    fn make_exclusive(&self) {
        self.settled.set(true);
        // SAFETY: the loop lives as long as the watch.
        let set = unsafe { (self.uv.backend_fd)(self.uv_loop) };
        let fd = self.descriptor.as_raw_fd();
        // What libuv finds the watch by is the descriptor's number.
        let mut event = libc::epoll_event { events: EXCLUSIVE, u64: fd as u64 };
        // SAFETY: both descriptors are open, and `event` is live for the length of the call.
        unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_DEL, fd, &raw mut event) };
        // SAFETY: as above.
        if unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, fd, &raw mut event) } != 0 {
            event.events = libc::EPOLLIN as u32;
            // SAFETY: as above. Before Linux 4.5 all are woken.
            unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        }
    }
}

/// Watches one descriptor and the turns of the loop, without keeping the loop alive. Dropping it ends the watch.
///
/// It belongs to the loop's thread, like the pointer in it.
pub struct Watcher {
    shared: *mut Shared,
}

impl Watcher {
    /// Begins to watch `descriptor` on `uv_loop`.
    ///
    /// # Errors
    /// What libuv answers, as the errno it stands for.
    pub fn start(uv: &'static Uv, uv_loop: Loop, fd: Arc<OwnedFd>, watched: Rc<dyn Watched>) -> io::Result<Self> {
        let number = fd.as_raw_fd();
        let (turns, exclusive) = (watched.wants_turns(), watched.is_exclusive());
        let [poll, prepare, check] = [UV_POLL, UV_PREPARE, UV_CHECK].map(|kind| uv.allocate(kind));
        let shared = Box::into_raw(Box::new(Shared {
            uv,
            watched: Some(watched),
            uv_loop,
            descriptor: fd,
            poll,
            prepare,
            check,
            open: 0,
            exclusive,
            settled: Cell::new(!exclusive),
        }));
        // SAFETY: made above and shared with nobody yet.
        let state = unsafe { &mut *shared };
        let poll = state.poll.as_mut_ptr().cast();
        // SAFETY: `poll` has the size libuv asks for, the loop is the running environment's, the descriptor is open.
        if let Err(error) = done(unsafe { (uv.poll_init)(uv_loop, poll, number) }) {
            // SAFETY: libuv has refused the handle, so nobody but us knows the box.
            drop(unsafe { Box::from_raw(shared) });
            return Err(error);
        }
        let prepare = state.prepare.as_mut_ptr().cast();
        // SAFETY: as for `poll`; this call always succeeds.
        unsafe { (uv.prepare_init)(uv_loop, prepare) };
        let check = state.check.as_mut_ptr().cast();
        // SAFETY: as above.
        unsafe { (uv.check_init)(uv_loop, check) };
        state.open = 3;
        for handle in [poll, prepare, check] {
            // SAFETY: initialised above; `shared` outlives the handle, see `closed`.
            unsafe { (uv.set_data)(handle, shared.cast()) };
            // SAFETY: initialised above.
            unsafe { (uv.unref)(handle) };
        }
        if turns {
            // SAFETY: initialised above; these two always succeed.
            unsafe { (uv.prepare_start)(prepare, on_turn) };
            // SAFETY: as above.
            unsafe { (uv.check_start)(check, on_turn) };
        }
        let watcher = Self { shared };
        watcher.resume()?;
        Ok(watcher)
    }

    /// Reports the descriptor again after a [`pause`](Self::pause).
    ///
    /// # Errors
    /// What libuv answers.
    pub fn resume(&self) -> io::Result<()> {
        // SAFETY: `shared` lives until the handles are closed, which only our drop begins.
        let state = unsafe { &mut *self.shared };
        state.settled.set(!state.exclusive);
        // SAFETY: an initialised handle that is not closing.
        done(unsafe { (state.uv.poll_start)(state.poll.as_mut_ptr().cast(), UV_READABLE, on_readable) })
    }

    /// Whether the watch alone keeps the loop running; it does not from the start.
    pub fn keep_alive(&self, alive: bool) {
        // SAFETY: as in `resume`.
        let state = unsafe { &mut *self.shared };
        let act = if alive { state.uv.refer } else { state.uv.unref };
        // SAFETY: an initialised handle that is not closing; both calls can be repeated.
        unsafe { act(state.poll.as_mut_ptr().cast()) };
    }

    /// Changes what the loop's epoll set reports of the descriptor (epoll_ctl(2)), which libuv does not look at again
    /// while the watch goes on: it can be reported at its edges only, or not at all.
    ///
    /// # Errors
    /// `NotFound` before the loop has first waited for the descriptor, which is once `readable` has been called.
    pub fn report(&self, how: Report) -> io::Result<()> {
        // SAFETY: as in `resume`.
        let state = unsafe { &*self.shared };
        // SAFETY: the loop lives as long as the watch.
        let set = unsafe { (state.uv.backend_fd)(state.uv_loop) };
        let fd = state.descriptor.as_raw_fd();
        let events = match how {
            Report::Edges => libc::EPOLLIN | libc::EPOLLET,
            Report::One => libc::EPOLLIN | libc::EPOLLET | libc::EPOLLEXCLUSIVE,
            Report::Nothing => 0,
        };
        let control = |operation, events: c_int| {
            // What libuv finds the watch by is the descriptor's number.
            let mut event = libc::epoll_event { events: events as u32, u64: fd as u64 };
            // SAFETY: both descriptors are open, and `event` is live for the length of the call.
            match unsafe { libc::epoll_ctl(set, operation, fd, &raw mut event) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        };
        // What is reported to one cannot be changed, neither to that nor from it. To begin anew loses no edge: what is
        // readable then is reported at once.
        let is_final = |error: &io::Error| error.raw_os_error() == Some(libc::EINVAL);
        match control(libc::EPOLL_CTL_MOD, events) {
            Err(error) if is_final(&error) => {
                control(libc::EPOLL_CTL_DEL, 0)?;
                // A kernel that does not know how to choose one shall tell all.
                control(libc::EPOLL_CTL_ADD, events)
                    .or_else(|_| control(libc::EPOLL_CTL_ADD, events & !libc::EPOLLEXCLUSIVE))
            }
            answer => answer,
        }
    }

    /// Has `turn` called once, before the loop next waits for events. Of no use to who has it called always.
    pub fn next_turn(&self) {
        // SAFETY: as in `resume`.
        let state = unsafe { &mut *self.shared };
        // SAFETY: an initialised handle that is not closing; this call always succeeds, and can be repeated.
        unsafe { (state.uv.prepare_start)(state.prepare.as_mut_ptr().cast(), on_next_turn) };
    }

    /// Reports the descriptor no more until [`resume`](Self::resume).
    pub fn pause(&self) {
        // SAFETY: as in `resume`.
        let state = unsafe { &mut *self.shared };
        // SAFETY: as in `resume`.
        unsafe { (state.uv.poll_stop)(state.poll.as_mut_ptr().cast()) };
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // SAFETY: as in `resume`.
        let state = unsafe { &mut *self.shared };
        let uv = state.uv;
        drop(state.watched.take());
        for handle in [&mut state.poll, &mut state.prepare, &mut state.check].map(|memory| memory.as_mut_ptr()) {
            // SAFETY: an initialised handle that is not closing yet. `closed` runs on a later turn of the loop, or
            // never when the program ends before: then the memory goes with it.
            unsafe { (uv.close)(handle.cast(), Some(closed)) };
        }
    }
}

/// What a handle of ours points at.
fn shared_of(handle: Handle) -> *mut Shared {
    // The callbacks below run only for handles that `load` made possible, so this is never `None`.
    let Some(uv) = Uv::get() else { return std::ptr::null_mut() };
    // SAFETY: libuv hands back a live handle of ours.
    unsafe { (uv.get_data)(handle) }.cast()
}

extern "C" fn on_readable(handle: Handle, _status: c_int, _events: c_int) {
    // SAFETY: the state lives until all handles are closed.
    let Some(state) = (unsafe { shared_of(handle).as_ref() }) else { return };
    // Held for the length of the call, which may end the watch.
    if !state.settled.get() {
        state.make_exclusive();
    }
    let Some(watched) = state.watched.clone() else { return };
    // A panic must not cross into C; whoever watches reports its own errors.
    let _ = catch_unwind(AssertUnwindSafe(|| watched.readable()));
}

extern "C" fn on_turn(handle: Handle) {
    // SAFETY: as in `on_readable`.
    let Some(state) = (unsafe { shared_of(handle).as_ref() }) else { return };
    let Some(watched) = state.watched.clone() else { return };
    let _ = catch_unwind(AssertUnwindSafe(|| watched.turn()));
}

extern "C" fn on_next_turn(handle: Handle) {
    // As in `shared_of`.
    let Some(uv) = Uv::get() else { return };
    // SAFETY: libuv hands back the live handle it was started with.
    unsafe { (uv.prepare_stop)(handle) };
    on_turn(handle);
}

extern "C" fn closed(handle: Handle) {
    let shared = shared_of(handle);
    // SAFETY: as in `on_readable`; the watcher that shared the state is gone.
    let Some(state) = (unsafe { shared.as_mut() }) else { return };
    state.open -= 1;
    if state.open == 0 {
        // SAFETY: made by `Box::into_raw`, and libuv has now let go of the last handle inside.
        drop(unsafe { Box::from_raw(shared) });
    }
}

fn done(status: c_int) -> io::Result<()> {
    if status < 0 { Err(io::Error::from_raw_os_error(-status)) } else { Ok(()) }
}
