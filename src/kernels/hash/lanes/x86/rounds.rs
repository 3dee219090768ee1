//! The compression function over vectors (FIPS 180-4, section 6.2.2), once for all register widths.
//!
//! A backend names its vector type and brings, in scope where the macro is used: `add`, `splat`, `sigma0`, `sigma1`
//! (the schedule's lower-case sigmas), `sum0`, `sum1` (the rounds' upper-case ones), `choose` and `majority`. A macro
//! and not a trait: a trait's methods cannot carry `target_feature`, and without it intrinsics are not inlined.

/// One round: `$kw` is the schedule word plus the round constant. The caller renames the registers round by round.
macro_rules! round {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $kw:expr) => {
        let t1 = add(add(add($h, $kw), choose($e, $f, $g)), sum1($e));
        $d = add($d, t1);
        $h = add(add(t1, majority($a, $b, $c)), sum0($a));
    };
}

/// Sixteen rounds with the round constants from `$k` on. Literal indices keep the schedule in registers.
macro_rules! sixteen_rounds {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $w:ident, $k:literal) => {
        round!($a $b $c $d $e $f $g $h, add($w[0], splat(K[$k + 0])));
        round!($h $a $b $c $d $e $f $g, add($w[1], splat(K[$k + 1])));
        round!($g $h $a $b $c $d $e $f, add($w[2], splat(K[$k + 2])));
        round!($f $g $h $a $b $c $d $e, add($w[3], splat(K[$k + 3])));
        round!($e $f $g $h $a $b $c $d, add($w[4], splat(K[$k + 4])));
        round!($d $e $f $g $h $a $b $c, add($w[5], splat(K[$k + 5])));
        round!($c $d $e $f $g $h $a $b, add($w[6], splat(K[$k + 6])));
        round!($b $c $d $e $f $g $h $a, add($w[7], splat(K[$k + 7])));
        round!($a $b $c $d $e $f $g $h, add($w[8], splat(K[$k + 8])));
        round!($h $a $b $c $d $e $f $g, add($w[9], splat(K[$k + 9])));
        round!($g $h $a $b $c $d $e $f, add($w[10], splat(K[$k + 10])));
        round!($f $g $h $a $b $c $d $e, add($w[11], splat(K[$k + 11])));
        round!($e $f $g $h $a $b $c $d, add($w[12], splat(K[$k + 12])));
        round!($d $e $f $g $h $a $b $c, add($w[13], splat(K[$k + 13])));
        round!($c $d $e $f $g $h $a $b, add($w[14], splat(K[$k + 14])));
        round!($b $c $d $e $f $g $h $a, add($w[15], splat(K[$k + 15])));
    };
}

/// The next sixteen words of the schedule, each in the place of the word sixteen before it.
macro_rules! expand {
    ($w:ident) => {
        expand!($w, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($w:ident, $($t:literal)*) => {$(
        $w[$t] = add(
            add($w[$t], sigma0($w[($t + 1) % 16])),
            add($w[($t + 9) % 16], sigma1($w[($t + 14) % 16])),
        );
    )*};
}

/// The 64 rounds over one block of every lane: takes eight state vectors and the block's 16 transposed word vectors,
/// gives the new state.
macro_rules! compress_block {
    ($state:ident, $w:ident) => {{
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = $state;
        sixteen_rounds!(a b c d e f g h, $w, 0);
        expand!($w);
        sixteen_rounds!(a b c d e f g h, $w, 16);
        expand!($w);
        sixteen_rounds!(a b c d e f g h, $w, 32);
        expand!($w);
        sixteen_rounds!(a b c d e f g h, $w, 48);
        [
            add($state[0], a),
            add($state[1], b),
            add($state[2], c),
            add($state[3], d),
            add($state[4], e),
            add($state[5], f),
            add($state[6], g),
            add($state[7], h),
        ]
    }};
}

/// The whole schedule of one block of every lane plus the round constants, row by row through `store(row, vector)`.
macro_rules! schedule_block {
    ($w:ident, $store:expr) => {{
        for (t, word) in $w.iter().enumerate() {
            $store(t, add(*word, splat(K[t])));
        }
        for rows in [16, 32, 48] {
            expand!($w);
            for (t, word) in $w.iter().enumerate() {
                $store(rows + t, add(*word, splat(K[rows + t])));
            }
        }
    }};
}

pub(super) use {compress_block, expand, round, schedule_block, sixteen_rounds};
