//! Large buffers kept between calls: getting fresh pages from the system costs a tenth of a flip's CPU.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// How many buffers are kept, and of what size at most: enough for pictures of 20 megapixels on two threads.
const KEPT: usize = 2;
const LARGEST: usize = 64 << 20;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Zeroed bytes, given back when dropped.
#[derive(Debug)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// `length` zeros. They are zeros also in a buffer used before: nothing of one picture shows up in another.
    pub fn zeroed(length: usize) -> Self {
        let kept = if length <= LARGEST { POOL.lock().ok().and_then(|mut pool| pool.pop()) } else { None };
        match kept {
            Some(mut buffer) => {
                buffer.clear();
                buffer.resize(length, 0);
                Self(buffer)
            }
            None => Self(vec![0; length]),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        if let Ok(mut pool) = POOL.lock()
            && pool.len() < KEPT
            && (1 << 20..=LARGEST).contains(&buffer.capacity())
        {
            pool.push(buffer);
        }
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_buffer_comes_back_empty() {
        for length in [3 << 20, 2 << 20, 5] {
            let mut buffer = Scratch::zeroed(length);
            assert!(buffer.len() == length && buffer.iter().all(|&byte| byte == 0));
            buffer.fill(7);
        }
    }
}
