//! Copying bytes into and out of shared memory, which other processes may write at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

/// From so many words on the processor's own instruction for copying is used: it moves whole cache lines, where relaxed
/// atomics are compiled to one move each. It takes some 40 cycles to get going.
#[cfg(target_arch = "x86_64")]
const MANY: usize = 64;

/// Writes bytes to as many words.
pub fn store(words: &[AtomicU64], bytes: &[[u8; 8]]) {
    let count = words.len().min(bytes.len());
    #[cfg(target_arch = "x86_64")]
    if count >= MANY {
        // SAFETY: both sides have `count` words and do not overlap: one is a private slice, and the other is made of
        // atomics, which may be written through a shared reference.
        unsafe { copy(bytes.as_ptr().cast(), words.as_ptr().cast_mut().cast(), 8 * count) };
        return;
    }
    for (word, bytes) in words.iter().zip(bytes).take(count) {
        word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
    }
}

/// Reads bytes from as many words.
pub fn load(words: &[AtomicU64], bytes: &mut [[u8; 8]]) {
    let count = words.len().min(bytes.len());
    #[cfg(target_arch = "x86_64")]
    if count >= MANY {
        // SAFETY: as in `store`; `bytes` is ours alone.
        unsafe { copy(words.as_ptr().cast(), bytes.as_mut_ptr().cast(), 8 * count) };
        return;
    }
    for (word, bytes) in words.iter().zip(bytes).take(count) {
        *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
    }
}

/// Copies as the instruction does it. The compiler sees no access: to it this is some code that could be made of relaxed
/// atomic loads and stores of bytes, so that what other processes do to the shared side meanwhile is no data race.
///
/// # Safety
/// `length` bytes must be readable at `from` and writable at `to`, and not overlap.
#[cfg(target_arch = "x86_64")]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller's promise; the direction flag is clear, as the ABI demands between instructions of Rust.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_loaded_whatever_its_length() {
        for count in [0, 1, 63, 64, 65, 1000] {
            let words: Vec<AtomicU64> = (0..count + 1).map(|_| AtomicU64::new(7)).collect();
            let bytes: Vec<[u8; 8]> = (0..count as u64).map(|n| (n * 0x0123_4567_89ab).to_ne_bytes()).collect();
            store(&words[..count], &bytes);
            let mut back = vec![[0; 8]; count];
            load(&words[..count], &mut back);
            assert_eq!(back, bytes);
            assert_eq!(words[count].load(Ordering::Relaxed), 7, "nothing is written behind the end");
        }
    }
}
