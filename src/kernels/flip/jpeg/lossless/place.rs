//! Where a walk over a scan's code has got to.
#![forbid(unsafe_code)]

use super::corrupt;
use super::dc::Predictor;
use super::reader::{Reader, Window, window};
use crate::error::{Error, Result};

/// A place between two blocks.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The byte that the reader's window starts at.
    pub at: usize,
    /// The bit, from there on.
    pub reader: Reader,
    /// The DC coefficients before.
    pub predictor: Predictor,
}

impl Default for Place {
    fn default() -> Self {
        Self { at: 0, reader: Reader::new(&[0; size_of::<Window>()]), predictor: Predictor::default() }
    }
}

impl Place {
    /// The start of a restart interval at byte `at` of `code`.
    ///
    /// # Errors
    /// `ImageCorrupt` behind the end of the code.
    pub fn new(code: &mut [u8], at: usize) -> Result<Self> {
        let window = window(code, at).ok_or_else(ends_early)?;
        Ok(Self { at, reader: Reader::new(window), predictor: Predictor::default() })
    }

    /// The position in the code, in bits.
    #[inline(always)]
    pub fn position(&self) -> u64 {
        self.at as u64 * 8 + u64::from(self.reader.position())
    }

    /// Writes what is complemented so far.
    #[inline(always)]
    pub fn store(&mut self, code: &mut [u8]) {
        self.at += self.reader.rebase();
        if let Some(window) = window(code, self.at) {
            self.reader.store(window);
        }
    }
}

/// The error for code that is over before the picture is complete.
#[cold]
pub(super) fn ends_early() -> Error {
    corrupt("entropy-coded data ends early")
}
