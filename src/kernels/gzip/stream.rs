//! Streams: input and output in pieces, with flushes where asked for, from zlib-rs.

use super::gunzip::Reader;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status, Strategy};

/// How much the output grows at once.
const OUTPUT: usize = 32 * 1024;

/// Settings of a compressing stream, with zlib's names and ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// 0 stores, 1 to 9 compress.
    pub level: i32,
    /// Base-two logarithm of the history searched for matches: 9 to 15.
    pub window_bits: i32,
    /// Memory for the block being built: 1 to 9.
    pub mem_level: i32,
    /// 0 default, 1 filtered, 2 Huffman only, 3 run lengths, 4 fixed codes.
    pub strategy: i32,
}

impl Default for Settings {
    /// zlib's own defaults.
    fn default() -> Self {
        Self { level: 6, window_bits: 15, mem_level: 8, strategy: 0 }
    }
}

/// Compresses a stream into one gzip member.
pub struct GzipStream {
    deflate: Deflate,
}

impl GzipStream {
    /// A stream with these settings.
    ///
    /// # Errors
    /// `InvalidArgument` for one outside its range.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { level, window_bits, mem_level, strategy } = settings;
        let in_range = (0..=9).contains(&level) && (9..=15).contains(&window_bits) && (1..=9).contains(&mem_level);
        let strategy = Strategy::try_from(strategy).ok().filter(|_| in_range);
        let strategy = strategy.ok_or_else(|| Error::InvalidArgument(format!("out of range: {settings:?}")))?;
        // zlib's way of asking for a gzip header and trailer: 16 more.
        let config = DeflateConfig { level, window_bits: 16 + window_bits, mem_level, strategy, ..Default::default() };
        Ok(Self { deflate: Deflate::new_with_config(config) })
    }

    /// Compresses `input`, which may be empty, and returns what is ready; `flush` is zlib's number for how much has to
    /// be: 0 whatever is, 1 partial, 2 sync, 3 full, 4 finish, 5 block. Nothing may follow a finish.
    ///
    /// # Errors
    /// `InvalidArgument` for another number; `Aborted`, after which the stream is of no use.
    pub fn write(&mut self, input: &[u8], flush: i32, control: &Control) -> Result<Vec<u8>> {
        let flush = DeflateFlush::try_from(flush)
            .map_err(|()| Error::InvalidArgument(format!("unknown kind of flush: {flush}")))?;
        let mut output = Vec::new();
        let (mut read, mut written) = (0, 0);
        loop {
            control.check()?;
            if output.len() < written + OUTPUT / 2 {
                output.resize(written + OUTPUT, 0);
            }
            let (before_in, before_out) = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(&input[read..], &mut output[written..], flush);
            let status = status.map_err(|error| Error::Internal(format!("deflate: {}", error.as_str())))?;
            let consumed = (self.deflate.total_in() - before_in) as usize;
            read += consumed;
            written += (self.deflate.total_out() - before_out) as usize;
            control.advance(consumed as u64);
            // Room left over says that there was nothing more to write (zlib's manual, deflate()).
            if status == Status::StreamEnd || (written < output.len() && read == input.len()) {
                return Ok(trimmed(output, written));
            }
        }
    }
}

/// The first `length` bytes; a little output must not hold on to the memory of much.
fn trimmed(mut output: Vec<u8>, length: usize) -> Vec<u8> {
    output.truncate(length);
    if length < output.capacity() / 2 {
        output.shrink_to_fit();
    }
    output
}

/// Decompresses a stream of gzip members.
pub struct GunzipStream {
    reader: Reader,
    /// Input that has not been taken yet, from `at` on.
    rest: Vec<u8>,
    at: usize,
    /// What went wrong behind output that had to be handed over first.
    failed: Option<Error>,
    pending: bool,
}

impl GunzipStream {
    /// A stream that gives at most `limit` bytes in all.
    pub fn new(limit: u64) -> Self {
        Self { reader: Reader::new(limit), rest: Vec::new(), at: 0, failed: None, pending: false }
    }

    /// Decompresses `input` and returns at most `most` bytes. Where [`pending`](Self::pending) is true afterwards,
    /// there is more to come, or an error: the next call must be given no input. `is_last` says that the input ends.
    ///
    /// # Errors
    /// As [`super::gunzip`]; a member that `is_last` cuts short is `GzipTruncated`.
    pub fn write(&mut self, input: &[u8], is_last: bool, most: usize, control: &Control) -> Result<Vec<u8>> {
        if let Some(error) = self.failed.take() {
            self.pending = false;
            return Err(error);
        }
        let (kept, from) = (std::mem::take(&mut self.rest), std::mem::take(&mut self.at));
        let source = if input.is_empty() { &kept[from..] } else { input };
        let mut output = Vec::new();
        let (mut read, mut written) = (0, 0);
        let ended = loop {
            control.check()?;
            if written == output.len() {
                if written == most {
                    break Ok(());
                }
                output.resize((output.len() * 2).max(source.len() * 3).max(1024).min(most), 0);
            }
            match self.reader.step(&source[read..], &mut output[written..]) {
                Ok(step) => {
                    read += step.consumed;
                    written += step.produced;
                    control.advance(step.consumed as u64);
                    if step.consumed == 0 && step.produced == 0 {
                        break if is_last && read == source.len() { self.reader.end() } else { Ok(()) };
                    }
                }
                Err(error) => break Err(error),
            }
        };
        // Full: what is behind it, be it only the news that the input ended too early, is for the next call.
        self.pending = written == most && ended.is_ok();
        if self.pending {
            (self.rest, self.at) = if input.is_empty() { (kept, from + read) } else { (input[read..].to_vec(), 0) };
        }
        let output = trimmed(output, written);
        match ended {
            Err(error) if written == 0 => Err(error),
            Err(error) => {
                self.failed = Some(error);
                self.pending = true;
                Ok(output)
            }
            Ok(()) => Ok(output),
        }
    }

    /// Whether there is more to come without more input.
    pub fn pending(&self) -> bool {
        self.pending
    }
}
