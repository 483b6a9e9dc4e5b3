//! The data inputs other than the question (RFC 6287 section 5.1).

use core::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::question::{Question, QuestionError};
use crate::{Algorithm, TimeStep};

/// As many zeros as the longest session may need on its left.
static ZEROS: [u8; 512] = [0; 512];

/// What goes into one response. A suite names which of these must be there.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The counter (`C`), kept in step by both sides.
    pub counter: Option<u64>,
    /// The challenge (`Q`), always there.
    pub question: Question<'a>,
    /// The hash of the PIN or password (`P`).
    pub pin: Option<&'a PinHash>,
    /// Information about the session (`S`), at most as many bytes as the suite says. A shorter
    /// one is padded with zeros on the left, as the reference code of RFC 6287 does.
    pub session: Option<&'a [u8]>,
    /// The time (`T`), in steps of the suite's period since the unix epoch.
    pub time: Option<TimeStep>,
}

impl<'a> Inputs<'a> {
    /// Only a question; the rest is set by field.
    #[must_use]
    pub const fn new(question: Question<'a>) -> Self {
        Self {
            counter: None,
            question,
            pin: None,
            session: None,
            time: None,
        }
    }

    pub(super) fn pin_bytes(&self, rule: Option<Algorithm>) -> Result<&'a [u8], InputError> {
        match (rule, self.pin) {
            (None, None) => Ok(&[]),
            (None, Some(_)) => Err(InputError::PinUnexpected),
            (Some(expected), None) => Err(InputError::PinMissing { expected }),
            (Some(expected), Some(pin)) if pin.algorithm != expected => {
                Err(InputError::PinAlgorithm { expected })
            }
            (Some(_), Some(pin)) => Ok(pin.as_slice()),
        }
    }

    /// The padding and the session itself.
    pub(super) fn session_parts(
        &self,
        rule: Option<u16>,
    ) -> Result<(&'static [u8], &'a [u8]), InputError> {
        let (expected, session) = match (rule, self.session) {
            (None, None) => return Ok((&[], &[])),
            (None, Some(_)) => return Err(InputError::SessionUnexpected),
            (Some(expected), None) => return Err(InputError::SessionMissing { expected }),
            (Some(expected), Some(session)) => (expected, session),
        };
        let padding = usize::from(expected)
            .checked_sub(session.len())
            .and_then(|missing| ZEROS.get(..missing))
            .ok_or(InputError::SessionTooLong { expected })?;
        Ok((padding, session))
    }
}

/// The hash of a PIN or password (`P` in RFC 6287 section 5.1), wiped when dropped.
///
/// It is unsalted by the RFC's design and a PIN is short, so whoever holds it holds the PIN:
/// treat it as the PIN itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PinHash {
    #[zeroize(skip)]
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl PinHash {
    /// Hashes the PIN's bytes.
    #[must_use]
    pub fn of(algorithm: Algorithm, pin: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::take(algorithm, &mut Sha1::digest(pin)),
            Algorithm::Sha256 => Self::take(algorithm, &mut Sha256::digest(pin)),
            Algorithm::Sha512 => Self::take(algorithm, &mut Sha512::digest(pin)),
        }
    }

    /// A hash made elsewhere: 20, 32 or 64 bytes, by the algorithm.
    ///
    /// # Errors
    /// [`PinHashError`] when the length is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, PinHashError> {
        let expected = algorithm.output_len();
        if bytes.len() != expected {
            return Err(PinHashError { expected });
        }
        Ok(Self::copy(algorithm, bytes))
    }

    /// The hash that was used.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn take(algorithm: Algorithm, digest: &mut [u8]) -> Self {
        let hash = Self::copy(algorithm, digest);
        digest.zeroize();
        hash
    }

    fn copy(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut hash = Self {
            algorithm,
            bytes: [0; 64],
        };
        for (to, from) in hash.bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        hash
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes
            .get(..self.algorithm.output_len())
            .unwrap_or_default()
    }
}

impl fmt::Debug for PinHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinHash({}, redacted)", self.algorithm)
    }
}

/// Bytes that cannot be a [`PinHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("wrong length of the PIN hash: expected {expected} bytes")]
pub struct PinHashError {
    expected: usize,
}

/// Inputs that do not fit the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InputError {
    /// The suite has `C`.
    #[error("the counter is missing: the suite expects one (`C`)")]
    CounterMissing,
    /// The suite has no `C`.
    #[error("unexpected counter: the suite expects none")]
    CounterUnexpected,
    /// The question does not fit `QFxx`.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The suite has `P`.
    #[error("the PIN hash is missing: the suite expects {expected}")]
    PinMissing {
        /// The hash the suite names.
        expected: Algorithm,
    },
    /// The PIN was hashed with another hash than the suite's.
    #[error("wrong hash of the PIN: the suite expects {expected}")]
    PinAlgorithm {
        /// The hash the suite names.
        expected: Algorithm,
    },
    /// The suite has no `P`.
    #[error("unexpected PIN hash: the suite expects none")]
    PinUnexpected,
    /// The suite has `S`.
    #[error("the session is missing: the suite expects up to {expected} bytes")]
    SessionMissing {
        /// The length the suite names, in bytes.
        expected: u16,
    },
    /// The session is longer than the suite says.
    #[error("the session is too long: the suite expects up to {expected} bytes")]
    SessionTooLong {
        /// The length the suite names, in bytes.
        expected: u16,
    },
    /// The suite has no `S`.
    #[error("unexpected session: the suite expects none")]
    SessionUnexpected,
    /// The suite has `T`.
    #[error("the time is missing: the suite expects a time step (`T`)")]
    TimeMissing,
    /// The suite has no `T`.
    #[error("unexpected time: the suite expects none")]
    TimeUnexpected,
}
