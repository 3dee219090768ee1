//! Kernels that run the compression function over several messages at once, one message to a lane.
//!
//! Their state is transposed: row r holds word r of every lane, so that one vector operation does one step of the
//! round for all lanes. Every kernel works on the same [`States`], so a scheduler may change kernels between calls.

#[cfg(target_arch = "aarch64")]
pub(super) mod armv8;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use super::backend::Backend;
use super::constants::{Block, State};

/// Lanes of the widest kernel.
pub(super) const MAX_LANES: usize = 16;

/// Chaining values of up to [`MAX_LANES`] messages, transposed.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct States([[u32; MAX_LANES]; 8]);

/// The blocks each lane reads; a kernel of n lanes looks at the first n.
pub(super) type Inputs<'a> = [&'a [Block]; MAX_LANES];

impl States {
    /// All lanes zero: a lane means nothing before it is set.
    pub(super) const fn new() -> Self {
        Self([[0; MAX_LANES]; 8])
    }

    /// The chaining value of one lane.
    pub(super) fn get(&self, lane: usize) -> State {
        std::array::from_fn(|word| self.0[word][lane])
    }

    /// Puts one chaining value into all lanes.
    pub(super) fn set_all(&mut self, state: &State) {
        for (row, word) in self.0.iter_mut().zip(state) {
            *row = [*word; MAX_LANES];
        }
    }

    /// Puts a chaining value into one lane.
    pub(super) fn set(&mut self, lane: usize, state: &State) {
        for (row, word) in self.0.iter_mut().zip(state) {
            row[lane] = *word;
        }
    }
}

/// One way of compressing several messages at once. Only what this CPU can run exists as a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    lanes: usize,
    run: fn(&mut States, &Inputs, usize),
}

impl Kernel {
    /// A kernel of `lanes` lanes.
    ///
    /// `run` gets inputs whose first `lanes` slices hold at least as many blocks as it is told to compress.
    const fn new(lanes: usize, run: fn(&mut States, &Inputs, usize)) -> Self {
        Self { lanes, run }
    }

    /// How many messages it takes at once.
    pub(super) const fn lanes(&self) -> usize {
        self.lanes
    }

    /// Compresses the first `blocks` blocks of each of the first [`lanes`](Self::lanes) inputs into their states.
    ///
    /// # Panics
    /// When an input is shorter: a fault of the scheduler, never of a caller's data.
    pub(super) fn compress(&self, states: &mut States, inputs: &Inputs, blocks: usize) {
        assert!(inputs[..self.lanes].iter().all(|input| input.len() >= blocks), "an input ends before its blocks");
        (self.run)(states, inputs, blocks);
    }
}

/// The kernel of a backend, where it has one and this CPU can run it.
pub(super) fn kernel(backend: Backend) -> Option<Kernel> {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => x86::avx2::kernel(),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512vl => x86::avx512vl::kernel(),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => x86::avx512::kernel(),
        #[cfg(target_arch = "x86_64")]
        Backend::ShaNi => x86::sha_ni::kernel(),
        #[cfg(target_arch = "aarch64")]
        Backend::Armv8 => armv8::kernel(),
        #[allow(unreachable_patterns, reason = "the foreign backends, another set on each architecture")]
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::hash::constants::INITIAL_256;

    #[test]
    fn every_kernel_compresses_every_lane_like_sha2() {
        for backend in Backend::ALL {
            let Some(kernel) = kernel(backend) else {
                eprintln!("skipped: this CPU has no lanes of {}", backend.name());
                continue;
            };
            for count in [0, 1, 2, 3, 7] {
                let messages: Vec<Vec<Block>> = (0..MAX_LANES)
                    .map(|lane| {
                        (0..count).map(|i| std::array::from_fn(|j| (lane * 89 + i * 53 + j * 7) as u8)).collect()
                    })
                    .collect();
                let inputs: Inputs = std::array::from_fn(|lane| messages[lane].as_slice());
                let mut states = States::new();
                let mut want = [INITIAL_256; MAX_LANES];
                for (lane, (want, message)) in want.iter_mut().zip(&messages).enumerate() {
                    want[3] ^= lane as u32;
                    states.set(lane, want);
                    if lane < kernel.lanes() {
                        sha2::block_api::compress256(want, message);
                    }
                }
                kernel.compress(&mut states, &inputs, count);
                for (lane, want) in want.iter().enumerate() {
                    assert_eq!(states.get(lane), *want, "{} lane {lane}, {count} blocks", backend.name());
                }
            }
        }
    }
}
