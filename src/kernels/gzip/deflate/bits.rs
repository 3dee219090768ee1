//! Writes bits, the first lowest (RFC 1951, section 3.1.1).

/// Bytes that a word is written with, whether or not it is full.
const WORD: usize = 8;

/// A stream of bits at the end of a vector.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    /// Bits of a byte not yet whole.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Appends to `out`.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// Appends what `write` puts, at most `most` bits.
    #[inline(always)]
    pub(super) fn append(&mut self, most: u64, write: impl FnOnce(&mut Writer<'_>)) {
        let before = self.out.len();
        self.out.resize(before + most.div_ceil(8) as usize + 2 * WORD, 0);
        let mut writer = Writer { out: &mut self.out[before..], at: 0, held: self.held, count: self.count };
        write(&mut writer);
        writer.flush();
        let Writer { at, held, count, .. } = writer;
        (self.held, self.count) = (held, count);
        self.out.truncate(before + at);
    }

    /// Fills up to a whole byte.
    pub(super) fn align(&mut self) {
        let filled = self.count.next_multiple_of(8);
        self.append(8, |writer| writer.count = filled);
    }

    /// Appends whole bytes to a stream that is aligned.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0, "aligned");
        self.out.extend_from_slice(bytes);
    }
}

/// Where bits go. What is put beyond what was asked for panics.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Writer<'_> {
    /// Puts bits into the word held: at most 56 between two calls of [`flush`](Self::flush).
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
    }

    /// Writes the whole bytes of the word held.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        self.out[self.at..self.at + WORD].copy_from_slice(&self.held.to_le_bytes());
        let whole = self.count / 8;
        self.at += whole as usize;
        self.held >>= whole * 8;
        self.count %= 8;
    }

    /// [`put`](Self::put) and [`flush`](Self::flush).
    #[inline(always)]
    pub(super) fn write(&mut self, bits: u64, count: u32) {
        self.put(bits, count);
        self.flush();
    }
}
