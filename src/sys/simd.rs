//! Code compiled a second time for what most of today's CPUs have, chosen at run time.

/// Work that gains from wider vectors and bit-manipulation instructions.
///
/// Mark `run` and what it calls `#[inline(always)]`: only what is inlined is compiled for the wider instructions.
pub trait Work {
    /// What it returns.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

/// Runs `work` with AVX2, BMI and LZCNT where the CPU has them, else as compiled for the target.
#[inline]
pub fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn wide<W: Work>(work: W) -> W::Output {
            work.run()
        }
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        if has_all {
            // SAFETY: the CPU has every instruction set `wide` is compiled for, as was asked just now.
            return unsafe { wide(work) };
        }
    }
    work.run()
}

/// A bit for each of `bytes` that is `byte`, that of the first lowest.
#[inline(always)]
pub fn equal(bytes: &[u8; 32], byte: u8) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
        #[inline]
        #[target_feature(enable = "sse2")]
        fn halves(bytes: &[u8; 32], byte: u8) -> u32 {
            let half = |bytes: &[u8; 16]| {
                let bytes = u128::from_le_bytes(*bytes);
                let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
                _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8))) as u32
            };
            let (halves, _) = bytes.as_chunks();
            half(&halves[0]) | half(&halves[1]) << 16
        }
        // SAFETY: every x86_64 has SSE2.
        unsafe { halves(bytes, byte) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        bytes.iter().zip(0..).fold(0, |bits, (&other, index)| bits | u32::from(other == byte) << index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_for_each_byte_that_is_equal() {
        let mut bytes = [3; 32];
        assert_eq!((equal(&bytes, 3), equal(&bytes, 4)), (u32::MAX, 0));
        for index in 0..32 {
            bytes[index] = 200;
            assert_eq!(equal(&bytes, 200), 1 << index);
            bytes[index] = 3;
        }
    }
}
