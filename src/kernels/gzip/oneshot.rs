//! Buffers of any size.

use super::block::BLOCK;
use super::engine::Engine;
use super::{Level, format, parallel};
use crate::error::Result;
use crate::kernels::control::Control;

/// Compresses `input` into one gzip member, with the help of idle threads of the pool where it is large.
///
/// The output depends on `input` and `level` alone. `control` counts the input compressed.
///
/// # Errors
/// `Aborted` once `control` was aborted, looked at every 2 MiB.
pub fn gzip(input: &[u8], level: Level, control: &Control) -> Result<Vec<u8>> {
    control.check()?;
    if input.len() < BLOCK {
        return small(input, level, control);
    }
    let mut rest = input;
    let mut output = Vec::with_capacity(input.len() / 3);
    let read = |block: &mut Vec<u8>| {
        let (next, after) = rest.split_at(rest.len().min(BLOCK));
        block.extend_from_slice(next);
        rest = after;
        Ok(())
    };
    let write = |bytes: &[u8]| {
        output.extend_from_slice(bytes);
        Ok(())
    };
    parallel::compress(level, read, write, control)?;
    Ok(output)
}

/// One block, without a copy of it.
fn small(input: &[u8], level: Level, control: &Control) -> Result<Vec<u8>> {
    let mut output = format::header(level).to_vec();
    Engine::of(level, input.len()).deflate(input, 0, true, &mut output)?;
    output.extend_from_slice(&format::trailer(crc32fast::hash(input), input.len() as u64));
    // There was room for more; what compressed well must not hold on to it.
    output.shrink_to_fit();
    control.advance(input.len() as u64);
    Ok(output)
}
