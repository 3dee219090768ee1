//! Rounds of one stream with the next blocks' schedule in their gaps (AVX-512VL beside BMI2).
//!
//! The rounds wait on each other and leave the vector unit idle. Eight blocks' schedule is 48 steps; they ride along in
//! the first 48 rounds of the eight blocks before.

use super::scalar::{Ahead, add_state, load_state, nothing, round, sixteen_rounds};
use crate::kernels::hash::constants::State;
use std::arch::naked_asm;

/// Runs the rounds of all eight columns of `current` and adds them to `state`. Meanwhile finishes `next`, whose first 16
/// rows hold the blocks' own words, without constants.
#[inline]
#[target_feature(enable = "bmi2,avx512f,avx512vl")]
pub(super) fn rounds(state: &mut State, current: &Ahead, next: &mut Ahead) {
    // SAFETY: the code reads and writes the eight words of `state`, reads the 64 rows of `current` and reads and writes
    // those of `next`, which is another; it uses the instructions this function asks for.
    unsafe { rounds_and_schedule(state.as_mut_ptr(), current.0.as_ptr().cast(), next.0.as_mut_ptr().cast()) };
}

/// One step of the schedule: register `$w` holds word t - 16 and comes to hold word t, `$w1`, `$w9` and `$w14` hold words
/// t - 15, t - 7 and t - 2. Row `$row` after rdi gets the sum with the constant.
#[rustfmt::skip]
macro_rules! step {
    (1, $w:literal $w1:literal $w9:literal $w14:literal $row:literal) => {
        concat!(
            "vprord ymm0, ymm", $w1, ", 7\n",
            "vprord ymm1, ymm", $w1, ", 18\n",
            "vpsrld ymm2, ymm", $w1, ", 3\n",
            "vpternlogd ymm0, ymm1, ymm2, 0x96\n",
        )
    };
    (2, $w:literal $w1:literal $w9:literal $w14:literal $row:literal) => {
        concat!(
            "vprord ymm1, ymm", $w14, ", 17\n",
            "vprord ymm2, ymm", $w14, ", 19\n",
            "vpsrld ymm3, ymm", $w14, ", 10\n",
            "vpternlogd ymm1, ymm2, ymm3, 0x96\n",
        )
    };
    (3, $w:literal $w1:literal $w9:literal $w14:literal $row:literal) => {
        concat!(
            "vpaddd ymm", $w, ", ymm", $w, ", ymm", $w9, "\n",
            "vpaddd ymm0, ymm0, ymm1\n",
            "vpaddd ymm", $w, ", ymm", $w, ", ymm0\n",
        )
    };
    (4, $w:literal $w1:literal $w9:literal $w14:literal $row:literal) => {
        concat!(
            "vpaddd ymm0, ymm", $w, ", dword ptr [rdi + 64 * ", $row, " + 32]{{1to8}}\n",
            "vmovdqu [rdi + 64 * ", $row, "], ymm0\n",
        )
    };
}

/// The step that rides along in a round, in four parts: word t lives in register 16 + t % 16.
#[rustfmt::skip]
macro_rules! schedule {
    ($gap:tt, 0) => { step!($gap, 16 17 25 30 16) };
    ($gap:tt, 1) => { step!($gap, 17 18 26 31 17) };
    ($gap:tt, 2) => { step!($gap, 18 19 27 16 18) };
    ($gap:tt, 3) => { step!($gap, 19 20 28 17 19) };
    ($gap:tt, 4) => { step!($gap, 20 21 29 18 20) };
    ($gap:tt, 5) => { step!($gap, 21 22 30 19 21) };
    ($gap:tt, 6) => { step!($gap, 22 23 31 20 22) };
    ($gap:tt, 7) => { step!($gap, 23 24 16 21 23) };
    ($gap:tt, 8) => { step!($gap, 24 25 17 22 24) };
    ($gap:tt, 9) => { step!($gap, 25 26 18 23 25) };
    ($gap:tt, 10) => { step!($gap, 26 27 19 24 26) };
    ($gap:tt, 11) => { step!($gap, 27 28 20 25 27) };
    ($gap:tt, 12) => { step!($gap, 28 29 21 26 28) };
    ($gap:tt, 13) => { step!($gap, 29 30 22 27 29) };
    ($gap:tt, 14) => { step!($gap, 30 31 23 28 30) };
    ($gap:tt, 15) => { step!($gap, 31 16 24 29 31) };
}

/// The first words of the next blocks: into register `$w`, and with the constant back into row `$row`.
#[rustfmt::skip]
macro_rules! first_word {
    ($w:literal $row:literal) => {
        concat!(
            "vmovdqu32 ymm", $w, ", [rdi + 64 * ", $row, "]\n",
            "vpaddd ymm0, ymm", $w, ", dword ptr [rdi + 64 * ", $row, " + 32]{{1to8}}\n",
            "vmovdqu [rdi + 64 * ", $row, "], ymm0\n",
        )
    };
}

/// The rounds of eight blocks and the schedule of the next eight.
///
/// # Safety
/// `state` is valid for eight words, `current` and `next` for the words of an [`Ahead`] each, not the same; the CPU has
/// BMI2 and AVX-512VL.
#[unsafe(naked)]
unsafe extern "sysv64" fn rounds_and_schedule(state: *mut u32, current: *const u32, next: *mut u32) {
    naked_asm!(
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15",
        // All registers are taken: where columns end, where the state lies and where the schedule ends stay on the stack.
        "lea rax, [rsi + 32]\npush rax\npush rdi\nlea rax, [rdx + 64 * 48]\npush rax",
        "mov r15, rdx",
        load_state!(),
        "mov rdi, r15",
        first_word!(16 0),
        first_word!(17 1),
        first_word!(18 2),
        first_word!(19 3),
        first_word!(20 4),
        first_word!(21 5),
        first_word!(22 6),
        first_word!(23 7),
        first_word!(24 8),
        first_word!(25 9),
        first_word!(26 10),
        first_word!(27 11),
        first_word!(28 12),
        first_word!(29 13),
        first_word!(30 14),
        first_word!(31 15),
        "mov r15d, ebx\nxor r15d, ecx",
        // The first block: 48 rounds with a step each.
        ".p2align 6\n2:",
        sixteen_rounds!(schedule),
        "add rsi, 64 * 16\nadd rdi, 64 * 16\ncmp rdi, [rsp]\njb 2b",
        // Its last 16 rounds, then 64 for each other block.
        "mov edi, 1\njmp 4f",
        ".p2align 6\n3:",
        "mov r15d, ebx\nxor r15d, ecx",
        "mov edi, 4",
        ".p2align 6\n4:",
        sixteen_rounds!(nothing),
        "add rsi, 64 * 16\ndec edi\njnz 4b",
        "mov rbp, [rsp + 8]",
        add_state!(),
        "sub rsi, 64 * 64 - 4\ncmp rsi, [rsp + 16]\njb 3b",
        "add rsp, 24",
        "pop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx",
        "ret",
    )
}
