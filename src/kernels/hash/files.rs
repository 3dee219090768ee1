//! Digests of many files: each lane reads a file of its own, so that memory grows with the lanes, not with the files.

use super::algorithm::Algorithm;
use super::constants::{BLOCK, Block, State};
use super::driver::{self, Feed};
use super::file::{Source, file};
use super::ladder::Ladder;
use super::many::initial;
use super::schedule;
use super::stream::{Tail, to_bytes};
use crate::error::Result;
use crate::kernels::control::Control;
use std::path::{Path, PathBuf};

/// Bytes per read of one lane: sixteen lanes together stay in a core's own cache.
const CHUNK: usize = 64 * 1024;
/// Lanes read at the same pace: were all their buffers equally far from a page's start, sixteen lines would compete for
/// the twelve places that one set of the first cache has.
const STAGGER: usize = 5 * BLOCK;

/// The digests of the files at `paths`, one after the other in their order: [`Algorithm::digest_len`] bytes each.
///
/// SHA-224 and SHA-256 run in SIMD lanes on the calling thread, the others one by one. At most as many files are open
/// as there are lanes, 16. `control` counts the bytes read.
///
/// # Errors
/// The first file that fails fails all: `Io` with Node's names for the call (`open`, `read`) and the path. `Aborted`,
/// and `InvalidArgument` as [`Hasher::new`](super::Hasher::new).
pub fn files(algorithm: Algorithm, paths: &[PathBuf], control: &Control) -> Result<Vec<u8>> {
    control.check()?;
    let digest_len = algorithm.digest_len();
    let Some(initial) = initial(algorithm) else {
        let mut digests = Vec::with_capacity(paths.len() * digest_len);
        for path in paths {
            digests.extend(file(algorithm, path, control)?);
        }
        return Ok(digests);
    };
    let ladder = Ladder::chosen()?;
    let lanes = ladder.lanes().min(paths.len());
    let mut feed = Files {
        paths,
        order: order(paths, ladder.lanes(), control)?,
        taken: 0,
        buffers: vec![0; lanes * (CHUNK + STAGGER)],
        slots: (0..lanes).map(|_| None).collect(),
        initial,
        digests: vec![0; paths.len() * digest_len],
        digest_len,
        control,
    };
    driver::run(&ladder, &mut feed, control)?;
    Ok(feed.digests)
}

/// The order in which files enter the lanes, by the sizes that their directories tell now. A file whose size cannot be
/// told counts as empty: opening it will say why.
fn order(paths: &[PathBuf], lanes: usize, control: &Control) -> Result<Option<Vec<usize>>> {
    let mut sizes = Vec::with_capacity(paths.len());
    for path in paths {
        control.check()?;
        sizes.push(schedule::blocks(path.metadata().map_or(0, |metadata| metadata.len())));
    }
    Ok(schedule::order(&sizes, lanes))
}

struct Files<'a> {
    paths: &'a [PathBuf],
    order: Option<Vec<usize>>,
    taken: usize,
    /// One buffer after the other, [`CHUNK`] bytes each and [`STAGGER`] apart.
    buffers: Vec<u8>,
    slots: Vec<Option<Slot<'a>>>,
    initial: State,
    digests: Vec<u8>,
    digest_len: usize,
    control: &'a Control,
}

struct Slot<'a> {
    file: usize,
    source: Source<'a>,
    /// Bytes read from the file so far.
    length: u64,
    at_hand: AtHand,
}

/// The blocks a slot has: `from..to` of its buffer, in blocks, or of what follows the file's last whole block.
enum AtHand {
    Buffer { from: usize, to: usize, tail: Option<Tail> },
    Tail { tail: Tail, from: usize },
}

impl Files<'_> {
    /// Reads the slot's next chunk. A chunk that is not full is the file's last.
    fn read(&mut self, slot: usize) -> Result<()> {
        let Some(Slot { source, length, at_hand, .. }) = &mut self.slots[slot] else {
            return Ok(());
        };
        let start = slot * (CHUNK + STAGGER);
        let buffer = &mut self.buffers[start..start + CHUNK];
        let count = source.read(buffer, self.control)?;
        *length += count as u64;
        self.control.advance(count as u64);
        let (blocks, rest) = buffer[..count].as_chunks::<BLOCK>();
        let tail = (count < CHUNK).then(|| Tail::new(rest, *length));
        *at_hand = match tail {
            Some(tail) if blocks.is_empty() => AtHand::Tail { tail, from: 0 },
            tail => AtHand::Buffer { from: 0, to: blocks.len(), tail },
        };
        Ok(())
    }
}

