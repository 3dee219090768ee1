//! The store's handle: reads answer at once, writes go to the writer under a number and are drained when they are done.

mod desk;
mod pack;
mod read;
mod root;

use self::desk::Answers;
use self::read::{free_slot, take_slot};
use super::failure::Failure;
use crate::error::{Error, Result};
use crate::store::engine::{Settings, Wait};
use crate::store::flight::Token;
use crate::store::op::{Entry, Op, Outcome, Value};
use crate::store::record::now_ms;
use crate::store::registry::Handle;
use crate::store::writer::Desk;
use napi::Env;
use napi::bindgen_prelude::{Buffer, Either, Either3, Float64Array, Function, Null, Uint8Array};
use napi_derive::napi;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a store is opened with.
#[napi(object, object_to_js = false)]
pub struct StoreOptions {
    /// Its folder.
    pub path: String,
    /// Bytes its entries may take.
    pub max_size: f64,
    /// Whether a full store evicts.
    pub evict: bool,
    /// Whether a write is acknowledged only once it is on the disk.
    pub durable: bool,
}

/// Where a `getOrSet` that waits stands.
#[napi(object, object_from_js = false)]
pub struct StoreWait {
    /// 0: over, look at the entry. 1: it still runs. 2: it threw.
    pub state: u32,
    /// To be handed back at the next look.
    pub token: Option<String>,
    /// What it threw, as its process wrote it.
    pub error: Option<Buffer>,
}

/// A write that failed.
#[napi(object, object_from_js = false)]
pub struct FailedWrite {
    /// The number it was handed in under.
    pub id: u32,
    /// Why.
    pub failure: Failure,
}

/// The writes that have ended since the last drain.
#[napi(object, object_from_js = false)]
pub struct Drained {
    /// Numbers and answers in turn, of those that succeeded.
    pub done: Float64Array,
    /// Those that failed.
    pub failed: Vec<FailedWrite>,
}

/// What comes of handing a write in: its answer when it was done at once, why it was refused, or null when the answer is
/// drained later.
#[napi]
pub type StoreAnswer = Either3<f64, Failure, Null>;

/// One opening of a store, in one JavaScript environment.
#[napi]
pub struct StoreHandle {
    handle: Arc<Mutex<Handle>>,
    answers: Arc<Answers>,
    desk: Arc<dyn Desk>,
    slot: u32,
}

/// Opens the store in a folder; `wake` is called on the event loop when writes have ended, and must call `drain()`.
#[napi(catch_unwind)]
pub fn open_store(
    env: Env,
    options: StoreOptions,
    wake: Function<(), ()>,
) -> napi::Result<Either<StoreHandle, Failure>> {
    #[cfg(unix)]
    crate::sys::library::pin();
    let StoreOptions { path, max_size, evict, durable } = options;
    let settings = Settings { max_size: max_size as u64, evict, durable };
    let handle = match Handle::open(Path::new(&path), settings) {
        Ok(handle) => handle,
        Err(error) => return Ok(Either::B(error.into())),
    };
    let slot = match handle.shared_engine() {
        Ok(engine) => take_slot(engine),
        Err(error) => return Ok(Either::B(error.into())),
    };
    let handle = Arc::new(Mutex::new(handle));
    let answers = Arc::new(Answers::new(wake)?);
    let desk: Arc<dyn Desk> = Arc::clone(&answers) as _;
    // What was handed in before process.exit() or the end of a worker thread is written, and no answer comes later.
    env.add_env_cleanup_hook((Arc::clone(&handle), Arc::clone(&answers)), move |(handle, answers)| {
        answers.wait();
        let mut handle = lock(&handle);
        if handle.engine().is_ok() {
            free_slot(slot);
            handle.close();
        }
    })?;
    Ok(Either::A(StoreHandle { handle, answers, desk, slot }))
}

#[napi]
impl StoreHandle {
    /// Where `readStore` finds it.
    #[napi(getter, catch_unwind)]
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Reads an entry into a buffer of its own: the tag, then the value. Null where there is none.
    #[napi(catch_unwind)]
    pub fn get_whole(&self, key: String) -> Either<Option<Buffer>, Failure> {
        self.read(|handle| {
            handle.engine()?.get(key.as_bytes(), |record| {
                let mut bytes = Vec::with_capacity(1 + record.payload.len());
                bytes.push(record.tag);
                bytes.extend_from_slice(record.payload);
                Buffer::from(bytes)
            })
        })
    }

    /// Reads entries as of one moment; packed as `pack` says.
    #[napi(catch_unwind)]
    pub fn get_many(&self, keys: Vec<String>) -> Either<Buffer, Failure> {
        self.read(|handle| {
            let mut packed = Vec::new();
            handle.engine()?.get_many(keys.iter().map(String::as_bytes), |record| pack::value(&mut packed, record))?;
            Ok(Buffer::from(packed))
        })
    }

