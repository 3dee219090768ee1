//! The crate as Node sees it: each export converts its arguments and makes one call.
//!
//! JavaScript starts a job under a number of its own and hears of its end by a wake-up without payload, after which it
//! drains every job that has ended ([`jobs`]). A failure crosses as plain data ([`failure`]); `js/errors.js` makes the
//! error of it.

#[cfg(target_os = "linux")]
mod broadcast;
#[cfg(target_os = "linux")]
mod channel;
#[cfg(target_os = "linux")]
mod dispatch;
mod failure;
mod flip;
mod gzip;
mod hash;
mod jobs;
mod pool;
mod store;
mod supervise;
mod wakeup;
#[cfg(target_os = "linux")]
mod watchdog;
