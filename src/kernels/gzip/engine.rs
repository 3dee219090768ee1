//! Which engine compresses a block, and how it is called.
//!
//! Level 6 promises what zlib's level 6 gives: that size. Which engine gets there soonest depends on the data: lazy
//! parsing with good block splitting (libdeflate) on logs and prose, longer chains with a two-step parse (zlib-rs at 5)
//! where few words make many matches. On large inputs a sample of every few blocks tells; it is taken at places that the
//! input alone determines, so that the output still is the same for any number of threads.

use super::{Level, splice};
use crate::error::{Error, Result};
use libdeflater::{CompressionLvl, Compressor};
use std::cell::RefCell;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// Blocks that share a choice.
pub(super) const BLOCKS_PER_CHOICE: usize = 2;
/// Bytes of a sample, of which there are two to a choice.
const SAMPLE: usize = 64 * 1024;
/// The level whose size zlib's level 6 bounds.
const MATCHED: Level = Level(6);
/// zlib-rs has zlib's own lazy parse at this level, with chains twice as long: over blocks of text without a history it
/// came within 0.2% of what zlib's level 6 makes of the whole.
const YARDSTICK: Engine = Engine::Zlib(7);
/// What may reach zlib's size, from the fastest on.
const CANDIDATES: [Engine; 2] = [Engine::Libdeflate(6), Engine::Zlib(5)];
/// What does where none of them seems to.
const THOROUGH: Engine = Engine::Libdeflate(7);

/// An encoder and its own level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// 0 to 12.
    Libdeflate(u8),
    /// 0 to 9.
    Zlib(u8),
}

impl Engine {
    /// The engine for small inputs, and for every level that matches nothing.
    pub(super) fn plain(level: Level) -> Self {
        Self::Libdeflate(level.get())
    }

    /// The engine for this block and those that share its choice.
    ///
    /// # Errors
    /// As [`deflate`](Self::deflate).
    pub(super) fn choose(level: Level, block: &[u8]) -> Result<Self> {
        if level != MATCHED || block.len() < 4 * SAMPLE {
            return Ok(Self::plain(level));
        }
        // Two, since one may hit upon the one picture among the prose: a candidate must reach the size in both.
        let samples = [block.len() / 4, block.len() / 4 * 3].map(|start| &block[start..start + SAMPLE]);
        let mut output = Vec::new();
        let mut size = |engine: Self, sample| engine.deflate(sample, true, &mut output).map(|()| output.len());
        let mut yardsticks = [None; 2];
        for candidate in CANDIDATES {
            let mut fits = true;
            for (sample, yardstick) in samples.into_iter().zip(&mut yardsticks) {
                let most = match *yardstick {
                    Some(most) => most,
                    None => *yardstick.insert(size(YARDSTICK, sample)?),
                };
                fits = fits && size(candidate, sample)? <= most;
                if !fits {
                    break;
                }
            }
            if fits {
                return Ok(candidate);
            }
        }
        Ok(THOROUGH)
    }

    /// Compresses `input` into `output`, as a whole deflate stream when `is_last`, and otherwise as one that goes on at
    /// a whole byte.
    ///
    /// # Errors
    /// `Internal`: never seen, since the buffers are as large as the engines ask for.
    pub(super) fn deflate(self, input: &[u8], is_last: bool, output: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Libdeflate(level) => {
                with_compressor(level, |compressor| {
                    output.clear();
                    output.resize(compressor.deflate_compress_bound(input.len()), 0);
                    let length = compressor.deflate_compress(input, output);
                    output.truncate(length.map_err(|error| Error::Internal(error.to_string()))?);
                    Ok(())
                })?;
                let opened = if is_last { Some(()) } else { splice::open_end(output) };
                opened.ok_or_else(|| Error::Internal("the compressor's output is no deflate stream".into()))
            }
            Self::Zlib(level) => zlib(level, input, is_last, output),
        }
    }
}

fn zlib(level: u8, input: &[u8], is_last: bool, output: &mut Vec<u8>) -> Result<()> {
    // Negative window bits: no header, no trailer.
    let config = DeflateConfig { level: i32::from(level), window_bits: -15, mem_level: 9, ..Default::default() };
    let mut deflate = Deflate::new_with_config(config);
    let flush = if is_last { DeflateFlush::Finish } else { DeflateFlush::SyncFlush };
    output.clear();
    loop {
        let (read, written) = (deflate.total_in() as usize, output.len());
        output.resize(written + (input.len() - read) / 2 + 4096, 0);
        let status = deflate.compress(&input[read..], &mut output[written..], flush);
        let status = status.map_err(|error| Error::Internal(format!("deflate: {}", error.as_str())))?;
        let has_room = (deflate.total_out() as usize) < output.len();
        output.truncate(deflate.total_out() as usize);
        if status == Status::StreamEnd || (has_room && deflate.total_in() as usize == input.len()) {
            return Ok(());
        }
    }
}

/// Calls `work` with this thread's libdeflate compressor, which is kept for the next call with the same level.
pub(super) fn with_compressor<T>(level: u8, work: impl FnOnce(&mut Compressor) -> Result<T>) -> Result<T> {
    thread_local! {
        static KEPT: RefCell<Option<(u8, Compressor)>> = const { RefCell::new(None) };
    }
    let kept = KEPT.take().filter(|(kept, _)| *kept == level);
    let mut compressor = match kept {
        Some((_, compressor)) => compressor,
        None => {
            let level = CompressionLvl::new(i32::from(level));
            Compressor::new(level.map_err(|error| Error::Internal(format!("level: {error:?}")))?)
        }
    };
    let result = work(&mut compressor);
    KEPT.set(Some((level, compressor)));
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use libdeflater::Decompressor;

    #[test]
    fn pieces_of_any_engine_join() {
        let data: Vec<u8> = (0..300_000u32).flat_map(|i| (i.wrapping_mul(i) >> 7).to_le_bytes()).collect();
        let engines = [Engine::Libdeflate(5), Engine::Zlib(5), Engine::Libdeflate(7), Engine::Zlib(0), YARDSTICK];
        let (mut stream, mut piece) = (Vec::new(), Vec::new());
        for (index, engine) in engines.iter().enumerate() {
            engine.deflate(&data, index + 1 == engines.len(), &mut piece).unwrap();
            stream.extend_from_slice(&piece);
        }
        let mut out = vec![0; data.len() * engines.len()];
        Decompressor::new().deflate_decompress(&stream, &mut out).unwrap();
        assert!(out == data.repeat(engines.len()));
    }

    #[test]
    fn only_the_level_that_matches_zlib_is_chosen_by_sample() {
        let block = b"a few words ".repeat(50_000);
        assert_eq!(Engine::choose(Level(9), &block).unwrap(), Engine::Libdeflate(9));
        assert_eq!(Engine::choose(Level(6), &block[..1000]).unwrap(), Engine::Libdeflate(6));
        assert_eq!(Engine::choose(Level(6), &block).unwrap(), Engine::choose(Level(6), &block).unwrap());
    }
}
