//! hash and hashFile.

use super::failure::Failure;
use super::jobs::{Input, Jobs, Output};
use crate::kernels::hash::{self, Algorithm};
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::path::PathBuf;

#[napi]
impl Jobs {
    /// Hashes bytes; ends with a Buffer that holds the digest.
    #[napi(catch_unwind)]
    pub fn hash(&mut self, env: Env, id: u32, algorithm: String, input: Uint8Array) -> napi::Result<Option<Failure>> {
        let algorithm = match algorithm.parse::<Algorithm>() {
            Ok(algorithm) => algorithm,
            Err(error) => return Ok(Some(error.into())),
        };
        let (input, held) = Input::new(input);
        self.submit(&env, id, held, move |control| {
            hash::digest(algorithm, input.as_slice(), control).map(Output::Bytes)
        })
    }

    /// Hashes the file at `path`; ends with a Buffer that holds the digest.
    #[napi(catch_unwind)]
    pub fn hash_file(&mut self, env: Env, id: u32, algorithm: String, path: String) -> napi::Result<Option<Failure>> {
        let algorithm = match algorithm.parse::<Algorithm>() {
            Ok(algorithm) => algorithm,
            Err(error) => return Ok(Some(error.into())),
        };
        let path = PathBuf::from(path);
        self.submit(&env, id, None, move |control| hash::file(algorithm, &path, control).map(Output::Bytes))
    }
}
