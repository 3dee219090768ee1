//! The zero behind each 0xFF of entropy-coded data (T.81 F.1.2.3), put in and taken out.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(not(target_arch = "x86_64"))]
#[path = "none.rs"]
mod avx512;

use super::entropy::find_ff;

/// Appends `bytes` to `out`, and a zero behind each 0xFF.
pub(super) fn stuff(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = &bytes[avx512::stuff(bytes, out)..];
    while let Some(at) = find_ff(rest) {
        out.extend_from_slice(&rest[..=at]);
        out.push(0);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Appends what `bytes` begins with, without the zero behind each 0xFF, as far as that goes quickly: until `room` bytes
/// or a few more are appended, or something else than such a zero, or the end, is near. Returns how many it took; what is
/// left does not begin with the zero of a 0xFF that was taken.
pub(super) fn unstuff(bytes: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
    avx512::unstuff(bytes, room, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes of which one in `rare` is 0xFF, on average.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        (1_u8..100).prop_flat_map(|rare| {
            proptest::collection::vec((0..rare, any::<u8>()), 0..2000)
                .prop_map(|all| all.into_iter().map(|(dice, byte)| if dice == 0 { 0xFF } else { byte }).collect())
        })
    }

    fn stuffed(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|&byte| std::iter::once(byte).chain((byte == 0xFF).then_some(0))).collect()
    }

    proptest! {
        #[test]
        fn stuffs_whatever_room_there_is(bytes in bytes(), capacity in 0_usize..5000) {
            let mut out = Vec::with_capacity(capacity);
            out.push(7);
            stuff(&bytes, &mut out);
            prop_assert_eq!(&out[1..], stuffed(&bytes));
        }

        #[test]
        fn unstuffs_up_to_a_marker(before in bytes(), behind in bytes(), marker in 1_u8.., room in 0_usize..3000) {
            let mut file = stuffed(&before);
            file.extend([0xFF, marker]);
            file.extend(stuffed(&behind));
            let mut out = vec![7];
            let taken = unstuff(&file, room, &mut out);
            let code = &out[1..];
            prop_assert!(code.len() < room + 64);
            prop_assert_eq!(code, &before[..code.len()]);
            prop_assert_eq!(taken, stuffed(code).len());
        }
    }
}
