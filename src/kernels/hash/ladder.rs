//! Which kernels serve several messages on this CPU, and from how many messages each is worth it.

use super::backend::{self, Backend};
use super::engine::{self, Compress};
use super::lanes::{self, Kernel};
use super::schedule::Rung;
use crate::error::{Error, Result};

/// Kernels, widest first, and the engine for the last message.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    rungs: Vec<(Rung, Kernel)>,
    stream: Compress,
}

impl Ladder {
    /// What the measured rule says for this CPU, or for the backend forced through the environment.
    ///
    /// # Errors
    /// `InvalidArgument` when the environment forces a backend that does not exist or that this CPU lacks.
    pub(super) fn chosen() -> Result<Self> {
        Ok(Self::new(&rule(backend::forced()?), engine::compress()?))
    }

    /// One backend alone, from two messages on.
    ///
    /// # Errors
    /// `InvalidArgument` when this CPU lacks it.
    pub(super) fn of(backend: Backend) -> Result<Self> {
        if !backend.is_available() {
            return Err(Error::InvalidArgument(format!("this CPU lacks what backend '{}' needs", backend.name())));
        }
        Ok(Self::new(&[(backend, 2)], engine::of(backend)))
    }

    fn new(rule: &[(Backend, usize)], stream: Compress) -> Self {
        let rungs = rule
            .iter()
            .filter_map(|&(backend, from)| {
                lanes::kernel(backend).map(|kernel| (Rung { from, lanes: kernel.lanes() }, kernel))
            })
            .collect();
        Self { rungs, stream }
    }

    /// How many messages to keep going at once.
    pub(super) fn lanes(&self) -> usize {
        self.rungs.iter().map(|(rung, _)| rung.lanes).max().unwrap_or(1)
    }

    /// The kernel for more messages than any takes at once.
    pub(super) fn widest(&self) -> Option<Kernel> {
        self.rungs.first().map(|(_, kernel)| *kernel)
    }

    /// The kernels with their places, widest first.
    pub(super) fn rungs(&self) -> &[(Rung, Kernel)] {
        &self.rungs
    }

    /// The engine for one message.
    pub(super) fn stream(&self) -> Compress {
        self.stream
    }
}

/// Which backends serve how many messages, widest first: each from the number on at which it measured faster than those
/// after it. Under `forced`, nothing beyond that backend.
///
/// Without instructions made for SHA-256 lanes pay from few messages on. Beside them, eight lanes must be nearly full,
/// and 512-bit registers must be as fast as 256-bit ones, which they are not on every CPU.
pub(super) fn rule(forced: Option<Backend>) -> Vec<(Backend, usize)> {
    let top = forced.unwrap_or_else(engine::best);
    let rule: &[(Backend, usize)] = match top {
        Backend::Portable => &[],
        Backend::Avx2 => &[(Backend::Avx2, 3)],
        Backend::Avx512vl => &[(Backend::Avx512vl, 2)],
        Backend::Avx512 => &[(Backend::Avx512, 9), (Backend::Avx512vl, 2)],
        Backend::ShaNi if forced.is_none() && backend::wide_registers_pay() => {
            &[(Backend::Avx512, 10), (Backend::Avx512vl, 7), (Backend::ShaNi, 2)]
        }
        Backend::ShaNi => &[(Backend::ShaNi, 2)],
        Backend::Armv8 => &[(Backend::Armv8, 2)],
    };
    rule.iter().copied().filter(|(backend, _)| backend.is_available()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_go_from_wide_to_narrow() {
        let forced = backend::backends().into_iter().map(Some);
        for forced in forced.chain([None]) {
            let rule = rule(forced);
            assert!(rule.is_sorted_by_key(|(_, from)| std::cmp::Reverse(*from)), "{rule:?}");
            assert!(rule.iter().all(|(_, from)| *from >= 2), "one message is a stream: {rule:?}");
        }
    }
}
