//! One message to all processes, at one price: written once into a ring that all of them map.
//!
//! The protocol, and why it holds, stands in ARCHITECTURE.md ("The way of a broadcast"). Senders share one robust mutex;
//! the store of the head is the only commit. Readers never take the lock, but to be protected again after a demotion.

pub mod batch;
pub mod channels;
pub mod layout;
pub mod pace;
pub mod process;
pub mod reader;
pub mod record;
pub mod ring;
pub mod room;
pub mod seat;
pub mod station;
pub mod wake;
pub mod writer;

#[cfg(test)]
mod tests;
