//! Names and sizes of the SHA-2 functions (FIPS 180-4, section 1, figure 1).

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The algorithms of FIPS 180-4 this package computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-224, 28 bytes.
    Sha224,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in the order of their sizes.
    pub const ALL: [Self; 4] = [Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name as Node's `crypto.getHashes()` lists it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes in a digest.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// Takes the spellings Node takes: any case, with or without the hyphen, also OpenSSL's `sha2-256` and `RSA-SHA256`.
    ///
    /// # Errors
    /// `InvalidArgument` naming the known algorithms.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "sha224" | "sha-224" | "sha2-224" | "rsa-sha224" => Self::Sha224,
            "sha256" | "sha-256" | "sha2-256" | "rsa-sha256" => Self::Sha256,
            "sha384" | "sha-384" | "sha2-384" | "rsa-sha384" => Self::Sha384,
            "sha512" | "sha-512" | "sha2-512" | "rsa-sha512" => Self::Sha512,
            _ => {
                let known = Self::ALL.map(Self::name).join(", ");
                return Err(Error::InvalidArgument(format!("unknown hash algorithm '{name}', known are {known}")));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_spellings_node_takes() {
        for spelling in ["sha256", "SHA256", "sha-256", "SHA-256", "sha2-256", "RSA-SHA256"] {
            assert_eq!(spelling.parse::<Algorithm>().ok(), Some(Algorithm::Sha256), "{spelling}");
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse::<Algorithm>().ok(), Some(algorithm));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        for name in ["", "md5", "sha", "sha1", "sha256 ", "sha--256", "sha512-256", "rsa-sha-256"] {
            let error = name.parse::<Algorithm>().expect_err(name);
            assert_eq!(error.code(), Some("ERR_INVALID_ARG_VALUE"));
            assert!(error.to_string().contains("sha224, sha256, sha384, sha512"), "{error}");
        }
    }
}
