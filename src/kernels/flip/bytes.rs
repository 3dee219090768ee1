//! Numbers out of and into untrusted bytes: every read is bounds-checked and answers `None` past the end.

/// The order in which a file stores the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// The `N` bytes at `at`.
pub fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

impl Endian {
    /// The 16-bit number at `at`.
    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = array(bytes, at)?;
        Some(if self == Self::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    /// The 32-bit number at `at`.
    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = array(bytes, at)?;
        Some(if self == Self::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    /// The 64-bit number at `at`.
    pub fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = array(bytes, at)?;
        Some(if self == Self::Little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) })
    }

    /// Writes the low `size` (1, 2, 4 or 8) bytes of `value` at `at`; `None`, and nothing written, past the end.
    pub fn put(self, bytes: &mut [u8], at: usize, size: usize, value: u64) -> Option<()> {
        let target = bytes.get_mut(at..at.checked_add(size)?)?;
        match self {
            Self::Little => target.copy_from_slice(&value.to_le_bytes()[..size]),
            Self::Big => target.copy_from_slice(&value.to_be_bytes()[8 - size..]),
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_the_end() {
        let bytes = [1, 2, 3, 4];
        assert_eq!(Endian::Big.u16(&bytes, 0), Some(0x0102));
        assert_eq!(Endian::Little.u16(&bytes, 2), Some(0x0403));
        assert_eq!(Endian::Big.u32(&bytes, 1), None);
        assert_eq!(Endian::Big.u32(&bytes, usize::MAX), None);
        let mut bytes = [0; 4];
        assert_eq!(Endian::Big.put(&mut bytes, 1, 2, 0x0708), Some(()));
        assert_eq!(bytes, [0, 7, 8, 0]);
        assert_eq!(Endian::Big.put(&mut bytes, usize::MAX, 2, 1), None);
    }
}
