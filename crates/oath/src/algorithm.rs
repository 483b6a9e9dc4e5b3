//! The hash functions OATH builds its HMAC on.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// The hash under the HMAC (RFC 6238 section 1.2, RFC 6287 section 6.2).
///
/// Written and parsed as in the key URI and in OCRA suites: `SHA1`, `SHA256`, `SHA512`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-1, 20-byte output; the only hash of RFC 4226.
    Sha1,
    /// SHA-256, 32-byte output.
    Sha256,
    /// SHA-512, 64-byte output.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, by growing output.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The length of the hash's output in bytes.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in key URIs and OCRA suites: `SHA1`, `SHA256` or `SHA512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    /// Exact: an OCRA suite is itself part of the message, so its letter case matters.
    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or(AlgorithmError)
    }
}

/// A text is not the name of an [`Algorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unknown hash algorithm: expected `SHA1`, `SHA256` or `SHA512`")]
pub struct AlgorithmError;
