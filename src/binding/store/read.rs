//! Reading one entry: what a busy server does most, so it crosses as cheaply as Node-API allows.

use crate::binding::failure::Failure;
use crate::error::Error;
use crate::store::engine::Engine;
use crate::store::record::{JSON, MARK, NUMBER, TEXT};
use crate::sys::javascript::ShortText;
use napi::bindgen_prelude::{BufferSlice, Either5};
use napi::{Env, JsString};
use napi_derive::napi;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The stores that this thread's environment has open, by slot: a read finds its store here, which costs less than
    /// unwrapping an object does.
    static SLOTS: RefCell<Vec<Option<Arc<Engine>>>> = const { RefCell::new(Vec::new()) };
}

/// What a read answers.
type Found<'e> = Either5<JsString<'e>, f64, (), BufferSlice<'e>, Failure>;

/// Reads an entry of the store in a slot: a string or a number as such, JSON as a string that begins with a carriage
/// return, undefined where there is none; of anything else, and of text that begins so, the tag and the value's bytes.
#[napi(
    catch_unwind,
    ts_args_type = "slot: number, key: string",
    ts_return_type = "string | number | undefined | Buffer | Failure"
)]
pub fn read_store<'e>(env: &'e Env, slot: u32, key: ShortText) -> napi::Result<Found<'e>> {
    SLOTS.with_borrow(|slots| {
        let Some(Some(engine)) = slots.get(slot as usize) else { return Ok(Either5::E(Error::StoreClosed.into())) };
        let found = engine.get(key.as_bytes(), |record| match record.tag {
            JSON => text(env, record.payload).map(Either5::A),
            TEXT if record.payload.first() != Some(&MARK) => text(env, record.payload).map(Either5::A),
            NUMBER => Ok(Either5::B(record.number().unwrap_or(f64::NAN))),
            tag => BufferSlice::from_data(env, [&[tag], record.payload].concat()).map(Either5::D),
        });
        match found {
            Ok(found) => found.unwrap_or(Ok(Either5::C(()))),
            Err(error) => Ok(Either5::E(error.into())),
        }
    })
}

/// Gives a store a slot of this thread's.
pub fn take_slot(engine: &Arc<Engine>) -> u32 {
    SLOTS.with_borrow_mut(|slots| {
        let free = slots.iter().position(Option::is_none).unwrap_or(slots.len());
        slots.resize_with(slots.len().max(free + 1), || None);
        slots[free] = Some(Arc::clone(engine));
        free as u32
    })
}

/// Takes it away again.
pub fn free_slot(slot: u32) {
    SLOTS.with_borrow_mut(|slots| {
        if let Some(place) = slots.get_mut(slot as usize) {
            *place = None;
        }
    });
}

/// ASCII, which most text is, needs no decoding.
fn text<'e>(env: &'e Env, bytes: &[u8]) -> napi::Result<JsString<'e>> {
    if bytes.is_ascii() { env.create_string_latin1(bytes) } else { env.create_string(String::from_utf8_lossy(bytes)) }
}
