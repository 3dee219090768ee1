//! hash, hashMany, hashFile and the state behind createHash.

use super::failure::Failure;
use super::jobs::{Held, Input, Jobs, Output};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::hash::{self, Algorithm, Hasher};
use crate::sys::lent::{Lent, LentMut};
use napi::Env;
use napi::bindgen_prelude::{Buffer, ClassInstance, Either, Float64Array, Object, Uint8Array, Uint32Array};
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name this package uses for an algorithm, however it is spelt; null for an unknown one.
#[napi(catch_unwind)]
pub fn hash_algorithm(name: String) -> Option<String> {
    name.parse::<Algorithm>().ok().map(|algorithm| algorithm.to_string())
}

/// A digest under way: what `createHash` feeds, chunk by chunk, through [`Jobs::hash_update`].
#[napi]
pub struct HashState {
    algorithm: Algorithm,
    /// None before the first chunk, and again once the digest was taken.
    hasher: Arc<Mutex<Option<Hasher>>>,
}

#[napi]
impl HashState {
    /// `algorithm` must be a name that `hashAlgorithm` knows.
    #[napi(constructor, catch_unwind)]
    pub fn new(algorithm: String) -> napi::Result<Self> {
        let algorithm = algorithm.parse().map_err(|error: Error| napi::Error::from_reason(error.to_string()))?;
        Ok(Self { algorithm, hasher: Arc::default() })
    }

