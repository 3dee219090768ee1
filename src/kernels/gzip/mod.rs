//! gzip (RFC 1952) of buffers, files and streams, and back.
//!
//! | form | engine | output |
//! |---|---|---|
//! | [`gzip`], [`file::gzip`] | libdeflate or our own ([`engine`]), in blocks over the pool ([`parallel`]) | one member, the same for any number of threads |
//! | [`stream::GzipStream`] | zlib-rs | one member, with flushes where asked for |
//! | [`gunzip`], [`file::gunzip`], [`stream::GunzipStream`] | zlib-rs | every member, as GNU gzip and Node read them |
//!
//! libdeflate takes a whole buffer and ends its stream; [`splice`] takes that end off, so that the blocks become one
//! member. Readers that stop after the first member (browsers, many libraries) therefore see all of it.

mod block;
mod deflate;
mod engine;
pub mod file;
mod format;
mod gunzip;
mod oneshot;
mod parallel;
mod splice;
pub mod stream;

pub use gunzip::gunzip;
pub use oneshot::gzip;

use crate::error::{Error, Result};

/// How hard to try: 0 stores, 1 is the fastest, 9 the most thorough that zlib knows, 10 to 12 go further and slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// What the higher levels of libdeflate end at.
    pub const MAX: u8 = 12;

    /// A level from 0 to 12.
    ///
    /// # Errors
    /// `InvalidArgument` beyond 12.
    pub fn new(level: u8) -> Result<Self> {
        if level > Self::MAX {
            return Err(Error::InvalidArgument(format!("level {level} is not within 0 and {}", Self::MAX)));
        }
        Ok(Self(level))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    /// 6, as everywhere.
    fn default() -> Self {
        Self(6)
    }
}

#[cfg(test)]
mod tests;
