//! The memory of JavaScript's ArrayBuffers, lent to a job on another thread.

use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, JsObjectValue, Object, ObjectRef, Uint8Array};
use std::sync::Arc;

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

/// An array that a job writes its result into: JavaScript can use the memory again, which a new Buffer for every result
/// would have to be given by the kernel, page by page.
pub struct LentMut {
    start: *mut u8,
    length: usize,
    _array: Arc<Uint8Array>,
}

// SAFETY: the memory stays where it is for as long as `_array` lives, as V8 never moves what it has given out the address
// of. Our JavaScript lends an array to one job at a time, and neither reads nor writes nor transfers it before that job has
// ended; the array was made by it, and cannot shrink.
unsafe impl Send for LentMut {}

impl LentMut {
    /// Borrows an array; the second part is to be let go of on the environment's thread.
    pub fn new(mut array: Uint8Array) -> (Self, Arc<Uint8Array>) {
        let length = array.len();
        // SAFETY: only its address is taken here; nobody else writes to it, as said above.
        let start = unsafe { array.as_mut() }.as_mut_ptr();
        let array = Arc::new(array);
        (Self { start, length, _array: Arc::clone(&array) }, array)
    }

    /// The memory.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: `length` bytes from `start` on belong to the array, which lives at least as long as `self`, and nobody
        // else looks at them meanwhile, as said above.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}