impl Feed for Files<'_> {
    fn begin(&mut self, slot: usize) -> Result<Option<State>> {
        if self.taken == self.paths.len() {
            // Closes the file; a slot beyond the number of files has none.
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = None;
            }
            return Ok(None);
        }
        let file = self.order.as_ref().map_or(self.taken, |order| order[self.taken]);
        self.taken += 1;
        let source = Source::open(Path::new(&self.paths[file]))?;
        let at_hand = AtHand::Buffer { from: 0, to: 0, tail: None };
        self.slots[slot] = Some(Slot { file, source, length: 0, at_hand });
        self.read(slot)?;
        Ok(Some(self.initial))
    }

    fn blocks(&self, slot: usize) -> &[Block] {
        match self.slots[slot].as_ref().map(|slot| &slot.at_hand) {
            Some(AtHand::Buffer { from, to, .. }) => {
                let start = slot * (CHUNK + STAGGER);
                &self.buffers[start..start + CHUNK].as_chunks().0[*from..*to]
            }
            Some(AtHand::Tail { tail, from }) => &tail.blocks()[*from..],
            None => &[],
        }
    }

    fn consume(&mut self, slot: usize, count: usize) {
        if let Some(Slot { at_hand: AtHand::Buffer { from, .. } | AtHand::Tail { from, .. }, .. }) =
            &mut self.slots[slot]
        {
            *from += count;
        }
    }

    fn refill(&mut self, slot: usize) -> Result<bool> {
        let Some(Slot { at_hand, .. }) = &mut self.slots[slot] else {
            return Ok(false);
        };
        match *at_hand {
            AtHand::Tail { .. } => Ok(false),
            AtHand::Buffer { tail: Some(tail), .. } => {
                *at_hand = AtHand::Tail { tail, from: 0 };
                Ok(true)
            }
            AtHand::Buffer { tail: None, .. } => self.read(slot).map(|()| true),
        }
    }

    fn end(&mut self, slot: usize, state: State) {
        if let Some(Slot { file, .. }) = &self.slots[slot] {
            let at = file * self.digest_len;
            self.digests[at..at + self.digest_len].copy_from_slice(&to_bytes(&state)[..self.digest_len]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::kernels::hash::digest;

    #[test]
    fn equals_the_digests_of_the_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let lengths =
            [0, 1, 63, 64, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 60, 300_000, 7, 5 * CHUNK + 64];
        let (mut paths, mut contents) = (Vec::new(), Vec::new());
        for (index, length) in lengths.iter().chain(&lengths).enumerate() {
            let data: Vec<u8> = (0..*length).map(|i| (i * 31 + index) as u8).collect();
            paths.push(folder.path().join(index.to_string()));
            std::fs::write(&paths[index], &data).expect("written");
            contents.push(data);
        }
        for algorithm in Algorithm::ALL {
            for count in [0, 1, 2, 5, paths.len()] {
                let control = Control::new();
                let got = files(algorithm, &paths[..count], &control).expect("digests");
                let want: Vec<u8> = contents[..count]
                    .iter()
                    .flat_map(|data| digest(algorithm, data, &Control::new()).expect("a digest"))
                    .collect();
                assert_eq!(got, want, "{algorithm}, {count} files");
                assert_eq!(control.done(), contents[..count].iter().map(|data| data.len() as u64).sum::<u64>());
            }
        }
    }

    #[test]
    fn a_missing_file_fails_all_and_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = folder.path().join("good");
        std::fs::write(&good, [1; 100]).expect("written");
        let bad = folder.path().join("bad");
        let error = files(Algorithm::Sha256, &[good.clone(), bad.clone(), good.clone()], &Control::new());
        assert!(matches!(error, Err(Error::Io { syscall: "open", path, .. }) if path == bad));
        let error = files(Algorithm::Sha256, &[good, folder.path().into()], &Control::new());
        assert!(matches!(error, Err(Error::Io { syscall: "read", path, .. }) if path == folder.path()));
    }

    #[test]
    fn an_aborted_control_stops_it() {
        let control = Control::new();
        control.abort();
        assert!(matches!(files(Algorithm::Sha256, &["/none".into()], &control), Err(Error::Aborted)));
    }
}
