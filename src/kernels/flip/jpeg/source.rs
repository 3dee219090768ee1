//! Feeds the decoder, and starves it on abort.

use crate::kernels::control::Control;
use std::cell::Cell;
use zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZCursor, ZSeekFrom};

/// How far the decoder may read ahead of what it decodes: its bit buffer, in bytes.
const READ_AHEAD: usize = 8;

/// Bytes the bit buffer is refilled with at once.
const REFILL: usize = 4;

/// What a [`Source`] saw happen; the decoder owns the source itself.
#[derive(Debug, Default)]
pub struct Observed {
    overrun: Cell<bool>,
}

impl Observed {
    /// Whether the decoder wanted more entropy-coded data than there was.
    pub fn overrun(&self) -> bool {
        self.overrun.get()
    }
}

/// Bytes in memory that end early once the job is aborted: the decoder then stops at its next line of blocks.
pub struct Source<'a> {
    cursor: ZCursor<&'a [u8]>,
    /// Where the last scan ends; zeros follow, so that reading on is seen here and does no harm there.
    end: usize,
    observed: &'a Observed,
    control: &'a Control,
}

impl<'a> Source<'a> {
    /// Reads `bytes`, whose last scan ends at `end`, from their start.
    pub fn new(bytes: &'a [u8], end: usize, observed: &'a Observed, control: &'a Control) -> Self {
        Self { cursor: ZCursor::new(bytes), end: end + READ_AHEAD, observed, control }
    }

    fn check(&self) -> Result<(), ZByteIoError> {
        if self.control.is_aborted() { Err(ZByteIoError::Generic("aborted")) } else { Ok(()) }
    }
}

impl ZByteReaderTrait for Source<'_> {
    #[inline(always)]
    fn read_byte_no_error(&mut self) -> u8 {
        self.cursor.read_byte_no_error()
    }

    #[inline(always)]
    fn read_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        self.check()?;
        let position = self.cursor.z_position().unwrap_or(0) as usize;
        // Single bytes are read in search of the next marker, which may lie further on.
        if buffer.len() == REFILL && position + REFILL > self.end {
            self.observed.overrun.set(true);
        }
        self.cursor.read_exact_bytes(buffer)
    }

    fn read_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        self.cursor.read_bytes(buffer)
    }

    fn peek_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        self.cursor.peek_bytes(buffer)
    }

    fn peek_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        self.cursor.peek_exact_bytes(buffer)
    }

    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        self.cursor.z_seek(from)
    }

    #[inline(always)]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        self.check()?;
        self.cursor.is_eof()
    }

    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        self.cursor.z_position()
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        self.cursor.read_remaining(sink)
    }
}
