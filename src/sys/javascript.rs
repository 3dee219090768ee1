//! Calling JavaScript from a callback of the event loop, as Node itself does it: with `process.nextTick` and promises
//! run after the call, and an exception going to `uncaughtException`.

use napi::bindgen_prelude::Function;
use napi::sys;
use napi::{Env, JsValue};
use std::ptr::null_mut;

/// A JavaScript function to be called with three integers. It belongs to the environment's thread.
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

    /// Calls the function from outside any call of JavaScript, on the environment's thread.
    pub fn call(&self, first: i32, more: [u32; 2]) {
        let mut scope = null_mut();
        // SAFETY: on the environment's thread, which is alive: the loop that calls us is closed before it ends.
        if unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) } != sys::Status::napi_ok {
            return;
        }
        self.call_in_scope(first, more);
        // SAFETY: opened above and closed once.
        unsafe { sys::napi_close_handle_scope(self.env, scope) };
    }

    fn call_in_scope(&self, first: i32, more: [u32; 2]) -> Option<()> {
        let (mut global, mut function) = (null_mut(), null_mut());
        let mut arguments = [null_mut(); 3];
        // SAFETY: inside a handle scope on the environment's thread, here and below; each call fills one handle.
        ok(unsafe { sys::napi_get_global(self.env, &raw mut global) })?;
        // SAFETY: the reference is ours and alive.
        ok(unsafe { sys::napi_get_reference_value(self.env, self.function, &raw mut function) })?;
        // SAFETY: as above.
        ok(unsafe { sys::napi_create_int32(self.env, first, &raw mut arguments[0]) })?;
        for (value, argument) in more.into_iter().zip(&mut arguments[1..]) {
            // SAFETY: as above.
            ok(unsafe { sys::napi_create_uint32(self.env, value, argument) })?;
        }
        // SAFETY: live handles, and as many arguments as stated.
        let status = unsafe {
            sys::napi_make_callback(self.env, self.context, global, function, 3, arguments.as_ptr(), null_mut())
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

fn ok(status: sys::napi_status) -> Option<()> {
    (status == sys::Status::napi_ok).then_some(())
}

fn check(status: sys::napi_status) -> napi::Result<()> {
    ok(status).ok_or_else(|| napi::Error::new(napi::Status::from(status), "the environment is ending"))
}
