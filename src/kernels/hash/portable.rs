//! The compression function in plain Rust, for every CPU (FIPS 180-4, section 6.2.2).

use super::constants::{Block, K, State};

/// Runs the compression function over consecutive blocks of one message.
pub(super) fn compress(state: &mut State, blocks: &[Block]) {
    for block in blocks {
        // The schedule is kept as a ring of 16 words: word t takes the place of word t - 16.
        let mut w = [0; 16];
        for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        for (t, constant) in K.iter().enumerate() {
            if t >= 16 {
                w[t % 16] = w[t % 16]
                    .wrapping_add(small0(w[(t + 1) % 16]))
                    .wrapping_add(w[(t + 9) % 16])
                    .wrapping_add(small1(w[(t + 14) % 16]));
            }
            let t1 = h
                .wrapping_add(*constant)
                .wrapping_add(w[t % 16])
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25));
            let t2 =
                ((a & b) ^ (a & c) ^ (b & c)).wrapping_add(a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22));
            (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
            (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(add);
        }
    }
}

fn small0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

fn small1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}