    /// Whether there is an entry.
    #[napi(catch_unwind)]
    pub fn has(&self, key: String) -> Either<bool, Failure> {
        self.read(|handle| Ok(handle.engine()?.get(key.as_bytes(), |_| ())?.is_some()))
    }

    /// Milliseconds an entry has to live: Infinity where it does not expire, -1 where there is none.
    #[napi(catch_unwind)]
    pub fn ttl(&self, key: String) -> Either<f64, Failure> {
        self.read(|handle| {
            let found = handle.engine()?.get(key.as_bytes(), |record| {
                record.expires.map_or(f64::INFINITY, |time| time.saturating_sub(now_ms()) as f64)
            })?;
            Ok(found.unwrap_or(-1.0))
        })
    }

    /// Up to `limit` entries that begin with `prefix`, after the key `after`; packed as `pack` says.
    #[napi(catch_unwind)]
    pub fn scan(&self, prefix: String, after: Option<String>, limit: u32, values: bool) -> Either<Buffer, Failure> {
        self.read(|handle| {
            let mut packed = Vec::new();
            let mut count = 0;
            handle.engine()?.scan(prefix.as_bytes(), after.as_deref().map(str::as_bytes), |key, record| {
                pack::key(&mut packed, key);
                if values {
                    pack::value(&mut packed, Some(record));
                }
                count += 1;
                count < limit && packed.len() < pack::ENOUGH
            })?;
            Ok(Buffer::from(packed))
        })
    }

    /// How many entries there are.
    #[napi(catch_unwind)]
    pub fn size(&self) -> Either<f64, Failure> {
        self.read(|handle| Ok(handle.engine()?.size()? as f64))
    }

    /// Writes one entry. `ttl` in milliseconds, 0 for no end, here and below. A number is the answer, null says that it is
    /// drained later.
    #[napi(catch_unwind)]
    pub fn set(
        &self,
        env: Env,
        id: u32,
        key: String,
        tag: u8,
        value: Either<String, Uint8Array>,
        ttl: f64,
    ) -> napi::Result<StoreAnswer> {
        let value = value_of(tag, value);
        self.submit(&env, id, Op::Set(vec![Entry { key: key.into_bytes(), value, ttl: ttl_of(ttl) }]))
    }

    /// Writes entries, all or none; packed as `pack` says.
    #[napi(catch_unwind)]
    pub fn set_many(&self, env: Env, id: u32, packed: Uint8Array) -> napi::Result<StoreAnswer> {
        match pack::entries(&packed) {
            Some(entries) => self.submit(&env, id, Op::Set(entries)),
            None => Ok(Either3::B(Error::Internal("entries were packed wrongly".into()).into())),
        }
    }

    /// Deletes keys.
    #[napi(catch_unwind)]
    pub fn delete(&self, env: Env, id: u32, keys: Vec<String>) -> napi::Result<StoreAnswer> {
        self.submit(&env, id, Op::Delete(keys.into_iter().map(String::into_bytes).collect()))
    }

    /// Adds to a number.
    #[napi(catch_unwind)]
    pub fn incr(&self, env: Env, id: u32, key: String, by: f64, ttl: f64) -> napi::Result<StoreAnswer> {
        self.submit(&env, id, Op::Incr { key: key.into_bytes(), by, ttl: ttl_of(ttl) })
    }

    /// Replaces an entry if it holds what is expected; a tag of 0 stands for no entry.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments)] // one crossing carries the whole operation, and an object costs more
    pub fn cas(
        &self,
        env: Env,
        id: u32,
        key: String,
        expected_tag: u8,
        expected: Either<String, Uint8Array>,
        tag: u8,
        value: Either<String, Uint8Array>,
        ttl: f64,
    ) -> napi::Result<StoreAnswer> {
        let some = |tag, value| (tag != 0).then(|| value_of(tag, value));
        let (expected, next) = (some(expected_tag, expected), some(tag, value));
        self.submit(&env, id, Op::Cas { key: key.into_bytes(), expected, next, ttl: ttl_of(ttl) })
    }

    /// Gives an entry a new time to live.
    #[napi(catch_unwind)]
    pub fn touch(&self, env: Env, id: u32, key: String, ttl: f64) -> napi::Result<StoreAnswer> {
        self.submit(&env, id, Op::Touch { key: key.into_bytes(), ttl: ttl_of(ttl) })
    }

    /// Deletes what begins with `prefix`.
    #[napi(catch_unwind)]
    pub fn clear(&self, env: Env, id: u32, prefix: String) -> napi::Result<StoreAnswer> {
        self.submit(&env, id, Op::Clear { prefix: prefix.into_bytes() })
    }

