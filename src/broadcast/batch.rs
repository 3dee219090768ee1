//! What a reader hands over at once: entries in one flat buffer, as `js/broadcast/batch.js` reads them.
//!
//! An entry is four words of 32 bits in the machine's order (the channel, the kind with its flags, the sender's object,
//! the payload's length) and the payload, padded to 8 bytes.

/// The payload is not here: it is the next of the large ones.
pub const LARGE: u32 = 1 << 8;
/// In place of a message: so many of the channel's were missed; the payload is a u64.
pub const MISSED: u32 = 1 << 9;
/// Before a MISSED: so many of those were sent by this object itself; the payload is a u64.
pub const OWN: u32 = 1 << 10;

const HEADER: usize = 16;
/// Entries in a batch: JavaScript looks at the clock between two batches.
const MOST: usize = 64;

/// A buffer that is being filled.
pub struct Batch<'a> {
    buffer: &'a mut [u8],
    used: usize,
    entries: usize,
}

impl<'a> Batch<'a> {
    /// An empty one.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, used: 0, entries: 0 }
    }

    /// Bytes filled.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Entries filled.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Whether a payload of this length fits.
    pub fn has_room(&self, length: usize) -> bool {
        self.entries < MOST && self.has_bytes(length)
    }

    fn has_bytes(&self, length: usize) -> bool {
        self.used + HEADER + length.next_multiple_of(8) <= self.buffer.len()
    }

    /// Adds an entry and gives the place of its payload, which the caller fills. Empty when there is no room, which
    /// [`has_room`](Self::has_room) tells.
    pub fn push(&mut self, channel: u32, kind: u32, object: u32, length: usize) -> &mut [u8] {
        let inline = if kind & LARGE == 0 { length } else { 0 };
        if !self.has_bytes(inline) {
            return &mut [];
        }
        let at = self.used;
        for (index, word) in [channel, kind, object, length as u32].into_iter().enumerate() {
            self.buffer[at + 4 * index..at + 4 * index + 4].copy_from_slice(&word.to_ne_bytes());
        }
        self.used = at + HEADER + inline.next_multiple_of(8);
        self.entries += 1;
        &mut self.buffer[at + HEADER..at + HEADER + inline]
    }

    /// A place to come back to.
    pub fn mark(&self) -> (usize, usize) {
        (self.used, self.entries)
    }

    /// Forgets what came after a mark.
    pub fn back_to(&mut self, (used, entries): (usize, usize)) {
        (self.used, self.entries) = (used, entries);
    }
}

/// An entry, for tests.
#[cfg(test)]
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub channel: u32,
    pub kind: u32,
    pub object: u32,
    pub length: usize,
    pub payload: Vec<u8>,
}

/// All entries of a filled buffer, for tests.
#[cfg(test)]
pub fn entries(mut buffer: &[u8]) -> Vec<Entry> {
    let mut list = Vec::new();
    while !buffer.is_empty() {
        let word = |index: usize| u32::from_ne_bytes(buffer[4 * index..4 * index + 4].try_into().unwrap());
        let (channel, kind, object, length) = (word(0), word(1), word(2), word(3) as usize);
        let inline = if kind & LARGE == 0 { length } else { 0 };
        let payload = buffer[HEADER..HEADER + inline].to_vec();
        list.push(Entry { channel, kind, object, length, payload });
        buffer = &buffer[HEADER + inline.next_multiple_of(8)..];
    }
    list
}
