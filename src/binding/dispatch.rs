//! The primary's dispatch as `js/dispatch/primary.js` uses it.

use super::failure::Failure;
use crate::dispatch::health::STALL;
use crate::dispatch::hub::{self, Load};
use crate::dispatch::listener::Wanted;
use crate::dispatch::policy::Kind;
use crate::dispatch::primary::{Primary, Pulses};
use crate::error::Error;
use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use std::os::fd::IntoRawFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a server shall listen, every field set by JavaScript.
#[napi(object, object_to_js = false)]
pub struct ListenOptions {
    /// An IPv4 or IPv6 literal; absent: all addresses.
    pub address: Option<String>,
    /// 0: the kernel chooses.
    pub port: u16,
    /// No IPv4 on an IPv6 socket.
    pub ipv6_only: bool,
    /// Connections the kernel keeps until they are accepted.
    pub backlog: i32,
    /// `least-connections`, `round-robin`, `sticky` or `kernel`.
    pub policy: String,
}

/// A socket that listens.
#[napi(object, object_from_js = false)]
pub struct Listening {
    /// The number workers know it by.
    pub server: u32,
    /// The address it is bound to.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// The port it is bound to.
    pub port: u16,
}

/// What a new worker inherits. The descriptors stay the dispatcher's: they are lent for the time of the spawn.
#[napi(object, object_from_js = false)]
pub struct Seat {
    /// The dispatcher's number for the worker.
    pub id: u32,
    /// The worker's slot in the shared memory.
    pub slot: u32,
    /// Its end of the channel.
    pub channel: i32,
    /// The shared memory.
    pub memory: i32,
}

/// What one worker has open.
#[napi(object, object_from_js = false)]
pub struct WorkerLoad {
    /// The worker's id in node:cluster.
    pub id: u32,
    /// Connections it has open, waiting ones included.
    pub active: u32,
    /// Connections it has not taken yet.
    pub waiting: u32,
    /// Connections handed to it since it started.
    pub total: f64,
    /// Connections it has passed on to other workers since it started.
    pub moved: f64,
    /// Whether its event loop hung when last looked at.
    pub stalled: bool,
}

/// The primary's listening sockets and the thread that accepts.
#[napi]
pub struct Dispatcher {
    /// `None` once stopped. Shared with the hook that runs when the environment ends.
    primary: Arc<Mutex<Option<Primary>>>,
}

