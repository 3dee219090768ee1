//! What can be asked of the writer, and what it answers.

use super::flight::Token;

/// A value as it comes from JavaScript: its tag and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// How JavaScript reads the payload.
    pub tag: u8,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// One entry to write; `ttl` in milliseconds, `None` for no end.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key, without its space.
    pub key: Vec<u8>,
    /// The value.
    pub value: Value,
    /// How long it lives from the moment it is written.
    pub ttl: Option<u64>,
}

/// One write. Each is applied whole or not at all, and after those that were handed in before it.
#[derive(Debug)]
pub enum Op {
    /// Writes entries, all or none.
    Set(Vec<Entry>),
    /// Deletes keys; answers how many there were.
    Delete(Vec<Vec<u8>>),
    /// Adds to a number, which begins at nought; `ttl` counts from the first increment. Answers the new number.
    Incr {
        /// The key.
        key: Vec<u8>,
        /// What is added.
        by: f64,
        /// How long a number lives that this increment makes.
        ttl: Option<u64>,
    },
    /// Replaces an entry if it holds `expected` (`None`: if there is none); `next` `None` deletes it. Answers 1 or 0.
    Cas {
        /// The key.
        key: Vec<u8>,
        /// What must be there.
        expected: Option<Value>,
        /// What shall be there.
        next: Option<Value>,
        /// How long it then lives.
        ttl: Option<u64>,
    },
    /// Gives an entry a new time to live, counted from now; answers 1, or 0 where there is none.
    Touch {
        /// The key.
        key: Vec<u8>,
        /// `None`: for ever.
        ttl: Option<u64>,
    },
    /// Deletes what begins with `prefix`; answers how many there were.
    Clear {
        /// Empty for everything.
        prefix: Vec<u8>,
    },
    /// Asks to run the function of a `getOrSet`. Answers [`Claimed`] as a number.
    Claim {
        /// The key.
        key: Vec<u8>,
        /// Who asks.
        token: Token,
    },
    /// Ends a run: what the function gave, or how it failed. Answers 1 when the run was still this token's.
    Settle {
        /// The key.
        key: Vec<u8>,
        /// Who ran it.
        token: Token,
        /// What came of it.
        outcome: Outcome,
    },
}

/// Values of up to this many bytes are written in a few microseconds.
const BRIEF: usize = 4096;

impl Op {
    /// Whether it touches one entry, and not much of it.
    pub fn is_brief(&self) -> bool {
        let small = |value: &Value| value.payload.len() <= BRIEF;
        match self {
            Self::Set(entries) => matches!(&entries[..], [one] if small(&one.value)),
            Self::Delete(keys) => keys.len() == 1,
            Self::Incr { .. } | Self::Touch { .. } => true,
            Self::Cas { next, .. } => next.as_ref().is_none_or(small),
            // A claim may have to look whether another process lives.
            Self::Clear { .. } | Self::Claim { .. } | Self::Settle { .. } => false,
        }
    }
}

/// What a function run by `getOrSet` came to.
#[derive(Debug)]
pub enum Outcome {
    /// A value, to be stored.
    Value(Value, Option<u64>),
    /// Nothing worth storing.
    Nothing,
    /// It threw: the error, for those who wait.
    Failed(Vec<u8>),
}

/// The answer to [`Op::Claim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Run it.
    Run = 0,
    /// Another runs it.
    Wait = 1,
    /// The value is there by now.
    Present = 2,
}
