//! How lanes are filled and how wide the kernels run: plain arithmetic, no data and no CPU in sight.
//!
//! Messages enter a lane one after the other; a lane that ends is filled again at once. When no message is left the
//! busy lanes shrink, and with them the kernel: wide while many are busy, narrower for a few, one stream for the last.

/// A kernel's place in the order: it runs while at least `from` lanes are busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rung {
    /// Fewest busy lanes for which the kernel beats the narrower ones.
    pub(super) from: usize,
    /// Lanes of the kernel.
    pub(super) lanes: usize,
}

/// Blocks in one call of a kernel, at most: the next look at the control comes after 16 KiB a lane.
pub(super) const STRIDE: usize = 256;

/// Which rung runs while `busy` lanes have work: the first, widest first, that is worth it; `None` is one stream.
pub(super) fn rung(rungs: impl IntoIterator<Item = Rung>, busy: usize) -> Option<usize> {
    rungs.into_iter().position(|rung| busy >= rung.from)
}

/// How many blocks the next call takes: to the end of the shortest, so that no lane idles.
///
/// 0 when there is nothing to do.
pub(super) fn stride(remaining: impl Iterator<Item = usize>) -> usize {
    remaining.min().unwrap_or(0).min(STRIDE)
}

/// Blocks that SHA-256 makes of a message of `length` bytes (FIPS 180-4, section 5.1.1).
pub(super) const fn blocks(length: u64) -> u64 {
    length / 64 + if length % 64 < 56 { 1 } else { 2 }
}

/// Messages of up to so many blocks are sorted by counting.
const SHORT: u64 = 32;

/// The order in which messages of these sizes (in blocks) enter `lanes` lanes, or `None` for the order they came in.
///
/// Longest first keeps one long message from running on alone at the end. At worst that wastes all lanes but one for
/// the longest message's time; where that is under a twentieth of all work, sorting is not worth its price. Many short
/// messages of different sizes are sorted in any case: it costs little, and those of one size then go in waves.
pub(super) fn order(sizes: &[u64], lanes: usize) -> Option<Vec<usize>> {
    let longest = sizes.iter().copied().max()?;
    let shortest = sizes.iter().copied().min()?;
    if longest == shortest {
        return None;
    }
    if longest <= SHORT && sizes.len() > 2 * lanes {
        return Some(counted(sizes));
    }
    let total: u64 = sizes.iter().sum();
    if longest.saturating_mul(20 * lanes as u64) < total {
        return None;
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(sizes[index]));
    Some(order)
}

/// The longest first, those of one size in the order they came in. No size is above [`SHORT`].
fn counted(sizes: &[u64]) -> Vec<usize> {
    let mut starts = [0; SHORT as usize + 1];
    for &size in sizes {
        starts[size as usize] += 1;
    }
    let mut before = 0;
    for start in starts.iter_mut().rev() {
        (*start, before) = (before, before + *start);
    }
    let mut order = vec![0; sizes.len()];
    for (index, &size) in sizes.iter().enumerate() {
        let start = &mut starts[size as usize];
        order[*start] = index;
        *start += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const LADDER: [Rung; 2] = [Rung { from: 9, lanes: 16 }, Rung { from: 2, lanes: 8 }];

    #[test]
    fn width_steps_down_with_the_busy_lanes() {
        let widths: Vec<_> = (1..=16).map(|busy| rung(LADDER, busy).map_or(1, |index| LADDER[index].lanes)).collect();
        assert_eq!(widths, [1, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16]);
    }

    #[test]
    fn a_stride_ends_with_the_shortest_lane() {
        assert_eq!(stride([5, 3, 9].into_iter()), 3);
        assert_eq!(stride([STRIDE + 1, STRIDE + 7].into_iter()), STRIDE);
        assert_eq!(stride(std::iter::empty()), 0);
    }

    #[test]
    fn padding_is_counted() {
        let counted = [0, 55, 56, 63, 64, 119, 120, 1024].map(blocks);
        assert_eq!(counted, [1, 1, 2, 2, 2, 2, 3, 17]);
    }

    #[test]
    fn skewed_sizes_go_longest_first_and_even_ones_stay() {
        assert_eq!(order(&[1, 9, 3, 9], 2), Some(vec![1, 3, 2, 0]));
        assert_eq!(order(&[4, 4, 4], 16), None);
        assert_eq!(order(&[], 16), None);
        let mut many = vec![33; 10_000];
        many[77] = 34;
        assert_eq!(order(&many, 16), None, "a block more among ten thousand messages wastes nothing");
    }

    #[test]
    fn many_short_messages_are_sorted_by_size() {
        let sizes: Vec<u64> = (0..100).map(|i| 1 + (i * 7) % 32).collect();
        let order = order(&sizes, 16).expect("an order");
        assert!(order.is_sorted_by_key(|&index| (std::cmp::Reverse(sizes[index]), index)), "{order:?}");
        assert_eq!(order.len(), sizes.len());
    }

    /// Runs a set of sizes through lanes and counts lane-blocks computed, idle lanes included.
    fn cost(sizes: &[u64], lanes: usize) -> u64 {
        let order = order(sizes, lanes).unwrap_or_else(|| (0..sizes.len()).collect());
        let mut waiting = order.into_iter().map(|index| sizes[index] as usize);
        let mut busy: Vec<usize> = waiting.by_ref().take(lanes).collect();
        let mut cost = 0;
        while !busy.is_empty() {
            let blocks = stride(busy.iter().copied());
            let width = rung(LADDER, busy.len()).map_or(1, |index| LADDER[index].lanes);
            cost += (blocks * width) as u64;
            for lane in &mut busy {
                *lane -= blocks;
                if *lane == 0 {
                    *lane = waiting.next().unwrap_or(0);
                }
            }
            busy.retain(|lane| *lane > 0);
        }
        cost
    }

    #[test]
    fn little_is_wasted_on_skewed_sizes() {
        let sizes: Vec<u64> = (0..256_u64).map(|i| 1 + (i * 7919) % 1024).collect();
        let total: u64 = sizes.iter().sum();
        let cost = cost(&sizes, 16);
        assert!(cost * 100 < total * 105, "{cost} lane-blocks for {total} blocks");
    }
}
