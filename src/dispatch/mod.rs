//! New connections: accepted by one thread of the primary, handed to the worker a policy picks.
//!
//! The primary owns the listening sockets. A connection travels to its worker as a descriptor over a channel both ends
//! of which the primary keeps, so what a worker has not read yet can be taken back when it dies, hangs or drains. Who
//! has how many connections open, and whose loop is alive, stands in shared memory ([`crate::shared`]).

pub mod policy;

#[cfg(target_os = "linux")]
pub mod acceptor;
#[cfg(target_os = "linux")]
pub mod channel;
#[cfg(target_os = "linux")]
pub mod copies;
#[cfg(target_os = "linux")]
pub mod health;
#[cfg(target_os = "linux")]
pub mod hub;
#[cfg(target_os = "linux")]
pub mod keeper;
#[cfg(target_os = "linux")]
pub mod listener;
#[cfg(target_os = "linux")]
pub mod note;
#[cfg(target_os = "linux")]
pub mod primary;
#[cfg(target_os = "linux")]
pub mod worker;
