//! Running `getOrSet`s: who computes which key, as all processes see it.
//!
//! A run is a record under the key, naming its token: the member (a lock file that its process holds while it lives,
//! see [`folder`](super::folder)) and a number. A run whose member is dead is free for the next to take.

/// Names one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub member: u64,
    /// Which of its runs.
    pub run: u64,
}

/// A run as it lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flight<'a> {
    /// Who runs, or has run.
    pub token: Token,
    /// Set once the function threw: the error, and until when it is kept for those who wait.
    pub failed: Option<(u64, &'a [u8])>,
}

/// How long an error is kept for the waiters of other processes, in milliseconds: they look every 20 ms at most.
pub const ERROR_KEPT: u64 = 10_000;

impl<'a> Flight<'a> {
    /// Takes stored bytes apart.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (member, rest) = bytes.split_first_chunk::<8>()?;
        let (run, rest) = rest.split_first_chunk::<8>()?;
        let token = Token { member: u64::from_le_bytes(*member), run: u64::from_le_bytes(*run) };
        if rest.is_empty() {
            return Some(Self { token, failed: None });
        }
        let (until, error) = rest.split_first_chunk::<8>()?;
        Some(Self { token, failed: Some((u64::from_le_bytes(*until), error)) })
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16);
        bytes.extend_from_slice(&self.token.member.to_le_bytes());
        bytes.extend_from_slice(&self.token.run.to_le_bytes());
        if let Some((until, error)) = self.failed {
            bytes.extend_from_slice(&until.to_le_bytes());
            bytes.extend_from_slice(error);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_comes_back_as_it_went() {
        let token = Token { member: 7, run: u64::MAX };
        for failed in [None, Some((5, &b"error"[..])), Some((5, &b""[..]))] {
            let flight = Flight { token, failed };
            assert_eq!(Flight::parse(&flight.encode()), Some(flight));
        }
        assert_eq!(Flight::parse(b"short"), None);
    }
}
