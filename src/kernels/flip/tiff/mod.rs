//! stub
use super::options::{Flipped, Options};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
/// stub
pub fn flip(_file: &[u8], _options: &Options, _control: &Control) -> Result<Flipped> {
    Err(Error::ImageUnsupported("stub".into()))
}
