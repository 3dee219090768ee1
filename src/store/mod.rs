//! The store: keys and values that all processes of a machine share, in one LMDB file.
//!
//! Reads run on the caller's thread, in memory. Writes go to one thread a process ([`writer`]), which commits what has
//! gathered as one transaction ([`batch`]). [`registry`] opens each folder once a process, [`check`] looks a file over
//! before LMDB maps it, [`folder`] keeps what lies around the file, and [`ours`] says whether it is a store's at all.

pub mod batch;
pub mod check;
pub mod clock;
pub mod engine;
pub mod flight;
pub mod folder;
pub mod op;
pub mod ours;
pub mod record;
pub mod registry;
pub mod roots;
pub mod turn;
pub mod writer;

#[cfg(test)]
mod tests;
