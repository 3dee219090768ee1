//! SHA-2 digests (FIPS 180-4) with the fastest engine this CPU has.
//!
//! One message: [`digest`] takes a buffer, [`Hasher`] a stream of chunks, [`file()`] a path. Several at once, in SIMD
//! lanes: [`many()`], [`update_many`], [`files()`]. The engine is chosen once per process; [`backends`] lists what there is.

mod algorithm;
mod backend;
mod constants;
#[cfg(test)]
mod differential;
mod driver;
mod engine;
mod file;
mod files;
mod hasher;
mod ladder;
mod lanes;
mod many;
mod parallel;
mod portable;
mod schedule;
mod stream;
mod streams;
#[cfg(test)]
mod vectors;
mod waves;

pub use algorithm::Algorithm;
pub use backend::{Backend, InUse, backends, in_use};
pub use file::file;
pub use files::files;
pub use hasher::Hasher;
pub use many::{many, many_on};
pub use parallel::{files_parallel, many_parallel};
pub use streams::update_many;

use crate::error::Result;
use crate::kernels::control::Control;
use crate::sys::simd::{self, Work};

/// Bytes hashed between two looks at the control: well under a millisecond of work.
const STRIDE: usize = 128 * 1024;

/// Two lower-case digits a byte, into `out`, which has twice the size of `bytes`.
pub fn hex(bytes: &[u8], out: &mut [u8]) {
    simd::run(Hex(bytes, out));
}

struct Hex<'a>(&'a [u8], &'a mut [u8]);

impl Work for Hex<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // Arithmetic instead of a table of digits, so that it is compiled to vectors.
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        for (pair, &byte) in self.1.chunks_exact_mut(2).zip(self.0) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 15);
        }
    }
}

/// The digest of one buffer: [`Algorithm::digest_len`] bytes. `control` counts the bytes hashed.
///
/// # Errors
/// `Aborted` once `control` was aborted, looked at between chunks; `InvalidArgument` as [`Hasher::new`].
pub fn digest(algorithm: Algorithm, data: &[u8], control: &Control) -> Result<Vec<u8>> {
    let mut hasher = Hasher::new(algorithm)?;
    for chunk in data.chunks(STRIDE) {
        control.check()?;
        hasher.update(chunk);
        control.advance(chunk.len() as u64);
    }
    control.check()?;
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    #[test]
    fn hex_has_two_digits_a_byte() {
        let all: Vec<u8> = (0..=255).collect();
        let want: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut out = vec![0; 512];
        super::hex(&all, &mut out);
        assert_eq!(out, want.into_bytes());
    }
}
