//! AVX-512: 16 messages at once, one to each 32-bit element of a 512-bit register.
//!
//! Two ports take 512-bit operations, and only one of them rotations, only the other one permutations. 64 rounds with
//! their schedule are 1,616 operations, a block's transposition is 80 more: 848 cycles at best, which this comes within
//! a hundredth of. Compiled intrinsics took 15% longer: they spill, lengthen the chain of additions between rounds, and
//! leave one port idle while a block is transposed. Here that happens beside the last twelve rounds of the block before,
//! which have no schedule, and beside the first four, before the schedule begins.

use crate::kernels::hash::backend::Backend;
use crate::kernels::hash::constants::{BLOCK, K};
use crate::kernels::hash::lanes::{Common, Inputs, Kernel, States};
use std::arch::naked_asm;
use std::mem::MaybeUninit;

const LANES: usize = 16;

/// The kernel, where the CPU has AVX-512F and AVX-512BW.
pub(in crate::kernels::hash) fn kernel() -> Option<Kernel> {
    Backend::Avx512.is_available().then_some(Kernel::new(LANES, run).with_common(run_common))
}

/// What the assembly reads beside the messages.
#[repr(C, align(64))]
struct Tables {
    /// For each byte of a vector the one that takes its place in the CPU's byte order, within quarters.
    swap: [u8; 64],
    constants: [u32; 64],
}

static TABLES: Tables = Tables { swap: swap(), constants: K };

const fn swap() -> [u8; 64] {
    let mut order = [0; 64];
    let mut at = 0;
    while at < order.len() {
        order[at] = ((at % 16) ^ 3) as u8;
        at += 1;
    }
    order
}

/// One block of every lane, on its way from rows to words: see `gather!`.
#[repr(align(64))]
struct Quarters(MaybeUninit<[u8; LANES * BLOCK]>);

fn run(states: &mut States, inputs: &Inputs, blocks: usize) {
    if blocks == 0 {
        return;
    }
    let inputs = inputs.map(|input| input.as_ptr().cast());
    let mut quarters = Quarters(MaybeUninit::uninit());
    let states = states.0.as_mut_ptr().cast();
    // SAFETY: `run` is reached only through the kernel, which exists only where the CPU has these features, and every
    // input has `blocks` blocks, at least one. States and tables are aligned to 64 bytes and as large as is asked for.
    unsafe { compress(states, inputs.as_ptr(), blocks, &raw const TABLES, quarters.0.as_mut_ptr().cast()) }
}

fn run_common(states: &mut States, common: &Common) {
    // SAFETY: as for `run`; there are 64 sums.
    unsafe { compress_common(states.0.as_mut_ptr().cast(), common.sums.as_ptr()) }
}

/// A round: the registers of a to h, and where in memory what it adds is, at `$at` + `$k`.
#[rustfmt::skip]
macro_rules! sum {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal, $at:literal $k:literal) => {
        concat!(
            "vprord zmm9, zmm", $e, ", 6\n",
            "vprord zmm10, zmm", $e, ", 11\n",
            "vmovdqa64 zmm8, zmm", $e, "\n",
            "vpternlogd zmm8, zmm", $f, ", zmm", $g, ", 0xca\n",
            "vprord zmm11, zmm", $e, ", 25\n",
            "vpaddd zmm", $h, ", zmm", $h, ", dword ptr [", $at, $k, "]{{1to16}}\n",
            "vpternlogd zmm9, zmm10, zmm11, 0x96\n",
            "vpaddd zmm", $h, ", zmm", $h, ", zmm8\n",
            "vmovdqa64 zmm8, zmm", $a, "\n",
            "vprord zmm10, zmm", $a, ", 2\n",
            "vpaddd zmm", $h, ", zmm", $h, ", zmm9\n",
            "vprord zmm11, zmm", $a, ", 13\n",
            "vpternlogd zmm8, zmm", $b, ", zmm", $c, ", 0xe8\n",
            "vpaddd zmm", $d, ", zmm", $d, ", zmm", $h, "\n",
            "vprord zmm9, zmm", $a, ", 22\n",
            "vpaddd zmm", $h, ", zmm", $h, ", zmm8\n",
            "vpternlogd zmm10, zmm11, zmm9, 0x96\n",
            "vpaddd zmm", $h, ", zmm", $h, ", zmm10\n",
        )
    };
}

