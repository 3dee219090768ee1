//! Kernels that run the compression function over several messages at once, one message to a lane.
//!
//! Their state is transposed: row r holds word r of every lane, so that one vector operation does one step of the
//! round for all lanes. Every kernel works on the same [`States`], so a scheduler may change kernels between calls.

#[cfg(target_arch = "aarch64")]
pub(super) mod armv8;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use super::backend::Backend;
use super::constants::{Block, K, State};

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
    run_common: Option<fn(&mut States, &Common)>,
}

/// A block that all lanes share, such as the padding of messages of one length that end with a block: its schedule
/// needs computing only once.
#[derive(Debug)]
pub(super) struct Common {
    block: Block,
    /// What each round adds: the word of the schedule and the round's constant.
    sums: [u32; 64],
}

impl Common {
    /// The block with its schedule (FIPS 180-4, section 6.2.2, step 1).
    pub(super) fn new(block: Block) -> Self {
        let mut words = [0_u32; 64];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for t in 16..64 {
            let (near, far) = (words[t - 2], words[t - 15]);
            let sigma1 = near.rotate_right(17) ^ near.rotate_right(19) ^ (near >> 10);
            let sigma0 = far.rotate_right(7) ^ far.rotate_right(18) ^ (far >> 3);
            words[t] = sigma1.wrapping_add(words[t - 7]).wrapping_add(sigma0).wrapping_add(words[t - 16]);
        }
        Self { block, sums: std::array::from_fn(|t| words[t].wrapping_add(K[t])) }
    }
}

impl Kernel {
    /// A kernel of `lanes` lanes.
    ///
    /// `run` gets inputs whose first `lanes` slices hold at least as many blocks as it is told to compress.
    const fn new(lanes: usize, run: fn(&mut States, &Inputs, usize)) -> Self {
        Self { lanes, run, run_common: None }
    }

    /// The same kernel with a faster way through a block that all its lanes share.
    const fn with_common(self, run_common: fn(&mut States, &Common)) -> Self {
        Self { run_common: Some(run_common), ..self }
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

    /// Compresses the same block into the states of all lanes.
    pub(super) fn compress_common(&self, states: &mut States, common: &Common) {
        match self.run_common {
            Some(run) => run(states, common),
            None => (self.run)(states, &[std::slice::from_ref(&common.block); MAX_LANES], 1),
        }
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
                if let Some(block) = messages[0].last() {
                    kernel.compress_common(&mut states, &Common::new(*block));
                    for want in &mut want[..kernel.lanes()] {
                        sha2::block_api::compress256(want, std::slice::from_ref(block));
                    }
                }
                for (lane, want) in want.iter().enumerate() {
                    assert_eq!(states.get(lane), *want, "{} lane {lane}, {count} blocks", backend.name());
                }
            }
        }
    }
}
