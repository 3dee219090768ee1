//! [`many`](super::many) and [`files`](super::files) over several threads.

use super::algorithm::Algorithm;
use super::files::files;
use super::many::many;
use crate::error::Result;
use crate::kernels::control::Control;
use std::path::PathBuf;

/// Fewer messages than this on a thread would leave SIMD lanes empty.
const LEAST_MESSAGES: usize = 32;
/// Fewer bytes than this are hashed before another thread has woken up.
const LEAST_BYTES: usize = 512 * 1024;

/// The digests of `messages` in their order, as [`many`] gives them, the work halved by bytes over the threads of the
/// rayon pool this runs in.
///
/// # Errors
/// As [`many`].
pub fn many_parallel(algorithm: Algorithm, messages: &[&[u8]], control: &Control) -> Result<Vec<u8>> {
    halve(algorithm, messages, control, rayon::current_num_threads())
}

fn halve(algorithm: Algorithm, messages: &[&[u8]], control: &Control, threads: usize) -> Result<Vec<u8>> {
    let bytes: usize = messages.iter().map(|message| message.len()).sum();
    if threads < 2 || messages.len() < 2 * LEAST_MESSAGES || bytes < 2 * LEAST_BYTES {
        return many(algorithm, messages, control);
    }
    let mut before = 0;
    let middle = messages.iter().position(|message| {
        before += message.len();
        before >= bytes / 2
    });
    let middle = middle.unwrap_or(0).clamp(LEAST_MESSAGES, messages.len() - LEAST_MESSAGES);
    let (left, right) = messages.split_at(middle);
    joined(|| halve(algorithm, left, control, threads / 2), || halve(algorithm, right, control, threads - threads / 2))
}

/// The digests of the files at `paths` in their order, as [`files`] gives them, the list halved over the threads of the
/// rayon pool this runs in.
///
/// # Errors
/// As [`files`].
pub fn files_parallel(algorithm: Algorithm, paths: &[PathBuf], control: &Control) -> Result<Vec<u8>> {
    halve_files(algorithm, paths, control, rayon::current_num_threads())
}

fn halve_files(algorithm: Algorithm, paths: &[PathBuf], control: &Control, threads: usize) -> Result<Vec<u8>> {
    if threads < 2 || paths.len() < LEAST_MESSAGES {
        return files(algorithm, paths, control);
    }
    let (left, right) = paths.split_at(paths.len() / 2);
    joined(
        || halve_files(algorithm, left, control, threads / 2),
        || halve_files(algorithm, right, control, threads - threads / 2),
    )
}

/// Runs both halves side by side and puts their digests one behind the other.
fn joined<A, B>(left: A, right: B) -> Result<Vec<u8>>
where
    A: FnOnce() -> Result<Vec<u8>> + Send,
    B: FnOnce() -> Result<Vec<u8>> + Send,
{
    let (left, right) = rayon::join(left, right);
    let mut digests = left?;
    digests.extend_from_slice(&right?);
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_change_no_digest_and_no_order() {
        let data = vec![7_u8; 300_000];
        let messages: Vec<&[u8]> = (0..200).map(|i| &data[..(i * 7919) % 300_000]).collect();
        let control = Control::new();
        let alone = many(Algorithm::Sha256, &messages, &control).unwrap();
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| many_parallel(Algorithm::Sha256, &messages, &control)).unwrap();
            assert_eq!(together, alone, "{threads} threads");
        }
    }
}
