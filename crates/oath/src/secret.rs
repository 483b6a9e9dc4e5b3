//! The shared secret.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::base32::{self, Base32Error};

/// The secret a token and its verifier share (`K` in RFC 4226 section 5.1).
///
/// 1 to [`Secret::MAX_LEN`] bytes. RFC 4226 section 4 asks for at least 16 bytes and recommends
/// 20; shorter ones are accepted because the vectors and existing tokens have them, so a policy
/// on strength belongs to whoever draws the secret.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The longest secret in bytes: one block of SHA-512. HMAC hashes anything longer down to
    /// its output length first (RFC 2104 section 2), so more bytes would add nothing.
    pub const MAX_LEN: usize = 128;

    /// Takes the bytes over without copying them; they are wiped when dropped, also on error.
    ///
    /// # Errors
    /// [`SecretError`] when there is no byte or more than [`Secret::MAX_LEN`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let bytes = Self(bytes);
        check_len(&bytes.0)?;
        Ok(bytes)
    }

    /// Copies the bytes.
    ///
    /// # Errors
    /// [`SecretError`] when there is no byte or more than [`Secret::MAX_LEN`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        check_len(bytes)?;
        Ok(Self(bytes.to_vec()))
    }

    /// Decodes base32 as people type it; see [`base32::decode`].
    ///
    /// # Errors
    /// [`SecretError`] when the text is not base32 or has a wrong length.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        Self::from_bytes(&base32::decode(text)?)
    }

    /// The canonical base32 of the secret: upper case, no padding. Wiped when dropped.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        base32::encode(&self.0)
    }

    /// The raw bytes. Named to be noticed in review: nothing wipes a copy of them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Checks the length rule of [`Secret`] on borrowed bytes.
pub(crate) fn check_len(bytes: &[u8]) -> Result<(), SecretError> {
    match bytes.len() {
        0 => Err(SecretError::Empty),
        1..=Secret::MAX_LEN => Ok(()),
        len => Err(SecretError::TooLong(len)),
    }
}

impl ConstantTimeEq for Secret {
    /// The time depends on the lengths, never on the bytes.
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes, redacted)", self.0.len())
    }
}

/// Bytes or text that cannot be a [`Secret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// There is no byte at all.
    #[error("the secret is empty: expected 1 to {max} bytes", max = Secret::MAX_LEN)]
    Empty,
    /// There are more than [`Secret::MAX_LEN`] bytes; the number is how many.
    #[error("the secret has {0} bytes: expected at most {max}", max = Secret::MAX_LEN)]
    TooLong(usize),
    /// The text is not base32.
    #[error("the secret is not base32: {0}")]
    Base32(#[from] Base32Error),
}
