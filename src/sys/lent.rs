//! The memory of JavaScript's ArrayBuffers, lent to a job on another thread.

use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, JsObjectValue, Object, ObjectRef};

/// ArrayBuffers that stay alive until they are given back.
pub struct Lent {
    buffers: Vec<(*const u8, usize)>,
    /// Of the list they are in. Nobody else has the list, so that none leaves it.
    list: ObjectRef<false>,
}

// SAFETY: the buffers are only read, and stay where they are for as long as the list lives: V8 never moves the memory of
// an ArrayBuffer whose address it has given out. Our callers promise their own not to write or transfer them meanwhile,
// as they do for every array that a job reads. The reference is only kept here, and used on the environment's thread.
unsafe impl Send for Lent {}
// SAFETY: as above; all that can be done through a shared reference is to read.
unsafe impl Sync for Lent {}

impl Lent {
    /// Borrows every ArrayBuffer of `list`, none of which may be able to shrink.
    ///
    /// # Errors
    /// What Node-API answers: one is no ArrayBuffer.
    pub fn new(list: &Object<'_>) -> napi::Result<Self> {
        let count = list.get_array_length()?;
        let mut buffers = Vec::with_capacity(count as usize);
        for index in 0..count {
            let buffer: ArrayBuffer<'_> = list.get_element(index)?;
            buffers.push((buffer.as_ptr(), buffer.len()));
        }
        Ok(Self { buffers, list: list.create_ref()? })
    }

    /// `length` bytes from `start` on of one of the buffers; `None` beyond its end.
    pub fn slice(&self, index: usize, start: usize, length: usize) -> Option<&[u8]> {
        let &(bytes, size) = self.buffers.get(index)?;
        // SAFETY: the buffer has `size` bytes there and lives at least as long as `self`, as said above.
        let buffer = unsafe { std::slice::from_raw_parts(bytes, size) };
        buffer.get(start..start.checked_add(length)?)
    }

    /// Lets go of the buffers, on the environment's thread.
    ///
    /// # Errors
    /// What Node-API answers: the environment is ending, and lets go of them itself.
    pub fn give_back(self, env: &Env) -> napi::Result<()> {
        self.list.unref(env)
    }
}
