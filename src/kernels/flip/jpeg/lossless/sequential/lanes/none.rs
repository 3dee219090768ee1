//! For CPUs that cannot walk in many lanes.
#![forbid(unsafe_code)]

use super::LOG_ROOM;
use super::state::{Lanes, Nodes, Stop};

/// Whether the CPU can.
pub(super) fn is_available() -> bool {
    false
}

/// Is never called.
pub(super) fn walk(_: &mut Lanes, _: &Nodes, _: u64, _: &[u64], _: &mut [u8], _: &mut [u64; LOG_ROOM]) -> Stop {
    unreachable!("nothing is available")
}
