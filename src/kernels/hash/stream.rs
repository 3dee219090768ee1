//! One stream of SHA-256 or SHA-224: state, partial block and padding (FIPS 180-4, sections 5.1.1 and 6.2).

use super::constants::{BLOCK, Block, State};
use super::engine::Compress;

/// A running SHA-256 or SHA-224.
#[derive(Debug, Clone)]
pub(super) struct Stream256 {
    pub(super) state: State,
    /// The first `pending` bytes wait for the rest of their block.
    partial: Block,
    pending: usize,
    /// Bytes taken in so far.
    length: u64,
}

impl Stream256 {
    /// A stream that has seen nothing.
    pub(super) const fn new(initial: State) -> Self {
        Self { state: initial, partial: [0; BLOCK], pending: 0, length: 0 }
    }

    /// Takes in more bytes; whole blocks go to `compress` where they lie.
    pub(super) fn update(&mut self, data: &[u8], compress: Compress) {
        let Absorbed { head, body } = self.absorb(data);
        if let Some(head) = head {
            compress(&mut self.state, &[head]);
        }
        if !body.is_empty() {
            compress(&mut self.state, body);
        }
    }

    /// Takes in `data` but for its whole blocks, which are returned: the caller compresses them into `state`, the
    /// head first.
    pub(super) fn absorb<'a>(&mut self, data: &'a [u8]) -> Absorbed<'a> {
        self.length = self.length.wrapping_add(data.len() as u64);
        let mut rest = data;
        let mut head = None;
        if self.pending > 0 {
            let take = rest.len().min(BLOCK - self.pending);
            self.partial[self.pending..self.pending + take].copy_from_slice(&rest[..take]);
            self.pending += take;
            rest = &rest[take..];
            if self.pending < BLOCK {
                return Absorbed { head, body: &[] };
            }
            head = Some(self.partial);
        }
        let (body, tail) = rest.as_chunks();
        self.partial[..tail.len()].copy_from_slice(tail);
        self.pending = tail.len();
        Absorbed { head, body }
    }

    /// Pads, compresses the last block or two and gives the chaining value as big-endian bytes.
    pub(super) fn finish(mut self, compress: Compress) -> [u8; 32] {
        let tail = Tail::new(&self.partial[..self.pending], self.length);
        compress(&mut self.state, tail.blocks());
        to_bytes(&self.state)
    }
}

/// The whole blocks that a stream and its next bytes make together.
pub(super) struct Absorbed<'a> {
    /// What was waiting for the rest of its block, with that rest.
    pub(super) head: Option<Block>,
    /// The blocks that lie whole in the bytes.
    pub(super) body: &'a [Block],
}

/// Whether so many bytes after the last whole block leave room in their block for the padding.
pub(super) const fn fits_one(rest: usize) -> bool {
    rest < BLOCK - 8
}

/// What follows a message's last whole block: its remaining bytes, the 1 bit, zeros and the length in bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    blocks: [Block; 2],
    count: usize,
}

impl Tail {
    /// No blocks.
    pub(super) const EMPTY: Self = Self { blocks: [[0; BLOCK]; 2], count: 0 };

    /// Pads `rest`, fewer than 64 bytes, the end of a message of `length` bytes.
    pub(super) fn new(rest: &[u8], length: u64) -> Self {
        let mut tail = Self::EMPTY;
        tail.pad(rest, length);
        tail
    }

    /// [`new`](Self::new) in place: with short messages, moving tails about would show.
    pub(super) fn pad(&mut self, rest: &[u8], length: u64) {
        self.count = if fits_one(rest.len()) { 1 } else { 2 };
        self.blocks = [[0; BLOCK]; 2];
        self.blocks[0][..rest.len()].copy_from_slice(rest);
        self.blocks[0][rest.len()] = 0x80;
        // The standard stops at 2^64 bits; like every implementation, longer messages count modulo that.
        self.blocks[self.count - 1][BLOCK - 8..].copy_from_slice(&length.wrapping_mul(8).to_be_bytes());
    }

    /// The one or two blocks.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks[..self.count]
    }
}

/// The chaining value as the digest's bytes.
pub(super) fn to_bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, to) in state.iter().zip(bytes.as_chunks_mut::<4>().0) {
        *to = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_takes_a_second_block_only_when_the_length_does_not_fit() {
        for length in 0..BLOCK {
            let tail = Tail::new(&vec![7; length], 1024 + length as u64);
            assert_eq!(tail.blocks().len(), if length <= 55 { 1 } else { 2 });
            assert_eq!(tail.blocks()[0][length], 0x80);
            let last = tail.blocks()[tail.blocks().len() - 1];
            assert_eq!(last[56..], ((1024 + length as u64) * 8).to_be_bytes());
        }
    }
}