/// A round that also adds the schedule's word in register `$w`; `$k` is the constant's place after rdx + 16.
#[rustfmt::skip]
macro_rules! round {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal, $w:literal $k:literal) => {
        concat!(
            "vpaddd zmm", $h, ", zmm", $h, ", zmm", $w, "\n",
            sum!($a $b $c $d $e $f $g $h, "rdx + 16 + 4 * " $k),
        )
    };
}

/// One round, and one step of the schedule: register `$w` holds word t - 16 and comes to hold word t, `$w1`, `$w9` and
/// `$w14` hold words t - 15, t - 7 and t - 2.
#[rustfmt::skip]
macro_rules! step {
    (
        $a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal, $word:literal $k:literal,
        $w:literal $w1:literal $w9:literal $w14:literal
    ) => {
        concat!(
            round!($a $b $c $d $e $f $g $h, $word $k),
            "vprord zmm12, zmm", $w1, ", 7\n",
            "vpaddd zmm", $w, ", zmm", $w, ", zmm", $w9, "\n",
            "vprord zmm13, zmm", $w1, ", 18\n",
            "vpsrld zmm14, zmm", $w1, ", 3\n",
            "vpternlogd zmm12, zmm13, zmm14, 0x96\n",
            "vprord zmm13, zmm", $w14, ", 17\n",
            "vprord zmm14, zmm", $w14, ", 19\n",
            "vpaddd zmm", $w, ", zmm", $w, ", zmm12\n",
            "vpsrld zmm15, zmm", $w14, ", 10\n",
            "vpternlogd zmm13, zmm14, zmm15, 0x96\n",
            "vpaddd zmm", $w, ", zmm", $w, ", zmm13\n",
        )
    };
}

/// The first half of transposing a block: of lanes `$i`, 4 + `$i`, 8 + `$i` and 12 + `$i`, quarter q of each goes to row
/// 4 q + `$i` at r8. Changes registers 12 to 16.
#[rustfmt::skip]
macro_rules! gather {
    ($i:literal) => {
        concat!(
            "mov rax, [rsi + 8 * ", $i, "]\nvmovdqu64 zmm12, [rax + rcx]\nvpshufb zmm12, zmm12, [r9]\n",
            "mov rax, [rsi + 8 * ", $i, " + 32]\nvmovdqu64 zmm13, [rax + rcx]\nvpshufb zmm13, zmm13, [r9]\n",
            "mov rax, [rsi + 8 * ", $i, " + 64]\nvmovdqu64 zmm14, [rax + rcx]\nvpshufb zmm14, zmm14, [r9]\n",
            "mov rax, [rsi + 8 * ", $i, " + 96]\nvmovdqu64 zmm15, [rax + rcx]\nvpshufb zmm15, zmm15, [r9]\n",
            "vshufi32x4 zmm16, zmm12, zmm13, 0x44\n",
            "vshufi32x4 zmm12, zmm12, zmm13, 0xee\n",
            "vshufi32x4 zmm13, zmm14, zmm15, 0x44\n",
            "vshufi32x4 zmm14, zmm14, zmm15, 0xee\n",
            "vshufi32x4 zmm15, zmm16, zmm13, 0x88\nvmovdqa64 [r8 + 64 * ", $i, "], zmm15\n",
            "vshufi32x4 zmm16, zmm16, zmm13, 0xdd\nvmovdqa64 [r8 + 64 * ", $i, " + 256], zmm16\n",
            "vshufi32x4 zmm15, zmm12, zmm14, 0x88\nvmovdqa64 [r8 + 64 * ", $i, " + 512], zmm15\n",
            "vshufi32x4 zmm12, zmm12, zmm14, 0xdd\nvmovdqa64 [r8 + 64 * ", $i, " + 768], zmm12\n",
        )
    };
}

