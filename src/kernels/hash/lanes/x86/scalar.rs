//! The 64 rounds of one stream in the integer unit, hand-scheduled (FIPS 180-4, section 6.2.2, step 3).
//!
//! Two sums keep the chain from one round to the next at four cycles: e' = (d + h + K + W + Ch) + Sum1(e), where all
//! but Sum1 and Ch is ready rounds before, and a' = (e' + (Maj - d)) + Sum0(a), which spares T1 a register. Renaming
//! instead of moving returns every register to its place after four rounds. `rorx` rotates into another register and
//! leaves the flags alone; Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b takes b ^ c over from the round before.

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
    is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
}

/// Runs the rounds of the first `blocks` columns, one after the other, and adds them to `state`.
///
/// # Panics
/// With more than 16 blocks.
#[inline]
#[target_feature(enable = "bmi1,bmi2")]
pub(super) fn rounds(state: &mut State, ahead: &Ahead, blocks: usize) {
    assert!(blocks <= 16, "a row has 16 columns");
    for column in 0..blocks {
        // SAFETY: the code reads word `column` of each of the 64 rows, the last at 63 * 16 + column < 64 * 16, and
        // reads and writes the eight words of `state`; it uses BMI2, which this function asks for.
        unsafe { rounds_of_block(state.as_mut_ptr(), ahead.0.as_ptr().cast::<u32>().wrapping_add(column)) };
    }
}

/// One round. `$a` to `$d` name 32-bit registers; e to h, and the two that hand b ^ c on, are given by number.
/// The next round's `$next` row is added to its h already here.
macro_rules! round {
    ($a:literal $b:literal $c:literal $d:literal, $e:literal $f:literal $g:literal $h:literal,
     $new:literal $old:literal, $next:expr) => {
        concat!(
            "rorx r12d, r",
            $e,
            "d, 25\n",
            "rorx r13d, r",
            $e,
            "d, 11\n",
            "mov ebp, r",
            $f,
            "d\n",
            "xor r12d, r13d\n",
            "xor ebp, r",
            $g,
            "d\n",
            "rorx r13d, r",
            $e,
            "d, 6\n",
            "and ebp, r",
            $e,
            "d\n",
            "xor r12d, r13d\n",
            "xor ebp, r",
            $g,
            "d\n",
            "add r",
            $h,
            "d, ebp\n",
            "add r",
            $h,
            "d, r12d\n",
            "mov r",
            $new,
            "d, ",
            $a,
            "\n",
            "xor r",
            $new,
            "d, ",
            $b,
            "\n",
            "and r",
            $old,
            "d, r",
            $new,
            "d\n",
            "xor r",
            $old,
            "d, ",
            $b,
            "\n",
            "sub r",
            $old,
            "d, ",
            $d,
            "\n",
            $next,
            "lea ",
            $d,
            ", [r",
            $h,
            " + r",
            $old,
            "]\n",
            "rorx r12d, ",
            $a,
            ", 22\n",
            "rorx r13d, ",
            $a,
            ", 13\n",
            "xor r12d, r13d\n",
            "rorx r13d, ",
            $a,
            ", 2\n",
            "xor r12d, r13d\n",
            "add ",
            $d,
            ", r12d\n",
        )
    };
}

/// The part of the next round that waits for nothing: its d, constant and schedule word go into its h.
macro_rules! next {
    ($d:literal, $h:literal, $row:literal) => {
        concat!("add r", $h, "d, dword ptr [rsi + 64 * ", $row, "]\n", "add r", $h, "d, ", $d, "\n")
    };
}

/// Four rounds, after which each register is in its place again; `$last` is what the fourth adds for the fifth.
macro_rules! four_rounds {
    ($r1:literal $r2:literal $r3:literal, $last:expr) => {
        concat!(
            round!("eax" "ebx" "ecx" "edx", "8" "9" "10" "11", "14" "15", next!("ecx", "10", $r1)),
            round!("edx" "eax" "ebx" "ecx", "11" "8" "9" "10", "15" "14", next!("ebx", "9", $r2)),
            round!("ecx" "edx" "eax" "ebx", "10" "11" "8" "9", "14" "15", next!("eax", "8", $r3)),
            round!("ebx" "ecx" "edx" "eax", "9" "10" "11" "8", "15" "14", $last),
        )
    };
    ($r1:literal $r2:literal $r3:literal $r4:literal) => {
        four_rounds!($r1 $r2 $r3, next!("edx", "11", $r4))
    };
}

/// The rounds of one block.
///
/// # Safety
/// `state` is valid for eight words, `ahead` for reads of one word at each of 64 places 64 bytes apart, and the CPU
/// has BMI2.
#[unsafe(naked)]
unsafe extern "sysv64" fn rounds_of_block(state: *mut u32, ahead: *const u32) {
    naked_asm!(
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15",
        "mov eax, [rdi]\nmov ebx, [rdi + 4]\nmov ecx, [rdi + 8]\nmov edx, [rdi + 12]",
        "mov r8d, [rdi + 16]\nmov r9d, [rdi + 20]\nmov r10d, [rdi + 24]\nmov r11d, [rdi + 28]",
        "mov r15d, ebx\nxor r15d, ecx",
        next!("edx", "11", "0"),
        four_rounds!("1" "2" "3" "4"),
        four_rounds!("5" "6" "7" "8"),
        four_rounds!("9" "10" "11" "12"),
        four_rounds!("13" "14" "15" "16"),
        four_rounds!("17" "18" "19" "20"),
        four_rounds!("21" "22" "23" "24"),
        four_rounds!("25" "26" "27" "28"),
        four_rounds!("29" "30" "31" "32"),
        four_rounds!("33" "34" "35" "36"),
        four_rounds!("37" "38" "39" "40"),
        four_rounds!("41" "42" "43" "44"),
        four_rounds!("45" "46" "47" "48"),
        four_rounds!("49" "50" "51" "52"),
        four_rounds!("53" "54" "55" "56"),
        four_rounds!("57" "58" "59" "60"),
        four_rounds!("61" "62" "63", ""),
        "add [rdi], eax\nadd [rdi + 4], ebx\nadd [rdi + 8], ecx\nadd [rdi + 12], edx",
        "add [rdi + 16], r8d\nadd [rdi + 20], r9d\nadd [rdi + 24], r10d\nadd [rdi + 28], r11d",
        "pop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx",
        "ret",
    )
}
