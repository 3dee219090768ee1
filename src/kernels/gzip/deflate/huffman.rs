//! Prefix codes from frequencies: shortest for these, within deflate's longest code (RFC 1951, section 3.2.2).

/// A symbol's code, first bit lowest, and its length; a length of 0 for a symbol that does not occur.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Code {
    pub bits: u16,
    pub length: u8,
}

/// The lengths of an optimal code for symbols of these frequencies, none longer than `longest`.
///
/// At least two symbols get a code, as some readers demand. Lengths are those of Huffman's code, computed in place
/// (Moffat and Katajainen, 1995); where the longest pass the limit they are cut, and shorter ones made longer until
/// Kraft's sum is one again, which costs next to nothing.
pub(super) fn lengths(frequencies: &[u32], longest: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    let mut symbols: Vec<(u32, u16)> = Vec::with_capacity(frequencies.len());
    symbols
        .extend(frequencies.iter().zip(0..).filter(|&(&frequency, _)| frequency > 0).map(|(&f, symbol)| (f, symbol)));
    for symbol in 0..2 {
        if symbols.len() < 2 && !symbols.iter().any(|&(_, other)| other == symbol) {
            symbols.push((1, symbol));
        }
    }
    symbols.sort_unstable();
    let mut depths: Vec<u32> = symbols.iter().map(|&(frequency, _)| frequency).collect();
    minimum_redundancy(&mut depths);
    let mut counts = [0u32; 33];
    for &depth in &depths {
        counts[(depth as usize).min(longest)] += 1;
    }
    limit(&mut counts, longest);
    // The rarest symbols come first: they get the longest codes.
    let mut rest = symbols.iter();
    for length in (1..=longest).rev() {
        for &(_, symbol) in rest.by_ref().take(counts[length] as usize) {
            lengths[usize::from(symbol)] = length as u8;
        }
    }
}

/// Turns frequencies in ascending order into code lengths. At least two.
fn minimum_redundancy(a: &mut [u32]) {
    let n = a.len();
    // Each inner node's weight, then its parent's index.
    a[0] += a[1];
    let (mut root, mut leaf) = (0, 2);
    for next in 1..n - 1 {
        for first in [true, false] {
            let weight = if leaf >= n || (root < next && a[root] < a[leaf]) {
                root += 1;
                std::mem::replace(&mut a[root - 1], next as u32)
            } else {
                leaf += 1;
                a[leaf - 1]
            };
            a[next] = if first { weight } else { a[next] + weight };
        }
    }
    // Parents' indices become depths.
    a[n - 2] = 0;
    for node in (0..n - 2).rev() {
        a[node] = a[a[node] as usize] + 1;
    }
    // Depths of inner nodes become depths of leaves.
    let (mut available, mut used, mut depth) = (1, 0, 0);
    let (mut root, mut next) = (n as isize - 2, n as isize - 1);
    while available > 0 {
        while root >= 0 && a[root as usize] == depth {
            used += 1;
            root -= 1;
        }
        while available > used {
            a[next as usize] = depth;
            next -= 1;
            available -= 1;
        }
        available = 2 * used;
        depth += 1;
        used = 0;
    }
}

/// Makes a code of `counts[length]` codes of each length, the longest of which were cut, complete again.
fn limit(counts: &mut [u32; 33], longest: usize) {
    let mut total: u64 = (1..=longest).map(|length| u64::from(counts[length]) << (longest - length)).sum();
    while total > 1 << longest {
        // Two codes below one that was a leaf: one of the longest goes there.
        counts[longest] -= 1;
        let shorter = (1..longest).rev().find(|&length| counts[length] > 0).expect("fewer symbols than codes");
        counts[shorter] -= 1;
        counts[shorter + 1] += 2;
        total -= 1;
    }
}

/// The canonical code of these lengths (section 3.2.2).
pub(super) fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut counts = [0u16; 16];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let mut next = [0u16; 17];
    for length in 1..16 {
        next[length + 1] = (next[length] + counts[length]) << 1;
    }
    for (&length, code) in lengths.iter().zip(codes) {
        let bits = next[usize::from(length)];
        next[usize::from(length)] += u16::from(length > 0);
        let bits = if length > 0 { bits.reverse_bits() >> (16 - length) } else { 0 };
        *code = Code { bits, length };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kraft(lengths: &[u8], longest: usize) -> u64 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (longest - usize::from(length))).sum()
    }

    #[test]
    fn the_examples_one_can_do_by_hand() {
        let mut out = [0; 5];
        lengths(&[1, 1, 2, 4, 8], 15, &mut out);
        assert_eq!(out, [4, 4, 3, 2, 1]);
        lengths(&[0, 0, 0, 9, 0], 15, &mut out);
        assert_eq!(out, [1, 0, 0, 1, 0], "two codes, though one symbol occurs");
        lengths(&[0; 5], 15, &mut out);
        assert_eq!(out, [1, 1, 0, 0, 0]);
        lengths(&[1, 2, 4, 8, 16], 3, &mut out);
        assert_eq!(kraft(&out, 3), 8);
        assert!(out.iter().all(|&length| length <= 3));
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_within_the_limit(
            frequencies in proptest::collection::vec(prop_oneof![Just(0u32), 1..10u32, 1..1_000_000u32], 2..286),
            longest in 9..=15usize,
        ) {
            let mut out = vec![0; frequencies.len()];
            lengths(&frequencies, longest, &mut out);
            prop_assert!(out.iter().all(|&length| usize::from(length) <= longest));
            prop_assert_eq!(kraft(&out, longest), 1 << longest);
            prop_assert!(frequencies.iter().zip(&out).all(|(&frequency, &length)| frequency == 0 || length > 0));
        }
    }
}
