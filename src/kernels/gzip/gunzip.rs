//! Reads gzip data (RFC 1952), member after member, from zlib-rs.

use crate::error::{Error, Result};
use crate::kernels::control::Control;
use zlib_rs::{Inflate, InflateFlush, Status};

/// Window bits of deflate, plus zlib's 16 for "a gzip header and trailer".
const GZIP_WINDOW: u8 = 16 + 15;
/// Output between two looks at the control.
const STRIDE: usize = 1 << 20;
/// The most that deflate expands a byte to: a bound for what a trailer may make us reserve.
const MOST_EXPANSION: usize = 1032;

/// Where a reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte, or inside a member.
    Member,
    /// After a member: the next byte says whether another follows.
    Between,
    /// After the last one: what comes is not looked at.
    End,
}

/// A reader of gzip data that arrives in pieces.
pub(super) struct Reader {
    inflate: Inflate,
    place: Place,
    produced: u64,
    limit: u64,
}

/// What one step took and gave, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Taken from the input.
    pub consumed: usize,
    /// Written to the output.
    pub produced: usize,
}

impl Reader {
    /// A reader that gives at most `limit` bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { inflate: Inflate::new(true, GZIP_WINDOW), place: Place::Member, produced: 0, limit }
    }

    /// Decompresses from the front of `input` to the front of `output`, until one of them is used up or the member
    /// ends. No progress with room in `output` left says that more input is needed.
    ///
    /// # Errors
    /// `GzipCorrupt`; `BufferTooLarge` once the limit is passed.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step> {
        if self.place == Place::Between {
            match input.first() {
                None => return Ok(Step { consumed: 0, produced: 0 }),
                // Zeros pad archives on tape; Node and GNU gzip ignore what begins with one.
                Some(0) => self.place = Place::End,
                Some(_) => {
                    self.inflate = Inflate::new(true, GZIP_WINDOW);
                    self.place = Place::Member;
                }
            }
        }
        if self.place == Place::End {
            return Ok(Step { consumed: input.len(), produced: 0 });
        }
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, output, InflateFlush::NoFlush);
        let status = status.map_err(|error| {
            Error::GzipCorrupt(self.inflate.error_message().unwrap_or_else(|| error.as_str()).to_owned())
        })?;
        if status == Status::StreamEnd {
            self.place = Place::Between;
        }
        let step = Step {
            consumed: (self.inflate.total_in() - before_in) as usize,
            produced: (self.inflate.total_out() - before_out) as usize,
        };
        self.produced += step.produced as u64;
        if self.produced > self.limit {
            return Err(Error::BufferTooLarge { limit: self.limit });
        }
        Ok(step)
    }

    /// Says that no more input comes.
    ///
    /// # Errors
    /// `GzipTruncated` inside a member, or before the first.
    pub(super) fn end(&self) -> Result<()> {
        if self.place == Place::Member { Err(Error::GzipTruncated) } else { Ok(()) }
    }
}

/// Decompresses every member of `input`, at most `limit` bytes in all. Bytes after the last member are ignored when they
/// begin with a zero, and are an error otherwise, as in Node. `control` counts the input.
///
/// # Errors
/// `GzipCorrupt`; `GzipTruncated`; `BufferTooLarge` when there is more output than `limit`; `Aborted`.
pub fn gunzip(input: &[u8], limit: u64, control: &Control) -> Result<Vec<u8>> {
    let mut reader = Reader::new(limit);
    let mut output = vec![0; first_guess(input, limit)];
    let (mut read, mut written) = (0, 0);
    loop {
        control.check()?;
        let end = output.len().min(written + STRIDE);
        let step = reader.step(&input[read..], &mut output[written..end])?;
        read += step.consumed;
        written += step.produced;
        control.advance(step.consumed as u64);
        if step.consumed > 0 || step.produced > 0 {
            continue;
        }
        if written < output.len() || reader.end().is_ok() {
            reader.end()?;
            output.truncate(written);
            return Ok(output);
        }
        // One byte over the limit is enough to find that there is more.
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        output.resize((output.len() * 2).min(limit.max(output.len() + 1)), 0);
    }
}

/// The length in the last trailer, which is right for one member under 4 GiB, within what the input can expand to.
fn first_guess(input: &[u8], limit: u64) -> usize {
    /// Reserved on the word of a trailer alone.
    const MOST: usize = 256 << 20;
    let claimed = input.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    claimed.min(input.len().saturating_mul(MOST_EXPANSION)).min(limit).clamp(64, MOST)
}
