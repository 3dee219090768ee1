//! Copying bytes into and out of shared memory, which other processes may write at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

/// From so many words on the processor's own instruction for copying is used: it moves whole cache lines, where relaxed
/// atomics are compiled to one move each. It takes some 40 cycles to get going.
#[cfg(target_arch = "x86_64")]
const MANY: usize = 64;

/// From so many words on what is stored goes past the caches: the core would first have to get each line, which it is about
/// to overwrite whole, from where its readers left it. A tenth less for the sender at 16 KiB, a quarter at 32 KiB, and the
/// same for readers; below 6 KiB it costs more than it saves.
#[cfg(target_arch = "x86_64")]
const PAST_CACHES: usize = 1024;

/// Writes bytes to as many words.
pub fn store(words: &[AtomicU64], bytes: &[[u8; 8]]) {
    let count = words.len().min(bytes.len());
    #[cfg(target_arch = "x86_64")]
    if count >= MANY {
        // SAFETY: both sides have `count` words and do not overlap: one is a private slice, and the other is made of
        // atomics, which may be written through a shared reference.
        unsafe {
            let copy = if count < PAST_CACHES { copy } else { copy_past_caches };
            copy(bytes.as_ptr().cast(), words.as_ptr().cast_mut().cast(), 8 * count);
        }
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

/// The same with stores that go past the caches, and are done before any that follows (Intel SDM, volume 1, section
/// 10.4.6.2, and SFENCE).
///
/// # Safety
/// As for [`copy`]; `length` must be at least 128, so that there is a whole line.
#[cfg(target_arch = "x86_64")]
unsafe fn copy_past_caches(from: *const u8, to: *mut u8, length: usize) {
    let before = to.align_offset(64);
    let lines = (length - before) / 64;
    // SAFETY: the caller's promise, for the first bytes, up to a whole line.
    unsafe { copy(from, to, before) };
    // SAFETY: within the same.
    let mut from = unsafe { from.add(before) };
    // SAFETY: within the same.
    let mut to = unsafe { to.add(before) };
    // SAFETY: as above, for as many whole lines; every x86-64 has these instructions.
    unsafe {
        std::arch::asm!(
            "2:",
            "movdqu {a}, [{from}]",
            "movdqu {b}, [{from} + 16]",
            "movdqu {c}, [{from} + 32]",
            "movdqu {d}, [{from} + 48]",
            "movntdq [{to}], {a}",
            "movntdq [{to} + 16], {b}",
            "movntdq [{to} + 32], {c}",
            "movntdq [{to} + 48], {d}",
            "add {from}, 64",
            "add {to}, 64",
            "dec {lines}",
            "jnz 2b",
            "sfence",
            from = inout(reg) from,
            to = inout(reg) to,
            lines = inout(reg) lines => _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
    // SAFETY: what is left of the same.
    unsafe { copy(from, to, (length - before) % 64) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_loaded_whatever_its_length() {
        for count in [0, 1, 63, 64, 65, 1000, 1023, 1024, 1025, 1031, 5000] {
            // Wherever in a cache line it begins.
            for start in 1..=8 {
                let words: Vec<AtomicU64> = (0..start + count + 1).map(|_| AtomicU64::new(7)).collect();
                let bytes: Vec<[u8; 8]> = (0..count as u64).map(|n| (n * 0x0123_4567_89ab).to_ne_bytes()).collect();
                store(&words[start..start + count], &bytes);
                let mut back = vec![[0; 8]; count];
                load(&words[start..start + count], &mut back);
                assert_eq!(back, bytes);
                let beside = [&words[start - 1], &words[start + count]].map(|word| word.load(Ordering::Relaxed));
                assert_eq!(beside, [7, 7], "nothing is written beside it");
            }
        }
    }
}
