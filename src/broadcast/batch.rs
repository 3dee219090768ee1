//! What a reader hands over at once: entries in one flat buffer, as `js/broadcast/ring.js` reads them.
//!
//! An entry is four words of 32 bits in the machine's order (the channel, the kind with its flags, the sender's object,
//! the payload's length) and the payload, padded to 8 bytes. Short messages in JSON that follow each other on one channel
//! are one entry, a [`RUN`]: their number stands in the object's place, the payload is a JSON array of all of them, which
//! is parsed in half the time, and behind it come two words for each, its object and its length.

/// The payload is not here: it is the next of the large ones.
pub const LARGE: u32 = 1 << 8;
/// In place of a message: so many of the channel's were missed; the payload is a u64.
pub const MISSED: u32 = 1 << 9;
/// Before a MISSED: so many of those were sent by this object itself; the payload is a u64.
pub const OWN: u32 = 1 << 10;

/// The payload is a JSON array of several messages.
pub const RUN: u32 = 1 << 11;
/// The kind of those, see `js/broadcast/codec.js`.
const JSON: u32 = 3;
/// The kind of strings of ASCII, see there.
const ASCII: u32 = 1;
/// The longest message that is handed over by itself, see [`Single`].
const LONGEST_SINGLE: usize = 256;
/// Longer ones stay by themselves: parsing them costs what it costs.
const LONGEST_IN_RUN: usize = 4096;

const HEADER: usize = 16;
/// Entries in a batch: JavaScript looks at the clock between two batches.
const MOST: usize = 64;
/// Bytes kept free for what ends a run.
const RUN_END: usize = 16 + 8 * MOST;

/// A buffer that is being filled.
pub struct Batch<'a> {
    buffer: &'a mut [u8],
    used: usize,
    entries: usize,
    run: Option<Run>,
    /// Object and length of each entry that is part of a run.
    messages: [(u32, u32); MOST],
}

/// A run that more may be added to.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Where its entry begins.
    at: usize,
    channel: u32,
    /// Its first message is this entry.
    first: usize,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    used: usize,
    entries: usize,
    run: Option<Run>,
}

/// The only message of a batch, when it is short, and text of one byte a character: a copy, since JavaScript that is called
/// with it may fill the batch anew.
pub struct Single {
    /// Its kind.
    pub kind: u32,
    /// Its channel.
    pub channel: u32,
    /// The sender's object.
    pub object: u32,
    length: usize,
    bytes: [u8; LONGEST_SINGLE],
}

