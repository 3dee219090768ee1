//! The 64 rounds of one stream in the integer unit, hand-scheduled (FIPS 180-4, section 6.2.2, step 3).
//!
//! 24 instructions a round: `rorx` rotates into another register, Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b takes b ^ c
//! over from the round before, Ch(e, f, g) = ((f ^ g) & e) ^ g, and registers are renamed, not moved. Their order was
//! found by a search over the orders that the data flow allows, timed on a Golden Cove core; the order that compilers
//! choose takes a fifth longer.

use crate::kernels::hash::constants::{K, State};
use std::arch::naked_asm;

/// Blocks whose schedules are made together.
pub(super) const COLUMNS: usize = 8;

/// The schedules of eight blocks: row t holds, one column a block, their words of round t plus the round's constant,
/// and after them the constant itself.
#[repr(align(64))]
pub(super) struct Ahead(pub(super) [[u32; 16]; 64]);

impl Ahead {
    /// Constants alone.
    pub(super) const fn new() -> Self {
        let mut rows = [[0; 16]; 64];
        let mut t = 0;
        while t < 64 {
            rows[t][COLUMNS] = K[t];
            t += 1;
        }
        Self(rows)
    }
}

/// Whether the CPU has what the rounds use.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("bmi2")
}

/// Runs the rounds of the first `blocks` columns, one after the other, and adds them to `state`.
///
/// # Panics
/// Without any block, or with more than eight.
#[inline]
#[target_feature(enable = "bmi2")]
pub(super) fn rounds(state: &mut State, ahead: &Ahead, blocks: usize) {
    assert!((1..=COLUMNS).contains(&blocks), "a row has eight columns");
    let first = ahead.0.as_ptr().cast::<u32>();
    // SAFETY: the code reads the first `blocks` words, at most eight, of each of the 64 rows, and reads and writes the
    // eight words of `state`; it uses BMI2, which this function asks for.
    unsafe { rounds_of_columns(state.as_mut_ptr(), first, first.wrapping_add(blocks)) };
}

/// One round: reads row `$row`, leaves the new a in the register of h and the new e in that of d. `$old` holds b ^ c,
/// `$new` comes to hold a ^ b. `$gaps` names a macro that gives other work for gaps 1 to 4.
#[rustfmt::skip]
macro_rules! round {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal,
     $new:literal $old:literal, $gaps:ident $row:tt) => {
        concat!(
            "rorx r13d, ", $e, ", 11\n",
            "mov ", $new, ", ", $a, "\n",
            "mov ebp, ", $f, "\n",
            "rorx r12d, ", $e, ", 25\n",
            "add ", $h, ", dword ptr [rsi + 64 * ", $row, "]\n",
            $gaps!(1, $row),
            "xor ebp, ", $g, "\n",
            "and ebp, ", $e, "\n",
            "xor ebp, ", $g, "\n",
            "xor r12d, r13d\n",
            "xor ", $new, ", ", $b, "\n",
            $gaps!(2, $row),
            "rorx r13d, ", $e, ", 6\n",
            "add ", $h, ", ebp\n",
            "xor r12d, r13d\n",
            "rorx r13d, ", $a, ", 13\n",
            "and ", $old, ", ", $new, "\n",
            "add ", $h, ", r12d\n",
            $gaps!(3, $row),
            "xor ", $old, ", ", $b, "\n",
            "rorx r12d, ", $a, ", 22\n",
            "xor r12d, r13d\n",
            "add ", $d, ", ", $h, "\n",
            $gaps!(4, $row),
            "add ", $h, ", ", $old, "\n",
            "rorx r13d, ", $a, ", 2\n",
            "xor r12d, r13d\n",
            "add ", $h, ", r12d\n",
        )
    };
}

/// Sixteen rounds, after which every register is in its place again.
#[rustfmt::skip]
macro_rules! sixteen_rounds {
    ($gaps:ident) => {
        concat!(
            round!("eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d", "r14d" "r15d", $gaps 0),
            round!("r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d", "r15d" "r14d", $gaps 1),
            round!("r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d", "r14d" "r15d", $gaps 2),
            round!("r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d", "r15d" "r14d", $gaps 3),
            round!("r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx", "r14d" "r15d", $gaps 4),
            round!("edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx", "r15d" "r14d", $gaps 5),
            round!("ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx", "r14d" "r15d", $gaps 6),
            round!("ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax", "r15d" "r14d", $gaps 7),
            round!("eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d", "r14d" "r15d", $gaps 8),
            round!("r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d", "r15d" "r14d", $gaps 9),
            round!("r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d", "r14d" "r15d", $gaps 10),
            round!("r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d", "r15d" "r14d", $gaps 11),
            round!("r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx", "r14d" "r15d", $gaps 12),
            round!("edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx", "r15d" "r14d", $gaps 13),
            round!("ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx", "r14d" "r15d", $gaps 14),
            round!("ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax", "r15d" "r14d", $gaps 15),
        )
    };
}

/// No other work.
macro_rules! nothing {
    ($gap:literal, $round:literal) => {
        ""
    };
}

/// Adds the chaining value at rbp to the registers and puts the sum in its place.
macro_rules! add_state {
    () => {
        concat!(
            "add eax, [rbp + 0]\nmov [rbp + 0], eax\n",
            "add ebx, [rbp + 4]\nmov [rbp + 4], ebx\n",
            "add ecx, [rbp + 8]\nmov [rbp + 8], ecx\n",
            "add edx, [rbp + 12]\nmov [rbp + 12], edx\n",
            "add r8d, [rbp + 16]\nmov [rbp + 16], r8d\n",
            "add r9d, [rbp + 20]\nmov [rbp + 20], r9d\n",
            "add r10d, [rbp + 24]\nmov [rbp + 24], r10d\n",
            "add r11d, [rbp + 28]\nmov [rbp + 28], r11d\n",
        )
    };
}

/// Loads the chaining value at rdi.
macro_rules! load_state {
    () => {
        concat!(
            "mov eax, [rdi + 0]\n",
            "mov ebx, [rdi + 4]\n",
            "mov ecx, [rdi + 8]\n",
            "mov edx, [rdi + 12]\n",
            "mov r8d, [rdi + 16]\n",
            "mov r9d, [rdi + 20]\n",
            "mov r10d, [rdi + 24]\n",
            "mov r11d, [rdi + 28]\n",
        )
    };
}

pub(super) use {add_state, load_state, nothing, round, sixteen_rounds};

/// The rounds of the blocks whose columns lie from `column` up to `end`.
///
/// # Safety
/// `state` is valid for eight words; `column` is less than eight words before `end` and, like every word up to there, can be
/// read at 64 places 64 bytes apart; the CPU has BMI2.
#[unsafe(naked)]
unsafe extern "sysv64" fn rounds_of_columns(state: *mut u32, column: *const u32, end: *const u32) {
    naked_asm!(
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15",
        // All registers are taken: the end and the state's place stay on the stack.
        "push rdx\npush rdi",
        load_state!(),
        ".p2align 6\n2:",
        "mov r15d, ebx\nxor r15d, ecx",
        "mov edi, 4",
        // Sixteen rounds four times, and not all 64, to stay in small caches of decoded instructions.
        ".p2align 6\n3:",
        sixteen_rounds!(nothing),
        "add rsi, 64 * 16\ndec edi\njnz 3b",
        "mov rbp, [rsp]",
        add_state!(),
        "sub rsi, 64 * 64 - 4\ncmp rsi, [rsp + 8]\njb 2b",
        "pop rdi\npop rdx\npop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx",
        "ret",
    )
}