    /// Asks to run the function of a `getOrSet`, under a number of the caller's: answers 0 run, 1 wait, 2 it is there.
    #[napi(catch_unwind)]
    pub fn claim(&self, env: Env, id: u32, key: String, run: f64) -> napi::Result<StoreAnswer> {
        let member = lock(&self.handle).member();
        match member {
            Ok(member) => {
                let token = Token { member, run: run as u64 };
                self.submit(&env, id, Op::Claim { key: key.into_bytes(), token })
            }
            Err(error) => Ok(Either3::B(error.into())),
        }
    }

    /// Ends that run: `outcome` 0 with a value to store, 1 with nothing, 2 with what was thrown.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments)] // as `cas`
    pub fn settle(
        &self,
        env: Env,
        id: u32,
        key: String,
        run: f64,
        outcome: u32,
        tag: u8,
        value: Either<String, Uint8Array>,
        ttl: f64,
    ) -> napi::Result<StoreAnswer> {
        let member = lock(&self.handle).member();
        let member = match member {
            Ok(member) => member,
            Err(error) => return Ok(Either3::B(error.into())),
        };
        let value = value_of(tag, value);
        let outcome = match outcome {
            0 => Outcome::Value(value, ttl_of(ttl)),
            1 => Outcome::Nothing,
            _ => Outcome::Failed(value.payload),
        };
        self.submit(&env, id, Op::Settle { key: key.into_bytes(), token: Token { member, run: run as u64 }, outcome })
    }

    /// Counts as gone for all who wait for its runs.
    #[napi(catch_unwind)]
    pub fn abandon(&self) {
        lock(&self.handle).leave();
    }

    /// Looks how the run of a key is doing; `token` is what the last look gave.
    #[napi(catch_unwind)]
    pub fn wait(&self, key: String, token: Option<String>) -> Either<StoreWait, Failure> {
        self.read(|handle| {
            let seen = token.as_deref().and_then(parse_token);
            let (wait, token) = handle.engine()?.wait(key.as_bytes(), seen)?;
            let (state, error) = match wait {
                Wait::Over => (0, None),
                Wait::Running => (1, None),
                Wait::Failed(error) => (2, Some(Buffer::from(error))),
            };
            Ok(StoreWait { state, token: token.map(|token| format!("{:x}:{:x}", token.member, token.run)), error })
        })
    }

    /// Takes every write that has ended since the last call.
    #[napi(catch_unwind)]
    pub fn drain(&self, env: Env) -> napi::Result<Drained> {
        let (answers, idle) = self.answers.take();
        if idle {
            self.answers.stay_awake(&env, false)?;
        }
        let (mut done, mut failed) = (Vec::with_capacity(answers.len() * 2), Vec::new());
        for (id, answer) in answers {
            match answer {
                Ok(number) => done.extend([f64::from(id), number]),
                Err(error) => failed.push(FailedWrite { id, failure: error.into() }),
            }
        }
        Ok(Drained { done: Float64Array::new(done), failed })
    }

    /// Lets go of the store; what was handed in is written.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        let mut handle = lock(&self.handle);
        // Once only: the slot may be another's by then.
        if handle.engine().is_ok() {
            free_slot(self.slot);
            handle.close();
        }
    }

    fn read<T>(&self, work: impl FnOnce(&Handle) -> Result<T>) -> Either<T, Failure> {
        match work(&lock(&self.handle)) {
            Ok(value) => Either::A(value),
            Err(error) => Either::B(error.into()),
        }
    }

    fn submit(&self, env: &Env, id: u32, op: Op) -> napi::Result<StoreAnswer> {
        if self.answers.may_write_at_once()
            && let Some(answer) = lock(&self.handle).at_once(&op)
        {
            return Ok(answer.map_or_else(|error| Either3::B(error.into()), Either3::A));
        }
        self.answers.expect();
        if let Err(error) = lock(&self.handle).submit(&self.desk, id, op) {
            self.answers.forget();
            return Ok(Either3::B(error.into()));
        }
        self.answers.stay_awake(env, true)?;
        Ok(Either3::C(Null))
    }
}

fn value_of(tag: u8, value: Either<String, Uint8Array>) -> Value {
    let payload = match value {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    };
    Value { tag, payload }
}

fn ttl_of(ttl: f64) -> Option<u64> {
    (ttl > 0.0 && ttl.is_finite()).then_some(ttl as u64)
}

fn parse_token(text: &str) -> Option<Token> {
    let (member, run) = text.split_once(':')?;
    Some(Token { member: u64::from_str_radix(member, 16).ok()?, run: u64::from_str_radix(run, 16).ok()? })
}

fn lock(handle: &Mutex<Handle>) -> MutexGuard<'_, Handle> {
    handle.lock().unwrap_or_else(PoisonError::into_inner)
}
