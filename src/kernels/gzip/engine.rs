//! Which encoder compresses a block, and how it is called.
//!
//! Level 6 promises what zlib's level 6 gives: that size. libdeflate has no such level (its 6 makes up to a hundredth
//! more, its 7 takes half as long again), so that level has an encoder of its own ([`super::deflate`]), but for inputs so
//! small that its tables would cost more than it gains. All else is libdeflate's.

use super::deflate::Deflater;
use super::{Level, splice};
use crate::error::{Error, Result};
use libdeflater::{CompressionLvl, Compressor};
use std::cell::RefCell;

/// The level whose size zlib's level 6 bounds.
const MATCHED: Level = Level(6);
/// Bytes below which libdeflate's level 6 serves: there it makes no more than zlib either, or a few bytes.
const LEAST: usize = if cfg!(fuzzing) { 0 } else { 64 * 1024 };

/// An encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// [`super::deflate`]; looks back over the start of a block.
    Own,
    /// 0 to 12. Each block begins anew.
    Libdeflate(u8),
}

impl Engine {
    /// The encoder for an input of `length` bytes, or of more.
    pub(super) fn of(level: Level, length: usize) -> Self {
        if level == MATCHED && length >= LEAST { Self::Own } else { Self::Libdeflate(level.get()) }
    }

    /// How many of the bytes before a block it makes use of.
    pub(super) fn window(self) -> usize {
        match self {
            Self::Own => super::deflate::WINDOW,
            Self::Libdeflate(_) => 0,
        }
    }

    /// Appends to `output` what `input[start..]` becomes, which follows `input[..start]`: a deflate stream that ends when
    /// `is_last`, and otherwise goes on at a whole byte.
    ///
    /// # Errors
    /// `Internal`: never seen, since the buffers are as large as the encoders ask for.
    pub(super) fn deflate(self, input: &[u8], start: usize, is_last: bool, output: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Own => {
                with_deflater(|deflater| deflater.deflate(input, start, is_last, output));
                Ok(())
            }
            Self::Libdeflate(level) => with_compressor(level, |compressor| {
                let (input, before) = (&input[start..], output.len());
                output.resize(before + compressor.deflate_compress_bound(input.len()), 0);
                let length = compressor.deflate_compress(input, &mut output[before..]);
                output.truncate(before + length.map_err(|error| Error::Internal(error.to_string()))?);
                let opened = if is_last { Some(()) } else { splice::open_end(output, before) };
                opened.ok_or_else(|| Error::Internal("the compressor's output is no deflate stream".into()))
            }),
        }
    }
}

/// Calls `work` with this thread's encoder, which is kept for the next call.
fn with_deflater<T>(work: impl FnOnce(&mut Deflater) -> T) -> T {
    thread_local! {
        static KEPT: RefCell<Option<Deflater>> = const { RefCell::new(None) };
    }
    let mut deflater = KEPT.take().unwrap_or_else(Deflater::new);
    let result = work(&mut deflater);
    KEPT.set(Some(deflater));
    result
}

/// Calls `work` with this thread's libdeflate compressor, which is kept for the next call with the same level.
fn with_compressor<T>(level: u8, work: impl FnOnce(&mut Compressor) -> Result<T>) -> Result<T> {
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
        let engines = [Engine::Libdeflate(5), Engine::Own, Engine::Own, Engine::Libdeflate(0), Engine::Own];
        let (mut all, mut stream) = (Vec::new(), Vec::new());
        for (index, engine) in engines.iter().enumerate() {
            let start = all.len();
            all.extend_from_slice(&data);
            engine.deflate(&all, start, index + 1 == engines.len(), &mut stream).unwrap();
        }
        let mut out = vec![0; all.len()];
        Decompressor::new().deflate_decompress(&stream, &mut out).unwrap();
        assert!(out == all);
    }

    #[test]
    fn only_large_inputs_of_the_level_that_matches_zlib_have_the_encoder_of_our_own() {
        assert_eq!(Engine::of(Level(6), LEAST), Engine::Own);
        assert_eq!(Engine::of(Level(6), LEAST - 1), Engine::Libdeflate(6));
        assert_eq!(Engine::of(Level(7), LEAST), Engine::Libdeflate(7));
    }
}
