//! The frame of a gzip member (RFC 1952, section 2.3): header before the deflate data, checksum and length after.

use super::Level;

/// The ten bytes before the deflate data.
///
/// No name, no time and operating system "unknown": the same input gives the same bytes on every machine and day.
pub(super) fn header(level: Level) -> [u8; 10] {
    // XFL (section 2.3.1): 4 for the fastest algorithm, 2 for the most thorough.
    let extra_flags = match level.get() {
        0 | 1 => 4,
        2..=7 => 0,
        _ => 2,
    };
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra_flags, 255]
}

/// The eight bytes after it: CRC-32 of the input, and its length modulo 2^32, both little-endian.
pub(super) fn trailer(crc: u32, length: u64) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    bytes[4..].copy_from_slice(&(length as u32).to_le_bytes());
    bytes
}
