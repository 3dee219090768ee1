//! The messages on a worker's channel. A descriptor travels beside those that are about a connection.

/// Bytes of every message.
pub const BYTES: usize = 16;
/// For [`Note::idle`]: no request ever came on the connection.
pub const FRESH: u32 = 0;
/// For [`Note::idle`]: there is no limit.
pub const FOREVER: u32 = u32::MAX;
/// To a worker, in place of a note: turn your loop. Never mistaken for one: it is shorter.
pub const PING: [u8; 1] = [0];

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To a worker: here is a connection.
    Connection = 1,
    /// From a worker: its server listens, connections may come.
    Ready = 2,
    /// From a worker: its server is closed, no more connections.
    Leave = 3,
    /// From a worker: here is a connection back that it cannot take, for another worker.
    Return = 4,
    /// From a worker: here is an idle connection it has served, for any worker.
    Move = 5,
    /// From a worker: it closes a connection it has not touched, see [`Note::about`].
    Untouched = 6,
    /// From a worker: it was awaited, see [`crate::shared::layout::AWAITED`], and has read most of what it was handed.
    Drained = 7,
    /// From a worker: here is where it keeps what it accepts by itself until it has touched it, see [`super::keeper`].
    Keeper = 8,
    /// To a worker: here is a listening socket to accept from.
    Listener = 9,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: Kind,
    /// The listening socket, by the number the primary gave it.
    pub server: u32,
    /// How many workers have sent this connection back.
    pub hops: u32,
    /// For how many milliseconds more the connection may stay idle; [`FRESH`], [`FOREVER`].
    pub idle: u32,
}

impl Note {
    /// That a connection is closed untouched; `identity` names it, see [`crate::sys::progress::identity`].
    pub fn about(identity: u64) -> Self {
        Self { kind: Kind::Untouched, server: 0, hops: identity as u32, idle: (identity >> 32) as u32 }
    }

    /// The identity given to [`about`](Self::about).
    pub fn identity(self) -> u64 {
        u64::from(self.idle) << 32 | u64::from(self.hops)
    }

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0..4].copy_from_slice(&(self.kind as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&self.server.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.hops.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.idle.to_le_bytes());
        bytes
    }

    /// Reads a message, `None` when it is none of ours.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let kind = match word(0)? {
            1 => Kind::Connection,
            2 => Kind::Ready,
            3 => Kind::Leave,
            4 => Kind::Return,
            5 => Kind::Move,
            6 => Kind::Untouched,
            7 => Kind::Drained,
            8 => Kind::Keeper,
            9 => Kind::Listener,
            _ => return None,
        };
        Some(Self { kind, server: word(4)?, hops: word(8)?, idle: word(12)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for kind in
            [Kind::Connection, Kind::Ready, Kind::Leave, Kind::Return, Kind::Move, Kind::Untouched, Kind::Drained]
        {
            let note = Note { kind, server: 0xdead_beef, hops: 7, idle: FOREVER - 1 };
            assert_eq!(Note::decode(&note.encode()), Some(note));
        }
        assert_eq!(Note::about(0x1234_5678_9abc_def0).identity(), 0x1234_5678_9abc_def0);
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(Note::decode(&[]), None);
        assert_eq!(Note::decode(&[1, 0, 0, 0, 1, 0]), None);
        assert_eq!(Note::decode(&[9; BYTES]), None);
    }
}
