//! A digest over chunks that arrive one after the other.

use super::algorithm::Algorithm;
use super::constants::{INITIAL_224, INITIAL_256};
use super::engine::{self, Compress};
use super::stream::Stream256;
use crate::error::Result;
use sha2::Digest;

/// A running digest. A clone goes on by itself from where the original stood.
#[derive(Debug, Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    inner: Inner,
}

/// SHA-384 and SHA-512 have no lanes to share, so their streams are sha2's own.
#[derive(Debug, Clone)]
enum Inner {
    Words32(Stream256, Compress),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// A digest that has seen nothing.
    ///
    /// # Errors
    /// `InvalidArgument` when `RUSTCLUSTER_SHA256` forces a backend that does not exist or that this CPU lacks.
    pub fn new(algorithm: Algorithm) -> Result<Self> {
        let inner = match algorithm {
            Algorithm::Sha224 => Inner::Words32(Stream256::new(INITIAL_224), engine::compress()?),
            Algorithm::Sha256 => Inner::Words32(Stream256::new(INITIAL_256), engine::compress()?),
            Algorithm::Sha384 => Inner::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => Inner::Sha512(sha2::Sha512::new()),
        };
        Ok(Self { algorithm, inner })
    }

    /// What this digest computes.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Takes in the next bytes, of any length.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.inner {
            Inner::Words32(stream, compress) => stream.update(data, *compress),
            Inner::Sha384(hasher) => hasher.update(data),
            Inner::Sha512(hasher) => hasher.update(data),
        }
    }

    /// The stream that can share lanes with others, or, where the algorithm has no lanes, the hasher back.
    pub(super) fn stream256(&mut self) -> std::result::Result<&mut Stream256, &mut Self> {
        match self.inner {
            Inner::Words32(ref mut stream, _) => Ok(stream),
            Inner::Sha384(_) | Inner::Sha512(_) => Err(self),
        }
    }

    /// The digest of all bytes taken in: [`Algorithm::digest_len`] bytes.
    pub fn finish(self) -> Vec<u8> {
        match self.inner {
            Inner::Words32(stream, compress) => stream.finish(compress)[..self.algorithm.digest_len()].to_vec(),
            Inner::Sha384(hasher) => hasher.finalize().to_vec(),
            Inner::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(algorithm: Algorithm, data: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Sha224 => sha2::Sha224::digest(data).to_vec(),
            Algorithm::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Algorithm::Sha384 => sha2::Sha384::digest(data).to_vec(),
            Algorithm::Sha512 => sha2::Sha512::digest(data).to_vec(),
        }
    }

    #[test]
    fn any_split_gives_the_same_digest() {
        let data: Vec<u8> = (0..400_u32).map(|i| (i * 7 % 251) as u8).collect();
        for algorithm in Algorithm::ALL {
            for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 400] {
                let want = reference(algorithm, &data[..length]);
                for first in 0..=length {
                    let mut hasher = Hasher::new(algorithm).expect("a hasher");
                    hasher.update(&data[..first]);
                    let mut forked = hasher.clone();
                    hasher.update(&[]);
                    hasher.update(&data[first..length]);
                    assert_eq!(hasher.finish(), want, "{algorithm} {length} split at {first}");
                    forked.update(&data[first..length]);
                    assert_eq!(forked.finish(), want, "{algorithm} {length} forked at {first}");
                }
            }
        }
    }
}
