//! The shortest Huffman table for given counts of symbols (T.81 K.2).
#![forbid(unsafe_code)]

use super::huffman::Table;

/// Builds a table with a code for every symbol whose count is above 0, none longer than 16 bits, none all ones.
///
/// Lengths come from plain Huffman merging; too long ones are cut by K.2's figure K.3.
pub(super) fn table(counts: &[u32; 256]) -> Table {
    // The reserved symbol 256 takes a longest code, so that no real one is all ones (K.2).
    let mut leaves: Vec<(u64, usize)> = counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(symbol, &count)| (u64::from(count), symbol))
        .collect();
    leaves.sort_by_key(|&(count, symbol)| (count, std::cmp::Reverse(symbol)));
    let lengths = code_lengths(&leaves);

    let mut per_length = [0_u32; 258];
    lengths.iter().for_each(|&length| per_length[length] += 1);
    limit_lengths(&mut per_length);
    // Take the reserved code back, it is one of the longest.
    if let Some(longest) = per_length.iter_mut().rev().find(|count| **count > 0) {
        *longest -= 1;
    }
    let mut table = Table { counts: [0; 16], symbols: Vec::with_capacity(leaves.len()) };
    table.counts.iter_mut().zip(&per_length[1..]).for_each(|(to, &from)| *to = from as u8);
    // The most frequent symbols get the shortest codes.
    table.symbols.extend(leaves.iter().rev().map(|&(_, symbol)| symbol as u8));
    table
}

/// The code lengths of the reserved symbol (first) and the leaves, which come in ascending order of count.
fn code_lengths(leaves: &[(u64, usize)]) -> Vec<usize> {
    // Two queues suffice since merged nodes come out in ascending order: no heap is needed.
    let leaf_count = leaves.len() + 1;
    let mut weight: Vec<u64> = std::iter::once(0).chain(leaves.iter().map(|&(count, _)| count)).collect();
    let mut parent = vec![0_usize; 2 * leaf_count];
    let (mut leaf, mut node) = (0, leaf_count);
    while weight.len() < 2 * leaf_count - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let take_leaf = leaf < leaf_count && (node >= weight.len() || weight[leaf] <= weight[node]);
            let taken = if take_leaf { &mut leaf } else { &mut node };
            sum += weight[*taken];
            parent[*taken] = weight.len();
            *taken += 1;
        }
        weight.push(sum);
    }
    let mut depth = vec![0_usize; weight.len()];
    for i in (0..weight.len().saturating_sub(1)).rev() {
        depth[i] = depth[parent[i]] + 1;
    }
    depth.truncate(leaf_count);
    // One symbol and the reserved one make two leaves; the reserved one alone would have length 0.
    depth.iter_mut().for_each(|length| *length = (*length).max(1));
    depth
}

/// Shortens codes above 16 bits (figure K.3): a pair of too long leaves gives one up to a shorter branch.
fn limit_lengths(per_length: &mut [u32; 258]) {
    for length in (17..per_length.len()).rev() {
        while per_length[length] > 0 {
            let Some(shorter) = (1..length - 1).rev().find(|&shorter| per_length[shorter] > 0) else { break };
            per_length[length] -= 2;
            per_length[length - 1] += 1;
            per_length[shorter + 1] += 2;
            per_length[shorter] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The room a table leaves of the 2^16 codes of 16 bits.
    fn left(table: &Table) -> i64 {
        (1..).zip(&table.counts).fold(1 << 16, |left, (length, &count)| left - (i64::from(count) << (16 - length)))
    }

    #[test]
    fn every_symbol_gets_a_code_and_none_is_all_ones() {
        for symbols in [1, 2, 3, 100, 255, 256] {
            let mut counts = [0; 256];
            counts.iter_mut().zip(1..).take(symbols).for_each(|(count, i)| *count = i * i);
            let table = table(&counts);
            assert_eq!(table.symbols.len(), symbols);
            assert!(table.codes().covers(&counts));
            assert!(left(&table) > 0, "{symbols}");
        }
    }

    #[test]
    fn codes_are_cut_to_sixteen_bits() {
        // Fibonacci numbers make the longest codes that there are.
        let mut counts = [0; 256];
        let (mut a, mut b) = (1_u32, 1_u32);
        for count in counts.iter_mut().take(40) {
            *count = a;
            (a, b) = (b, a + b);
        }
        let table = table(&counts);
        assert!(table.codes().covers(&counts));
        assert!(left(&table) > 0);
    }

    #[test]
    fn no_symbol_makes_no_code() {
        assert_eq!(table(&[0; 256]), Table { counts: [0; 16], symbols: Vec::new() });
    }

    #[test]
    fn frequent_symbols_have_short_codes() {
        let mut counts = [0; 256];
        (counts[5], counts[6], counts[7]) = (1000, 10, 1);
        let codes = table(&counts).codes();
        assert_eq!([5, 6, 7].map(|symbol| codes.get(symbol).1), [1, 2, 3]);
    }
}