/// The second half: words `$t` to `$t` + 3 of all lanes into four registers. Changes registers 12 to 15.
#[rustfmt::skip]
macro_rules! words {
    ($t:literal $w0:literal $w1:literal $w2:literal $w3:literal) => {
        concat!(
            "vmovdqa64 zmm12, [r8 + 64 * ", $t, "]\n",
            "vpunpckldq zmm13, zmm12, [r8 + 64 * ", $t, " + 64]\n",
            "vpunpckhdq zmm12, zmm12, [r8 + 64 * ", $t, " + 64]\n",
            "vmovdqa64 zmm14, [r8 + 64 * ", $t, " + 128]\n",
            "vpunpckldq zmm15, zmm14, [r8 + 64 * ", $t, " + 192]\n",
            "vpunpckhdq zmm14, zmm14, [r8 + 64 * ", $t, " + 192]\n",
            "vpunpcklqdq zmm", $w0, ", zmm13, zmm15\n",
            "vpunpckhqdq zmm", $w1, ", zmm13, zmm15\n",
            "vpunpcklqdq zmm", $w2, ", zmm12, zmm14\n",
            "vpunpckhqdq zmm", $w3, ", zmm12, zmm14\n",
        )
    };
}

/// The rows `$i` of the state after a block.
#[rustfmt::skip]
macro_rules! add_rows {
    ($($i:literal)*) => {
        concat!($("vpaddd zmm", $i, ", zmm", $i, ", [rdi + 64 * ", $i, "]\nvmovdqa64 [rdi + 64 * ", $i, "], zmm", $i, "\n"),*)
    };
}

/// Compresses `blocks` blocks of each of 16 inputs into `states`, eight rows of 16 words. Word t of the schedule lives in
/// register 16 + t % 16, the state in registers 0 to 7, its names changing place with every round.
///
/// # Safety
/// `blocks` is at least 1. `states` is valid for 512 bytes, `inputs` for 16 pointers, each of them valid for `blocks`
/// blocks, `quarters` for 1,024 bytes; `states`, `tables` and `quarters` are aligned to 64. The CPU has AVX-512F and
/// AVX-512BW.
#[unsafe(naked)]
unsafe extern "sysv64" fn compress(
    states: *mut u32,
    inputs: *const *const u8,
    blocks: usize,
    tables: *const Tables,
    quarters: *mut u8,
) {
    naked_asm!(
        // rdi states, rsi inputs, r10 blocks left, r9 swap, rdx constants, rcx offset of the block gathered last.
        "mov r10, rdx\nmov r9, rcx\nlea rdx, [rcx + 64]\nxor ecx, ecx",
        "vmovdqa64 zmm0, [rdi]\nvmovdqa64 zmm1, [rdi + 64]\nvmovdqa64 zmm2, [rdi + 128]\nvmovdqa64 zmm3, [rdi + 192]",
        "vmovdqa64 zmm4, [rdi + 256]\nvmovdqa64 zmm5, [rdi + 320]\nvmovdqa64 zmm6, [rdi + 384]\nvmovdqa64 zmm7, [rdi + 448]",
        gather!(0),
        gather!(1),
        gather!(2),
        gather!(3),
        ".p2align 6\n2:",
        words!(0 16 17 18 19),
        words!(4 20 21 22 23),
        round!(0 1 2 3 4 5 6 7, 16 -4),
        words!(8 24 25 26 27),
        round!(7 0 1 2 3 4 5 6, 17 -3),
        words!(12 28 29 30 31),
        round!(6 7 0 1 2 3 4 5, 18 -2),
        round!(5 6 7 0 1 2 3 4, 19 -1),
        "mov eax, 3",
        ".p2align 6\n3:",
        step!(4 5 6 7 0 1 2 3, 20 0, 16 17 25 30),
        step!(3 4 5 6 7 0 1 2, 21 1, 17 18 26 31),
        step!(2 3 4 5 6 7 0 1, 22 2, 18 19 27 16),
        step!(1 2 3 4 5 6 7 0, 23 3, 19 20 28 17),
        step!(0 1 2 3 4 5 6 7, 24 4, 20 21 29 18),
        step!(7 0 1 2 3 4 5 6, 25 5, 21 22 30 19),
        step!(6 7 0 1 2 3 4 5, 26 6, 22 23 31 20),
        step!(5 6 7 0 1 2 3 4, 27 7, 23 24 16 21),
        step!(4 5 6 7 0 1 2 3, 28 8, 24 25 17 22),
        step!(3 4 5 6 7 0 1 2, 29 9, 25 26 18 23),
        step!(2 3 4 5 6 7 0 1, 30 10, 26 27 19 24),
        step!(1 2 3 4 5 6 7 0, 31 11, 27 28 20 25),
        step!(0 1 2 3 4 5 6 7, 16 12, 28 29 21 26),
        step!(7 0 1 2 3 4 5 6, 17 13, 29 30 22 27),
        step!(6 7 0 1 2 3 4 5, 18 14, 30 31 23 28),
        step!(5 6 7 0 1 2 3 4, 19 15, 31 16 24 29),
        "add rdx, 64\ndec eax\njnz 3b",
        // The last block is gathered once more in place of the one behind it, and not used.
        "lea rax, [rcx + 64]\ncmp r10, 1\ncmovne rcx, rax",
        gather!(0),
        round!(4 5 6 7 0 1 2 3, 20 0),
        round!(3 4 5 6 7 0 1 2, 21 1),
        round!(2 3 4 5 6 7 0 1, 22 2),
        gather!(1),
        round!(1 2 3 4 5 6 7 0, 23 3),
        round!(0 1 2 3 4 5 6 7, 24 4),
        round!(7 0 1 2 3 4 5 6, 25 5),
        gather!(2),
        round!(6 7 0 1 2 3 4 5, 26 6),
        round!(5 6 7 0 1 2 3 4, 27 7),
        round!(4 5 6 7 0 1 2 3, 28 8),
        gather!(3),
        round!(3 4 5 6 7 0 1 2, 29 9),
        round!(2 3 4 5 6 7 0 1, 30 10),
        round!(1 2 3 4 5 6 7 0, 31 11),
        "sub rdx, 192",
        add_rows!(0 1 2 3 4 5 6 7),
        "dec r10\njnz 2b",
        "vzeroupper",
        "ret",
    )
}