impl Single {
    /// Its payload.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<'a> Batch<'a> {
    /// An empty one.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, used: 0, entries: 0, run: None, messages: [(0, 0); MOST] }
    }

    /// Ends what is open. Answers the bytes filled.
    pub fn finish(&mut self) -> usize {
        self.end_run();
        self.used
    }

    /// Whether nothing was filled.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Entries filled.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The message, if it is one and can be a [`Single`].
    pub fn single(&self) -> Option<Single> {
        if self.entries != 1 {
            return None;
        }
        let word = |index: usize| self.buffer.as_chunks::<4>().0.get(index).map(|&bytes| u32::from_ne_bytes(bytes));
        let (channel, kind, (object, length), at) = match self.run {
            Some(run) => (run.channel, JSON, self.messages[0], run.at + HEADER + 1),
            None => (word(0)?, word(1)?, (word(2)?, word(3)?), HEADER),
        };
        let length = length as usize;
        if !matches!(kind, JSON | ASCII) || length > LONGEST_SINGLE {
            return None;
        }
        let mut bytes = [0; LONGEST_SINGLE];
        bytes[..length].copy_from_slice(self.buffer.get(at..at + length)?);
        Some(Single { kind, channel, object, length, bytes })
    }

    /// Whether a payload of this length fits.
    pub fn has_room(&self, length: usize) -> bool {
        self.entries < MOST && self.has_bytes(length)
    }

    fn has_bytes(&self, length: usize) -> bool {
        self.used + RUN_END + HEADER + length.next_multiple_of(8) <= self.buffer.len()
    }

    /// Adds an entry and gives the place of its payload, which the caller fills. Empty when there is no room, which
    /// [`has_room`](Self::has_room) tells.
    pub fn push(&mut self, channel: u32, kind: u32, object: u32, length: usize) -> &mut [u8] {
        let inline = if kind & LARGE == 0 { length } else { 0 };
        if !self.has_bytes(inline) {
            return &mut [];
        }
        if kind == JSON && length <= LONGEST_IN_RUN && self.entries < MOST {
            return self.push_to_run(channel, object, length);
        }
        self.end_run();
        let at = self.used;
        self.words(at, &[channel, kind, object, length as u32]);
        self.used = at + HEADER + inline.next_multiple_of(8);
        self.entries += 1;
        &mut self.buffer[at + HEADER..at + HEADER + inline]
    }

    fn push_to_run(&mut self, channel: u32, object: u32, length: usize) -> &mut [u8] {
        if self.run.is_none_or(|run| run.channel != channel) {
            self.end_run();
            self.run = Some(Run { at: self.used, channel, first: self.entries });
            self.used += HEADER;
        }
        let is_first = self.run.is_some_and(|run| run.first == self.entries);
        self.buffer[self.used] = if is_first { b'[' } else { b',' };
        self.messages[self.entries] = (object, length as u32);
        let at = self.used + 1;
        self.used = at + length;
        self.entries += 1;
        &mut self.buffer[at..at + length]
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        self.buffer[self.used] = b']';
        let length = self.used + 1 - run.at - HEADER;
        let count = self.entries - run.first;
        self.words(run.at, &[run.channel, JSON | RUN, count as u32, length as u32]);
        self.used = run.at + HEADER + length.next_multiple_of(8);
        for index in run.first..self.entries {
            let (object, length) = self.messages[index];
            self.words(self.used, &[object, length]);
            self.used += 8;
        }
    }

    fn words(&mut self, at: usize, words: &[u32]) {
        for (place, word) in self.buffer[at..at + 4 * words.len()].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
    }

    /// A place to come back to.
    pub fn mark(&self) -> Mark {
        Mark { used: self.used, entries: self.entries, run: self.run }
    }

    /// Forgets what came after a mark.
    pub fn back_to(&mut self, mark: Mark) {
        (self.used, self.entries, self.run) = (mark.used, mark.entries, mark.run);
    }

    /// Whether nothing came after a mark.
    pub fn is_at(&self, mark: &Mark) -> bool {
        (self.used, self.entries) == (mark.used, mark.entries)
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
        if kind & RUN != 0 {
            let (count, table) = (object as usize, HEADER + length.next_multiple_of(8));
            assert_eq!((buffer[HEADER], buffer[HEADER + length - 1]), (b'[', b']'));
            let mut at = HEADER + 1;
            for index in 0..count {
                let (object, length) = (word(table / 4 + 2 * index), word(table / 4 + 2 * index + 1) as usize);
                let payload = buffer[at..at + length].to_vec();
                assert!(index + 1 == count || buffer[at + length] == b',');
                list.push(Entry { channel, kind: kind & !RUN, object, length, payload });
                at += length + 1;
            }
            buffer = &buffer[table + 8 * count..];
            continue;
        }
        let inline = if kind & LARGE == 0 { length } else { 0 };
        let payload = buffer[HEADER..HEADER + inline].to_vec();
        list.push(Entry { channel, kind, object, length, payload });
        buffer = &buffer[HEADER + inline.next_multiple_of(8)..];
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(batch: &mut Batch<'_>, channel: u32, kind: u32, object: u32, payload: &[u8]) {
        assert!(batch.has_room(payload.len()));
        batch.push(channel, kind, object, payload.len()).copy_from_slice(payload);
    }

    #[test]
    fn runs_of_one_channel_stand_between_others() {
        let mut buffer = vec![0; 1 << 16];
        let mut batch = Batch::new(&mut buffer);
        let long = vec![b'1'; LONGEST_IN_RUN + 1];
        let sent: [(u32, u32, u32, &[u8]); 8] = [
            (0, JSON, 1, b"{}"),
            (0, JSON, 0, b"[1,2]"),
            (0, 7, 3, b"bytes"),
            (0, JSON, 4, b"null"),
            (1, JSON, 5, b"12345678"),
            (1, JSON, 6, b"1"),
            (1, JSON, 7, &long),
            (1, JSON, 8, b"2"),
        ];
        for (channel, kind, object, payload) in sent {
            add(&mut batch, channel, kind, object, payload);
        }
        let used = batch.finish();
        let got = entries(&buffer[..used]);
        let got: Vec<_> = got.iter().map(|one| (one.channel, one.kind, one.object, &one.payload[..])).collect();
        assert_eq!(got, sent);
    }

    #[test]
    fn a_run_goes_on_from_a_mark() {
        let mut buffer = vec![0; 1 << 16];
        let mut batch = Batch::new(&mut buffer);
        add(&mut batch, 0, JSON, 1, b"1");
        add(&mut batch, 0, JSON, 2, b"22");
        for (channel, kind) in [(0, JSON), (1, JSON), (0, 7)] {
            let mark = batch.mark();
            add(&mut batch, channel, kind, 9, b"torn");
            assert!(!batch.is_at(&mark));
            batch.back_to(mark);
            assert!(batch.is_at(&mark));
        }
        add(&mut batch, 0, JSON, 3, b"333");
        let used = batch.finish();
        let got: Vec<_> = entries(&buffer[..used]).into_iter().map(|one| (one.object, one.payload)).collect();
        assert_eq!(got, [(1, b"1".to_vec()), (2, b"22".to_vec()), (3, b"333".to_vec())]);
    }

    #[test]
    fn a_full_batch_has_room_for_the_end_of_its_run() {
        let mut buffer = vec![0; 2048];
        let mut batch = Batch::new(&mut buffer);
        let mut count = 0;
        while batch.has_room(5) {
            add(&mut batch, 0, JSON, count, b"12345");
            count += 1;
        }
        assert!(count > 0);
        let used = batch.finish();
        assert_eq!(entries(&buffer[..used]).len(), count as usize);
    }
}
