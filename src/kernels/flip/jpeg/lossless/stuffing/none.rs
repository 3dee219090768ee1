//! For CPUs that cannot spread a register's bytes.
#![forbid(unsafe_code)]

/// Takes nothing.
pub(super) fn stuff(_: &[u8], _: &mut Vec<u8>) -> usize {
    0
}

/// Takes nothing.
pub(super) fn unstuff(_: &[u8], _: usize, _: &mut Vec<u8>) -> usize {
    0
}
