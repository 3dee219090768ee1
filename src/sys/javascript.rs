//! Memory that JavaScript and Rust share, and calling JavaScript from a callback of the event loop, as Node itself does
//! it: with `process.nextTick` and promises run after the call, and an exception going to `uncaughtException`;
//! and reading short strings without allocating.

use napi::bindgen_prelude::{ArrayBuffer, Buffer, BufferSlice, FromNapiValue, Function, TypeName, ValidateNapiValue};
use napi::sys;
use napi::{Env, JsValue};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::AtomicU32;

/// A Buffer of these bytes; `give_back` gets them when JavaScript has let go of it, on the environment's thread.
///
/// # Errors
/// What Node-API answers.
pub fn hand_over(env: &Env, mut bytes: Vec<u8>, give_back: fn(Vec<u8>)) -> napi::Result<Buffer> {
    if bytes.is_empty() {
        return Ok(Buffer::from(bytes));
    }
    let (start, length) = (bytes.as_mut_ptr(), bytes.len());
    // SAFETY: the bytes stay where they are while the vector is moved into the hint; it is let go of in the callback
    // alone, which runs when nobody sees the Buffer any more.
    let slice = unsafe { BufferSlice::from_external(env, start, length, bytes, move |_, bytes| give_back(bytes)) }?;
    slice.into_buffer(env)
}

/// A JavaScript function to be called with integers, and perhaps a text. It belongs to the environment's thread.
pub struct Callback {
    env: sys::napi_env,
    function: sys::napi_ref,
    context: sys::napi_async_context,
}

impl Callback {
    /// Keeps `function` alive until the callback is dropped; `name` is what async hooks see as its type.
    ///
    /// # Errors
    /// What Node-API answers: the environment is ending.
    pub fn new(env: &Env, function: &Function<'_, (), ()>, name: &str) -> napi::Result<Self> {
        let raw = env.raw();
        let name = env.create_string(name)?.value().value;
        let mut context = null_mut();
        // SAFETY: on the environment's thread, inside a call from JavaScript; `name` is a live string.
        check(unsafe { sys::napi_async_init(raw, null_mut(), name, &raw mut context) })?;
        let mut reference = null_mut();
        // SAFETY: as above; the function is live for the length of the call.
        check(unsafe { sys::napi_create_reference(raw, function.value().value, 1, &raw mut reference) })?;
        Ok(Self { env: raw, function: reference, context })
    }

    /// Calls the function from outside any call of JavaScript, on the environment's thread. Its `this` is itself.
    pub fn call<const MORE: usize>(&self, first: i32, more: [u32; MORE]) {
        self.call_with(first, more, None);
    }

    /// The same, with a text of one byte a character behind the integers.
    pub fn call_with_text<const MORE: usize>(&self, first: i32, more: [u32; MORE], text: &[u8]) {
        self.call_with(first, more, Some(text));
    }

    fn call_with<const MORE: usize>(&self, first: i32, more: [u32; MORE], text: Option<&[u8]>) {
        let mut scope = null_mut();
        // SAFETY: on the environment's thread, which is alive: the loop that calls us is closed before it ends.
        if unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) } != sys::Status::napi_ok {
            return;
        }
        self.call_in_scope(first, more, text);
        // SAFETY: opened above and closed once.
        unsafe { sys::napi_close_handle_scope(self.env, scope) };
    }

    fn call_in_scope<const MORE: usize>(&self, first: i32, more: [u32; MORE], text: Option<&[u8]>) -> Option<()> {
        const { assert!(MORE <= 3) };
        let mut function = null_mut();
        let mut arguments = [null_mut(); 5];
        // SAFETY: inside a handle scope on the environment's thread, here and below; each call fills one handle. The
        // reference is ours and alive.
        ok(unsafe { sys::napi_get_reference_value(self.env, self.function, &raw mut function) })?;
        // SAFETY: as above.
        ok(unsafe { sys::napi_create_int32(self.env, first, &raw mut arguments[0]) })?;
        for (value, argument) in more.into_iter().zip(&mut arguments[1..]) {
            // SAFETY: as above.
            ok(unsafe { sys::napi_create_uint32(self.env, value, argument) })?;
        }
        let count = 1 + MORE + usize::from(text.is_some());
        if let Some(text) = text {
            let (start, length) = (text.as_ptr().cast(), text.len() as isize);
            // SAFETY: as above; the bytes are live for the length of the call, which copies them.
            ok(unsafe { sys::napi_create_string_latin1(self.env, start, length, &raw mut arguments[1 + MORE]) })?;
        }
        // SAFETY: live handles, and as many arguments as stated. What `this` is does not matter, and the function is at hand.
        let status = unsafe {
            sys::napi_make_callback(self.env, self.context, function, function, count, arguments.as_ptr(), null_mut())
        };
        if status == sys::Status::napi_pending_exception {
            let mut error = null_mut();
            // SAFETY: as above.
            ok(unsafe { sys::napi_get_and_clear_last_exception(self.env, &raw mut error) })?;
            // SAFETY: a live handle.
            ok(unsafe { sys::napi_fatal_exception(self.env, error) })?;
        }
        Some(())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: both are ours and dropped once, on the environment's thread.
        unsafe { sys::napi_delete_reference(self.env, self.function) };
        // SAFETY: as above.
        unsafe { sys::napi_async_destroy(self.env, self.context) };
    }
}

