//! For CPUs that cannot read many differences at a time.
#![forbid(unsafe_code)]

use super::super::super::dc::Predictor;
use super::super::super::job::Block;
use super::super::parse::Parser;
use crate::error::Result;

/// There are none.
pub(super) enum Differences<'a> {
    #[expect(dead_code, reason = "never made")]
    Never(std::convert::Infallible, &'a ()),
}

impl Differences<'_> {
    /// None.
    pub fn new(_: &Parser<'_>) -> Option<Self> {
        None
    }

    /// Is never called.
    pub fn index(&self, _: &[u8], _: &[u32], _: usize, _: &mut Predictor, _: &mut Vec<Block>) -> Result<usize> {
        unreachable!("there are none")
    }
}
