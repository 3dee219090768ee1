//! One block of input as a piece of deflate data that others can follow.

use super::engine::Engine;
use crate::error::Result;

/// Bytes of input in a block: large enough that starting without a history costs a few thousandths of the output,
/// small enough that an abort is seen within tens of milliseconds.
pub(super) const BLOCK: usize = 2 << 20;

/// A block, before and after, in buffers that go round.
#[derive(Default)]
pub(super) struct Piece {
    /// What is compressed.
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
    /// As [`Engine::deflate`].
    pub(super) fn compress(&mut self, engine: Engine, is_last: bool) -> Result<()> {
        self.crc = crc32fast::Hasher::new();
        self.crc.update(&self.input);
        engine.deflate(&self.input, is_last, &mut self.deflate)
    }
}
