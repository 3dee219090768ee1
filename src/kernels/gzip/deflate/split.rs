//! Where to end a block: where what comes differs from what came, so that each gets codes of its own. To judge that by a
//! few kinds of symbols is libdeflate's idea.

/// Kinds of observations: literals by their upper three bits, short and long matches.
const KINDS: usize = 10;
/// Observations between two looks.
const NEW: u32 = 768;
/// Bytes below which a block's header is not worth it.
const LEAST: usize = 10_000;

/// What a block has been made of.
#[derive(Debug, Default)]
pub(super) struct Mix {
    before: [u32; KINDS],
    new: [u32; KINDS],
    count_before: u32,
    count_new: u32,
}

impl Mix {
    #[inline(always)]
    pub(super) fn literal(&mut self, byte: u8) {
        self.new[usize::from(byte >> 5)] += 1;
        self.count_new += 1;
    }

    #[inline(always)]
    pub(super) fn matched(&mut self, length: usize) {
        self.new[8 + usize::from(length >= 9)] += 1;
        self.count_new += 1;
    }

    /// Whether the block should end here, `length` bytes after its start and with `left` to come.
    #[inline(always)]
    pub(super) fn ends(&mut self, length: usize, left: usize) -> bool {
        self.count_new >= NEW && length >= LEAST && left >= LEAST && self.look(length)
    }

    fn look(&mut self, length: usize) -> bool {
        if self.count_before > 0 {
            let (before, new) = (u64::from(self.count_before), u64::from(self.count_new));
            // Both scaled to the product of the counts, at which the two distributions would differ by one.
            let shares = self.before.iter().zip(&self.new);
            let difference: u64 = shares.map(|(&b, &n)| (u64::from(b) * new).abs_diff(u64::from(n) * before)).sum();
            // The longer a block, the less its header weighs.
            if difference + (length as u64 / 4096) * before >= new * before * 200 / 512 {
                return true;
            }
        }
        for (before, new) in self.before.iter_mut().zip(&mut self.new) {
            *before += std::mem::take(new);
        }
        self.count_before += std::mem::take(&mut self.count_new);
        false
    }
}