/// Lends JavaScript words that Rust has, too: an `ArrayBuffer`, for `Atomics`. What takes a call into Rust otherwise is one
/// instruction then. `None` where the engine allows no memory of others.
pub fn lend<T: 'static>(env: &Env, owner: T, words: impl Fn(&T) -> &[AtomicU32]) -> Option<ArrayBuffer<'_>> {
    extern "C" fn drop_owner<T>(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
        // SAFETY: made by `Box::into_raw` below, and the engine calls this once, when nothing refers to the buffer.
        drop(unsafe { Box::from_raw(owner.cast::<T>()) });
    }
    let owner = Box::new(owner);
    let lent = words(&owner);
    let (start, bytes) = (lent.as_ptr(), size_of_val(lent));
    let owner = Box::into_raw(owner);
    let mut buffer = null_mut();
    // SAFETY: on the environment's thread, inside a call from JavaScript. The words are borrowed from the boxed owner, which
    // stays where it is until the engine has let go of the buffer. Others reach them through atomics alone.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            start.cast_mut().cast(),
            bytes,
            Some(drop_owner::<T>),
            owner.cast(),
            &raw mut buffer,
        )
    };
    if ok(status).is_none() {
        // SAFETY: the engine has refused, so nobody but us knows the owner.
        drop(unsafe { Box::from_raw(owner) });
        return None;
    }
    // SAFETY: a live handle of an array buffer of this environment.
    unsafe { ArrayBuffer::from_napi_value(env.raw(), buffer) }.ok()
}

/// A string argument of at most [`ROOM`] bytes of UTF-8, in one call and without the heap; a longer one is cut, which the
/// caller has ruled out.
pub struct ShortText {
    bytes: [MaybeUninit<u8>; ROOM + 1],
    length: usize,
}

/// Bytes of a [`ShortText`].
pub const ROOM: usize = 1024;

impl ShortText {
    /// Its UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: Node-API has written `length` bytes, and that is no more than there is room for.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.length) }
    }
}

impl TypeName for ShortText {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> napi::ValueType {
        napi::ValueType::String
    }
}

impl ValidateNapiValue for ShortText {}

impl FromNapiValue for ShortText {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let mut text = Self { bytes: [MaybeUninit::uninit(); ROOM + 1], length: 0 };
        // SAFETY: `env` and `value` are live by this function's contract; the call writes as many bytes as it is told
        // there are at most, a NUL among them, and their number.
        let status = unsafe {
            let start = text.bytes.as_mut_ptr().cast();
            sys::napi_get_value_string_utf8(env, value, start, ROOM + 1, &raw mut text.length)
        };
        check(status)?;
        Ok(text)
    }
}

fn ok(status: sys::napi_status) -> Option<()> {
    (status == sys::Status::napi_ok).then_some(())
}

fn check(status: sys::napi_status) -> napi::Result<()> {
    ok(status).ok_or_else(|| napi::Error::new(napi::Status::from(status), "the environment is ending"))
}