    /// The digest of all chunks fed. No job may be under way; the state starts afresh.
    #[napi(catch_unwind)]
    pub fn digest(&self) -> Either<Buffer, Failure> {
        let hasher = lock(&self.hasher).take();
        match hasher.map_or_else(|| Hasher::new(self.algorithm), Ok) {
            Ok(hasher) => Either::A(hasher.finish().into()),
            Err(error) => Either::B(error.into()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The messages of a [`Jobs::hash_many`] as JavaScript packs them: small ones one behind the other, of large ones where
/// they lie. All of it is the job's until that has ended.
#[napi(object, object_to_js = false)]
pub struct PackedMessages {
    /// The small messages.
    pub packed: Uint8Array,
    /// The size of each message in order; 0xFFFFFFFF for one whose place is told.
    pub lengths: Uint32Array,
    /// Three numbers for each of those: which buffer it is in, where it starts there, and its size.
    pub places: Float64Array,
    /// Where the digests go: exactly as large as all of them.
    pub digests: Uint8Array,
}

/// The messages of a [`Jobs::hash_many`].
struct Messages {
    packed: Input,
    /// Of each message in order; [`ELSEWHERE`] for the next of `places`.
    lengths: Vec<u32>,
    places: Vec<f64>,
    buffers: Option<Arc<Lent>>,
}

/// Stands for the length of a message that is not packed.
const ELSEWHERE: u32 = u32::MAX;

impl Messages {
    fn slices(&self) -> Result<Vec<&[u8]>> {
        let mut rest = self.packed.as_slice();
        let mut places = self.places.as_chunks::<3>().0.iter();
        let slices = self.lengths.iter().map(|&length| {
            if length == ELSEWHERE {
                let &[buffer, start, length] = places.next()?;
                return self.buffers.as_ref()?.slice(buffer as usize, start as usize, length as usize);
            }
            let (message, behind) = rest.split_at_checked(length as usize)?;
            rest = behind;
            Some(message)
        });
        let slices: Option<Vec<_>> = slices.collect();
        slices.ok_or_else(|| Error::InvalidArgument("the lengths pass the end of the messages".into()))
    }
}

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

    /// Hashes many messages, of which `buffers` holds those that are not packed, and writes all digests, in order, as
    /// bytes or `as_hex`, where it is told; ends with nothing. The list is the job's from now on.
    #[napi(catch_unwind)]
    pub fn hash_many(
        &mut self,
        env: Env,
        id: u32,
        algorithm: String,
        messages: PackedMessages,
        #[napi(ts_arg_type = "ArrayBuffer[]")] buffers: Object<'_>,
        as_hex: bool,
    ) -> napi::Result<Option<Failure>> {
        let algorithm = match algorithm.parse::<Algorithm>() {
            Ok(algorithm) => algorithm,
            Err(error) => return Ok(Some(error.into())),
        };
        let PackedMessages { packed, lengths, places, digests } = messages;
        let buffers = if places.is_empty() { None } else { Some(Arc::new(Lent::new(&buffers)?)) };
        let (packed, mut arrays) = Input::new(packed);
        let (mut digests, array) = LentMut::new(digests);
        arrays.push(array);
        let held = Held::new(arrays, buffers.clone());
        let messages = Messages { packed, lengths: lengths.to_vec(), places: places.to_vec(), buffers };
        self.submit(&env, id, held, move |control| {
            let bytes = hash::many_parallel(algorithm, &messages.slices()?, control)?;
            let into = digests.as_mut_slice();
            let expected = if as_hex { 2 * bytes.len() } else { bytes.len() };
            if into.len() != expected {
                return Err(Error::InvalidArgument(format!("room for {} bytes, not {expected}", into.len())));
            }
            if as_hex {
                hash::hex(&bytes, into)
            } else {
                into.copy_from_slice(&bytes)
            }
            Ok(Output::Nothing)
        })
    }

    /// Feeds `states[i]` the next `counts[i]` of `chunks`, all in shared lanes; ends with an empty Buffer. A state may be
    /// fed by one job at a time.
    #[napi(catch_unwind)]
    pub fn hash_update(
        &mut self,
        env: Env,
        id: u32,
        states: Vec<ClassInstance<HashState>>,
        counts: Vec<u32>,
        chunks: Vec<Uint8Array>,
    ) -> napi::Result<Option<Failure>> {
        let states: Vec<_> = states.iter().map(|state| (state.algorithm, Arc::clone(&state.hasher))).collect();
        let chunks: Vec<_> = chunks.into_iter().map(Arc::new).collect();
        let held = chunks.clone();
        self.submit(&env, id, held, move |_| {
            let mut guards: Vec<_> = states.iter().map(|(_, hasher)| lock(hasher)).collect();
            let mut updates = Vec::with_capacity(guards.len());
            let mut rest = chunks.iter();
            for ((guard, (algorithm, _)), &count) in guards.iter_mut().zip(&states).zip(&counts) {
                if guard.is_none() {
                    **guard = Some(Hasher::new(*algorithm)?);
                }
                if let Some(hasher) = guard.as_mut() {
                    updates.push((hasher, rest.by_ref().take(count as usize).map(|chunk| &chunk[..]).collect()));
                }
            }
            hash::update_many(updates)?;
            Ok(Output::Bytes(Vec::new()))
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
        self.submit(&env, id, Vec::new(), move |control| {
            expect(std::slice::from_ref(&path), control)?;
            hash::file(algorithm, &path, control).map(Output::Bytes)
        })
    }

    /// Hashes the files at `paths`, in shared lanes and over all threads; ends with a Buffer of all digests, in order.
    /// `measured`: progress shall know the size of all files together.
    #[napi(catch_unwind)]
    pub fn hash_files(
        &mut self,
        env: Env,
        id: u32,
        algorithm: String,
        paths: Vec<String>,
        measured: bool,
    ) -> napi::Result<Option<Failure>> {
        let algorithm = match algorithm.parse::<Algorithm>() {
            Ok(algorithm) => algorithm,
            Err(error) => return Ok(Some(error.into())),
        };
        let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        self.submit(&env, id, Vec::new(), move |control| {
            if measured {
                expect(&paths, control)?;
            }
            hash::files_parallel(algorithm, &paths, control).map(Output::Bytes)
        })
    }
}

/// Tells `control` how many bytes the files have, unless one of them is a pipe or a device, whose length nobody knows.
fn expect(paths: &[PathBuf], control: &Control) -> Result<()> {
    let mut total = 0_u64;
    for path in paths {
        control.check()?;
        match std::fs::metadata(path) {
            Ok(file) if file.is_file() => total = total.saturating_add(file.len()),
            _ => return Ok(()),
        }
    }
    control.expect(total);
    Ok(())
}
