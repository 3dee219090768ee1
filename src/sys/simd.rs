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
