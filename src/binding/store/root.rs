//! The folders of stores that die with a primary: finding one, and removing it.

use crate::binding::failure::Failure;
use crate::store::roots;
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use std::path::PathBuf;

/// The folder for stores that die with process `pid`, in the first of `candidates` where that can be.
#[napi(catch_unwind)]
pub fn store_root(pid: u32, candidates: Vec<String>) -> Either<String, Failure> {
    match roots::root_of(pid, &paths(candidates)) {
        Ok(path) => Either::A(path.to_string_lossy().into_owned()),
        Err(error) => Either::B(error.into()),
    }
}

/// Removes that folder: its process ends.
#[napi(catch_unwind)]
pub fn remove_store_root(pid: u32, candidates: Vec<String>) {
    roots::remove(pid, &paths(candidates));
}

fn paths(list: Vec<String>) -> Vec<PathBuf> {
    list.into_iter().map(PathBuf::from).collect()
}
