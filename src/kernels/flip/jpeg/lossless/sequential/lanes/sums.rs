//! Sums of eight differences of several components, with AVX-512.

use std::arch::x86_64::*;

/// How eight blocks, of which each belongs to one of four components, continue the sums of those.
pub(super) struct Pattern {
    /// By block: which one of its component stands one, two and four before it, if any does.
    back: [([u32; 8], u8); 3],
    /// By block: its component.
    component: [u32; 8],
    /// By component: its last block, or 8 more than its own number if it has none.
    last: [u32; 8],
}

impl Pattern {
    /// That of blocks of these components, over and over, beginning with number `first`.
    pub fn new(components: &[usize], first: usize) -> Self {
        let component: [u32; 8] = std::array::from_fn(|i| components[(first + i) % components.len()] as u32 & 3);
        let back = [1, 2, 4].map(|distance| {
            let (mut from, mut some) = ([0; 8], 0);
            for (i, from) in from.iter_mut().enumerate() {
                if let Some(at) = (0..i).rev().filter(|&at| component[at] == component[i]).nth(distance - 1) {
                    (*from, some) = (at as u32, some | 1 << i);
                }
            }
            (from, some)
        });
        let last = std::array::from_fn(|of| {
            component.iter().rposition(|&component| component == of as u32).unwrap_or(8 + of) as u32
        });
        Self { back, component, last }
    }

    /// What the components have come to at each of eight differences, from `before`, component by component.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    pub fn sums(&self, differences: __m256i, before: __m256i) -> __m256i {
        let mut sums = differences;
        for (from, some) in &self.back {
            sums = _mm256_add_epi32(sums, _mm256_maskz_permutexvar_epi32(*some, load(from), sums));
        }
        _mm256_add_epi32(sums, _mm256_permutexvar_epi32(load(&self.component), before))
    }

    /// What they have come to behind all of them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    pub fn behind(&self, sums: __m256i, before: __m256i) -> __m256i {
        _mm256_permutex2var_epi32(sums, load(&self.last), before)
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[u32; 8]) -> __m256i {
    // SAFETY: the array is as long as the load.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    fn run(pattern: &Pattern, differences: [i32; 8], before: [i32; 8]) -> ([i32; 8], [i32; 8]) {
        let [differences, before] = [differences, before].map(|values| load(&values.map(i32::cast_unsigned)));
        let sums = pattern.sums(differences, before);
        [sums, pattern.behind(sums, before)]
            .map(|lanes| {
                let mut out = [0; 8];
                // SAFETY: the array is as long as the store.
                unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), lanes) };
                out
            })
            .into()
    }

    #[test]
    fn sums_are_those_of_one_after_another() {
        if !is_x86_feature_detected!("avx512vl") {
            return;
        }
        let orders: [&[usize]; 7] =
            [&[0], &[0, 1], &[0, 1, 2], &[0, 0, 1, 2], &[0, 0, 0, 0, 1, 2], &[0, 1, 2, 3], &[0, 0, 0, 0, 1, 2, 3, 3]];
        for order in orders {
            for first in 0..order.len() {
                let differences = std::array::from_fn(|i| 3_i32.pow(i as u32) - 40);
                let before = [1000, -2000, 3000, -4000, 0, 0, 0, 0];
                let mut after = before;
                let sums = std::array::from_fn(|i| {
                    let sum = &mut after[order[(first + i) % order.len()]];
                    *sum += differences[i];
                    *sum
                });
                let pattern = Pattern::new(order, first);
                // SAFETY: the CPU can.
                let got = unsafe { run(&pattern, differences, before) };
                assert_eq!(got, (sums, after), "{order:?} from {first}");
            }
        }
    }
}
