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
    /// What the measured rule says for this CPU, or the backend forced through the environment alone.
    ///
    /// # Errors
    /// `InvalidArgument` when the environment forces a backend that does not exist or that this CPU lacks.
    pub(super) fn chosen() -> Result<Self> {
        match backend::forced()? {
            Some(backend) => Self::of(backend),
            None => Ok(Self::best()),
        }
    }

    /// One backend alone.
    ///
    /// # Errors
    /// `InvalidArgument` when this CPU lacks it.
    pub(super) fn of(backend: Backend) -> Result<Self> {
        if !backend.is_available() {
            return Err(Error::InvalidArgument(format!("this CPU lacks what backend '{}' needs", backend.name())));
        }
        Ok(Self::new(&[(backend, 2)], engine::of(backend)))
    }

    /// Without instructions made for SHA-256, lanes pay from few messages on; beside them, only when nearly all of the
    /// widest kernel's lanes are filled.
    fn best() -> Self {
        let rule: &[(Backend, usize)] = if Backend::ShaNi.is_available() {
            &[(Backend::Avx512, 9), (Backend::ShaNi, 2)]
        } else if Backend::Armv8.is_available() {
            &[(Backend::Armv8, 2)]
        } else if Backend::Avx512vl.is_available() {
            &[(Backend::Avx512, 9), (Backend::Avx512vl, 2)]
        } else {
            &[(Backend::Avx2, 3)]
        };
        Self::new(rule, engine::best())
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

    /// The kernels with their places, widest first.
    pub(super) fn rungs(&self) -> &[(Rung, Kernel)] {
        &self.rungs
    }

    /// The engine for one message.
    pub(super) fn stream(&self) -> Compress {
        self.stream
    }
}
