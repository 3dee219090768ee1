//! One block of input as a piece of deflate data that others can follow.

use super::{Level, splice};
use crate::error::{Error, Result};
use libdeflater::{CompressionLvl, Compressor};
use std::cell::RefCell;

/// Bytes of input in a block: large enough that starting without a history costs a few thousandths of the output,
/// small enough that an abort is seen within tens of milliseconds.
pub(super) const BLOCK: usize = 2 << 20;

/// A compressed block, with the buffers it was made in: they go round.
#[derive(Default)]
pub(super) struct Piece {
    /// What was compressed.
    pub input: Vec<u8>,
    /// Deflate data; ends at a whole byte.
    pub deflate: Vec<u8>,
    /// CRC-32 of the input, ready to be combined.
    pub crc: crc32fast::Hasher,
}

impl Piece {
    /// Compresses `input` into `deflate`. The stream is ended when `is_last`, and open otherwise.
    ///
    /// # Errors
    /// `Internal`: never seen, since the buffer is as large as the engine asks for.
    pub(super) fn compress(&mut self, level: Level, is_last: bool) -> Result<()> {
        self.crc = crc32fast::Hasher::new();
        self.crc.update(&self.input);
        with_compressor(level, |compressor| {
            self.deflate.clear();
            self.deflate.resize(compressor.deflate_compress_bound(self.input.len()), 0);
            let length = compressor.deflate_compress(&self.input, &mut self.deflate);
            let length = length.map_err(|error| Error::Internal(error.to_string()))?;
            self.deflate.truncate(length);
            Ok(())
        })?;
        if !is_last {
            let opened = splice::open_end(&mut self.deflate);
            opened.ok_or_else(|| Error::Internal("the compressor's output is no deflate stream".into()))?;
        }
        Ok(())
    }
}

/// Calls `work` with this thread's compressor, which is kept for the next call with the same level.
pub(super) fn with_compressor<T>(level: Level, work: impl FnOnce(&mut Compressor) -> Result<T>) -> Result<T> {
    thread_local! {
        static KEPT: RefCell<Option<(Level, Compressor)>> = const { RefCell::new(None) };
    }
    let kept = KEPT.take().filter(|(kept, _)| *kept == level);
    let mut compressor = match kept {
        Some((_, compressor)) => compressor,
        None => Compressor::new(engine_level(level)?),
    };
    let result = work(&mut compressor);
    KEPT.set(Some((level, compressor)));
    result
}

fn engine_level(level: Level) -> Result<CompressionLvl> {
    CompressionLvl::new(i32::from(level.get())).map_err(|error| Error::Internal(format!("level: {error:?}")))
}
