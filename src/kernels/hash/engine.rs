//! The engine for one stream of SHA-256, chosen once per process.

use super::backend::{self, Backend};
use super::constants::{Block, State};
#[cfg(target_arch = "x86_64")]
use super::lanes::x86;
use super::portable;
use crate::error::Result;
use std::sync::LazyLock;

/// Runs the compression function (FIPS 180-4, section 6.2.2) over consecutive blocks of one message.
pub(super) type Compress = fn(&mut State, &[Block]);

/// The engine for one stream: the forced backend's, else the fastest this CPU has.
///
/// # Errors
/// `InvalidArgument` when the environment forces a backend that does not exist or that this CPU lacks.
pub(super) fn compress() -> Result<Compress> {
    static BEST: LazyLock<Compress> = LazyLock::new(|| of(best()));
    Ok(backend::forced()?.map_or_else(|| *BEST, of))
}

/// The fastest backend for one stream that this CPU has: instructions made for SHA-256 first.
pub(super) fn best() -> Backend {
    const ORDER: [Backend; 5] = [Backend::ShaNi, Backend::Armv8, Backend::Avx512, Backend::Avx512vl, Backend::Avx2];
    ORDER.into_iter().find(|backend| backend.is_available()).unwrap_or(Backend::Portable)
}

/// The engine that goes with a backend this CPU has.
pub(super) fn of(backend: Backend) -> Compress {
    let special: Option<Compress> = match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::ShaNi => x86::sha_ni::stream(),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512vl | Backend::Avx512 => x86::avx512vl::stream(),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => x86::avx2::stream(),
        #[cfg(target_arch = "aarch64")]
        Backend::Armv8 => Some(sha2::block_api::compress256),
        _ => None,
    };
    special.unwrap_or(portable::compress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::hash::constants::INITIAL_256;

    #[test]
    fn every_engine_compresses_like_sha2() {
        let blocks: Vec<Block> = (0..41).map(|i| std::array::from_fn(|j| (i * 53 + j * 7) as u8)).collect();
        for backend in Backend::ALL {
            if !backend.is_available() {
                eprintln!("skipped: this CPU lacks {}", backend.name());
                continue;
            }
            let engine = of(backend);
            for count in 0..=blocks.len() {
                let (mut got, mut want) = (INITIAL_256, INITIAL_256);
                engine(&mut got, &blocks[..count]);
                sha2::block_api::compress256(&mut want, &blocks[..count]);
                assert_eq!(got, want, "{} over {count} blocks", backend.name());
            }
        }
    }
}
