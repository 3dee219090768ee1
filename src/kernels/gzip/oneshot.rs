//! Buffers of any size.

use super::block::BLOCK;
use super::engine::with_compressor;
use super::{Level, parallel};
use crate::error::{Error, Result};
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
    with_compressor(level.get(), |compressor| {
        let mut output = vec![0; compressor.gzip_compress_bound(input.len())];
        let length = compressor.gzip_compress(input, &mut output);
        output.truncate(length.map_err(|error| Error::Internal(error.to_string()))?);
        // The bound is a little over the input's length; what compressed well must not hold on to it.
        output.shrink_to_fit();
        output[..10].copy_from_slice(&super::format::header(level));
        control.advance(input.len() as u64);
        Ok(output)
    })
}
