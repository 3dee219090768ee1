//! One block of input as a piece of deflate data that others can follow.

use super::engine::Engine;
use crate::error::Result;

/// Bytes of input in a block: large enough that starting without a history, as libdeflate does, costs a few thousandths
/// of the output, small enough that an abort is seen within tens of milliseconds.
pub(super) const BLOCK: usize = if cfg!(fuzzing) { 1000 } else { 2 << 20 };

/// A block, before and after, in buffers that go round.
#[derive(Default)]
pub(super) struct Piece {
    /// What is compressed, behind what the encoder may look back to.
    pub input: Vec<u8>,
    /// Where the block begins in `input`.
    pub start: usize,
    /// Deflate data; ends at a whole byte.
    pub deflate: Vec<u8>,
    /// CRC-32 of the block, ready to be combined.
    pub crc: crc32fast::Hasher,
}

impl Piece {
    /// Bytes in the block.
    pub(super) fn len(&self) -> usize {
        self.input.len() - self.start
    }

    /// Compresses the block into `deflate`. The stream is ended when `is_last`, and open otherwise.
    ///
    /// # Errors
    /// As [`Engine::deflate`].
    pub(super) fn compress(&mut self, engine: Engine, is_last: bool) -> Result<()> {
        self.crc = crc32fast::Hasher::new();
        self.crc.update(&self.input[self.start..]);
        self.deflate.clear();
        engine.deflate(&self.input, self.start, is_last, &mut self.deflate)
    }
}
