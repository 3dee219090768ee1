//! rustcluster: the Rust half of the npm package of that name.
//!
//! Six words name the parts (supervise, dispatch, broadcast, store, kernels, admin); each is a folder here, in `js/`
//! and in `test/`. The boundary rule holds throughout: JavaScript decides, Rust does, and one crossing carries one
//! finished job as plain data. Only [`binding`](crate) names napi, so everything else is tested without Node.

// Left out of unit tests, which run without Node.
#[cfg(all(feature = "binding", not(test)))]
mod binding;
#[cfg(target_os = "linux")]
pub mod broadcast;
pub mod dispatch;
pub mod error;
pub mod kernels;
pub mod shared;
pub mod store;
pub mod supervise;
pub mod sys;
