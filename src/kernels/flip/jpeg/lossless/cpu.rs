//! Runs the inner loops with the instructions this CPU has.
//!
//! Bit readers shift by variable amounts all the time. x86-64 as such does that through one register only; BMI2 has
//! shifts through any, which makes a flip 1.1 times as fast. Other architectures always have such shifts.

/// An inner loop. `run` and what it calls has to be `#[inline(always)]`: only so is it compiled for the CPU.
pub(super) trait Work {
    /// What it results in.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Runs `work`, compiled for BMI2 where the CPU has it.
pub(super) fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: all that the function requires of its caller is these three features, and they are there.
        return unsafe { run_bmi2(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1,bmi2,lzcnt")]
fn run_bmi2<W: Work>(work: W) -> W::Output {
    work.run()
}
