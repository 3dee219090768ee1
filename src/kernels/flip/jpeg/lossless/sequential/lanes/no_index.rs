//! For CPUs that cannot read many differences at a time.
#![forbid(unsafe_code)]

use super::super::super::dc::Predictor;
use super::super::super::job::Block;
use super::super::parse::Parser;
use crate::error::Result;
use std::marker::PhantomData;

/// There are none.
pub(super) struct Differences<'a>(PhantomData<&'a ()>);

impl Differences<'_> {
    /// None.
    pub fn new(_: &Parser<'_>) -> Option<Self> {
        None
    }

    /// Is never called.
    pub fn index(&self, _: &[u8], _: &[u32], _: usize, _: &mut Predictor, _: &mut Vec<Block>) -> Result<usize> {
        Ok(0)
    }
}