/// Compresses one block that all 16 lanes share into `states`: no transposition and no schedule, so that 16 operations a
/// round are left of 25.
///
/// # Safety
/// `states` is valid for 512 bytes and aligned to 64, `sums` is valid for 64 words. The CPU has AVX-512F.
#[unsafe(naked)]
unsafe extern "sysv64" fn compress_common(states: *mut u32, sums: *const u32) {
    naked_asm!(
        "vmovdqa64 zmm0, [rdi]\nvmovdqa64 zmm1, [rdi + 64]\nvmovdqa64 zmm2, [rdi + 128]\nvmovdqa64 zmm3, [rdi + 192]",
        "vmovdqa64 zmm4, [rdi + 256]\nvmovdqa64 zmm5, [rdi + 320]\nvmovdqa64 zmm6, [rdi + 384]\nvmovdqa64 zmm7, [rdi + 448]",
        "mov eax, 8",
        ".p2align 6\n2:",
        sum!(0 1 2 3 4 5 6 7, "rsi + 4 * " 0),
        sum!(7 0 1 2 3 4 5 6, "rsi + 4 * " 1),
        sum!(6 7 0 1 2 3 4 5, "rsi + 4 * " 2),
        sum!(5 6 7 0 1 2 3 4, "rsi + 4 * " 3),
        sum!(4 5 6 7 0 1 2 3, "rsi + 4 * " 4),
        sum!(3 4 5 6 7 0 1 2, "rsi + 4 * " 5),
        sum!(2 3 4 5 6 7 0 1, "rsi + 4 * " 6),
        sum!(1 2 3 4 5 6 7 0, "rsi + 4 * " 7),
        "add rsi, 32\ndec eax\njnz 2b",
        add_rows!(0 1 2 3 4 5 6 7),
        "vzeroupper",
        "ret",
    )
}