#[napi]
impl Dispatcher {
    /// Starts the thread; it ends with the environment at the latest. A worker counts as stalled after `stall_limit`
    /// milliseconds, by default 20.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, stall_limit: Option<u32>) -> napi::Result<Self> {
        let stall = stall_limit.map_or(STALL, |millis| u64::from(millis) * 1_000_000);
        let primary = Primary::start(stall).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let primary = Arc::new(Mutex::new(Some(primary)));
        env.add_env_cleanup_hook(Arc::clone(&primary), |primary| drop(take(&primary)))?;
        Ok(Self { primary })
    }

    /// Makes room for a worker.
    #[napi(catch_unwind)]
    pub fn add_worker(&self) -> napi::Result<Either<Seat, Failure>> {
        self.with(|primary| match primary.add_worker() {
            Ok(hub::Seat { id, slot, channel, memory }) => Either::A(Seat { id, slot: slot as u32, channel, memory }),
            Err(error) => Either::B(failure("fork", error)),
        })
    }

    /// Worker `id`, `name` in node:cluster, runs as process `pid`, which has not been waited for; 0: it does not run.
    #[napi(catch_unwind)]
    pub fn worker_started(&self, id: u32, name: u32, pid: u32) -> napi::Result<()> {
        self.with(|primary| primary.worker_started(id, name, pid))
    }

    /// Worker `id` gets no more connections; those it has not taken go to others.
    #[napi(catch_unwind)]
    pub fn retire_worker(&self, id: u32) -> napi::Result<()> {
        self.with(|primary| primary.retire_worker(id))
    }

    /// Worker `id`'s process has ended.
    #[napi(catch_unwind)]
    pub fn remove_worker(&self, id: u32) -> napi::Result<()> {
        self.with(|primary| primary.remove_worker(id))
    }

    /// Worker `id` gets no connections until it is released; those it has not taken go to others.
    #[napi(catch_unwind)]
    pub fn hold_worker(&self, id: u32) -> napi::Result<()> {
        self.with(|primary| primary.hold_worker(id))
    }

    /// Worker `id`, which was held, gets connections again.
    #[napi(catch_unwind)]
    pub fn release_worker(&self, id: u32) -> napi::Result<()> {
        self.with(|primary| primary.release_worker(id))
    }

    /// Opens a listening socket.
    #[napi(catch_unwind)]
    pub fn listen(&self, options: ListenOptions) -> napi::Result<Either<Listening, Failure>> {
        let ListenOptions { address, port, ipv6_only, backlog, policy } = options;
        let Some(policy) = Kind::parse(&policy) else {
            return Ok(Either::B(Error::InvalidArgument(format!("unknown policy '{policy}'")).into()));
        };
        self.with(|primary| match primary.listen(&Wanted { address, port, ipv6_only, backlog, policy }) {
            Ok((server, address)) => {
                let family = if address.is_ipv6() { "IPv6" } else { "IPv4" }.to_owned();
                Either::A(Listening { server, address: address.ip().to_string(), family, port: address.port() })
            }
            Err(error) => Either::B(failure("bind", error)),
        })
    }

    /// Under `kernel`: the descriptor of worker `id`'s own listening socket, which is the caller's.
    #[napi(catch_unwind)]
    pub fn join(&self, server: u32, id: u32) -> napi::Result<Either<i32, Failure>> {
        self.with(|primary| match primary.join(server, id) {
            Ok(socket) => Either::A(socket.into_raw_fd()),
            Err(error) => Either::B(failure("bind", error)),
        })
    }

    /// Closes a listening socket, and the connections no worker has been given.
    #[napi(catch_unwind)]
    pub fn unlisten(&self, server: u32) -> napi::Result<()> {
        self.with(|primary| primary.unlisten(server))
    }

    /// Closes all listening sockets for good. Workers are given what is connected by now; see `untaken()`.
    #[napi(catch_unwind)]
    pub fn stop_listening(&self) -> napi::Result<()> {
        self.with(Primary::stop_listening)
    }

    /// Connections that no worker has taken yet.
    #[napi(catch_unwind)]
    pub fn untaken(&self) -> napi::Result<u32> {
        self.with(|primary| u32::try_from(primary.untaken()).unwrap_or(u32::MAX))
    }

    /// What each worker has open.
    #[napi(catch_unwind)]
    pub fn connections(&self) -> napi::Result<Vec<WorkerLoad>> {
        self.with(|primary| primary.connections().into_iter().map(WorkerLoad::from).collect())
    }

    /// The workers' heartbeats, for the watchdog.
    pub(super) fn pulses(&self) -> napi::Result<Pulses> {
        self.with(Primary::pulses)
    }

    fn with<T>(&self, act: impl FnOnce(&Primary) -> T) -> napi::Result<T> {
        let primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        primary.as_ref().map(act).ok_or_else(|| napi::Error::from_reason("the dispatcher has stopped"))
    }
}

impl From<Load> for WorkerLoad {
    fn from(load: Load) -> Self {
        let Load { id, active, waiting, total, moved, stalled } = load;
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        Self { id, active, waiting, total: total as f64, moved: moved as f64, stalled }
    }
}

fn take(primary: &Mutex<Option<Primary>>) -> Option<Primary> {
    primary.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn failure(syscall: &'static str, error: std::io::Error) -> Failure {
    Error::io(syscall, Path::new(""), error).into()
}
