//! The 64 rounds of one stream in the integer unit, hand-scheduled (FIPS 180-4, section 6.2.2, step 3).
//!
//! 24 instructions a round: `rorx` rotates into another register, Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b takes b ^ c
//! over from the round before, Ch(e, f, g) = ((f ^ g) & e) ^ g, and registers are renamed, not moved. Their order was
//! found by a search over the orders that the data flow allows, timed on a Golden Cove core; the order that compilers
//! choose takes a fifth longer.

use crate::kernels::hash::constants::State;
use std::arch::naked_asm;

/// Schedule words plus round constants of up to 16 blocks: row t holds those of round t, one column a block.
#[repr(align(64))]
pub(super) struct Ahead(pub(super) [[u32; 16]; 64]);

impl Ahead {
    /// All zero.
    pub(super) const fn new() -> Self {
        Self([[0; 16]; 64])
    }
}

/// Whether the CPU has what the rounds use.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("bmi2")
}

/// Runs the rounds of the first `blocks` columns, one after the other, and adds them to `state`.
///
/// # Panics
/// Without any block, or with more than 16.
#[inline]
#[target_feature(enable = "bmi2")]
pub(super) fn rounds(state: &mut State, ahead: &Ahead, blocks: usize) {
    assert!((1..=16).contains(&blocks), "a row has 16 columns");
    let first = ahead.0.as_ptr().cast::<u32>();
    // SAFETY: the code reads the first `blocks` words, at most 16, of each of the 64 rows, and reads and writes the
    // eight words of `state`; it uses BMI2, which this function asks for.
    unsafe { rounds_of_columns(state.as_mut_ptr(), first, first.wrapping_add(blocks)) };
}

/// One round: reads row `$row`, leaves the new a in the register of h and the new e in that of d. `$old` holds b ^ c,
/// `$new` comes to hold a ^ b.
macro_rules! round {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal,
     $new:literal $old:literal, $row:expr) => {
        concat!(
            "rorx r13d, ",
            $e,
            ", 11\n",
            "mov ",
            $new,
            ", ",
            $a,
            "\n",
            "mov ebp, ",
            $f,
            "\n",
            "rorx r12d, ",
            $e,
            ", 25\n",
            "add ",
            $h,
            ", dword ptr [rsi + 64 * ",
            $row,
            "]\n",
            "xor ebp, ",
            $g,
            "\n",
            "and ebp, ",
            $e,
            "\n",
            "xor ebp, ",
            $g,
            "\n",
            "xor r12d, r13d\n",
            "xor ",
            $new,
            ", ",
            $b,
            "\n",
            "rorx r13d, ",
            $e,
            ", 6\n",
            "add ",
            $h,
            ", ebp\n",
            "xor r12d, r13d\n",
            "rorx r13d, ",
            $a,
            ", 13\n",
            "and ",
            $old,
            ", ",
            $new,
            "\n",
            "add ",
            $h,
            ", r12d\n",
            "xor ",
            $old,
            ", ",
            $b,
            "\n",
            "rorx r12d, ",
            $a,
            ", 22\n",
            "xor r12d, r13d\n",
            "add ",
            $d,
            ", ",
            $h,
            "\n",
            "add ",
            $h,
            ", ",
            $old,
            "\n",
            "rorx r13d, ",
            $a,
            ", 2\n",
            "xor r12d, r13d\n",
            "add ",
            $h,
            ", r12d\n",
        )
    };
}

/// Eight rounds from row `$row` on, after which every register is in its place again.
macro_rules! eight_rounds {
    ($row:literal) => {
        concat!(
            round!("eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d", "r14d" "r15d", concat!("(", $row, " + 0)")),
            round!("r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d" "r10d", "r15d" "r14d", concat!("(", $row, " + 1)")),
            round!("r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d" "r9d", "r14d" "r15d", concat!("(", $row, " + 2)")),
            round!("r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx" "r8d", "r15d" "r14d", concat!("(", $row, " + 3)")),
            round!("r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx" "edx", "r14d" "r15d", concat!("(", $row, " + 4)")),
            round!("edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx" "ecx", "r15d" "r14d", concat!("(", $row, " + 5)")),
            round!("ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax" "ebx", "r14d" "r15d", concat!("(", $row, " + 6)")),
            round!("ebx" "ecx" "edx" "r8d" "r9d" "r10d" "r11d" "eax", "r15d" "r14d", concat!("(", $row, " + 7)")),
        )
    };
}

/// The rounds of the blocks whose columns lie from `column` up to `end`.
///
/// # Safety
/// `state` is valid for eight words; `column` is less than 16 words before `end` and, like every word up to there, can be
/// read at 64 places 64 bytes apart; the CPU has BMI2.
#[unsafe(naked)]
unsafe extern "sysv64" fn rounds_of_columns(state: *mut u32, column: *const u32, end: *const u32) {
    naked_asm!(
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15",
        // The loop's end stays on the stack: all registers are taken.
        "push rdx",
        "mov eax, [rdi]\nmov ebx, [rdi + 4]\nmov ecx, [rdi + 8]\nmov edx, [rdi + 12]",
        "mov r8d, [rdi + 16]\nmov r9d, [rdi + 20]\nmov r10d, [rdi + 24]\nmov r11d, [rdi + 28]",
        ".p2align 6\n2:",
        "mov r15d, ebx\nxor r15d, ecx",
        eight_rounds!("0"),
        eight_rounds!("8"),
        eight_rounds!("16"),
        eight_rounds!("24"),
        eight_rounds!("32"),
        eight_rounds!("40"),
        eight_rounds!("48"),
        eight_rounds!("56"),
        "add eax, [rdi]\nmov [rdi], eax\nadd ebx, [rdi + 4]\nmov [rdi + 4], ebx",
        "add ecx, [rdi + 8]\nmov [rdi + 8], ecx\nadd edx, [rdi + 12]\nmov [rdi + 12], edx",
        "add r8d, [rdi + 16]\nmov [rdi + 16], r8d\nadd r9d, [rdi + 20]\nmov [rdi + 20], r9d",
        "add r10d, [rdi + 24]\nmov [rdi + 24], r10d\nadd r11d, [rdi + 28]\nmov [rdi + 28], r11d",
        "add rsi, 4\ncmp rsi, [rsp]\njb 2b",
        "pop rdx\npop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx",
        "ret",
    )
}
