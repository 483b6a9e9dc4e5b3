//! Codes: what a person reads from one screen and types into another.

use core::fmt;
use core::str::FromStr;

use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How many decimal digits a code has: 6, 7 or 8 (RFC 4226 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits(u8);

impl Digits {
    /// Six digits, the default of the key URI.
    pub const SIX: Self = Self(6);
    /// Seven digits.
    pub const SEVEN: Self = Self(7);
    /// Eight digits.
    pub const EIGHT: Self = Self(8);

    /// A number of digits.
    ///
    /// # Errors
    /// [`DigitsError`] outside 6 to 8.
    pub const fn new(digits: u8) -> Result<Self, DigitsError> {
        match digits {
            6..=8 => Ok(Self(digits)),
            _ => Err(DigitsError),
        }
    }

    /// The number of digits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::SIX
    }
}

/// A number of digits that codes do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unsupported number of digits: expected 6, 7 or 8")]
pub struct DigitsError;

/// A one-time code of 6 to 8 decimal digits, leading zeros included.
///
/// Comparison is constant-time, `{:?}` is redacted and the value is wiped when dropped. `{}`
/// writes the digits: that is for the person's screen, not for a log.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code {
    value: u32,
    #[zeroize(skip)]
    digits: Digits,
}

impl Code {
    /// The last `digits` decimal digits of a truncated MAC (RFC 4226 section 5.3, step 3).
    pub(crate) const fn from_truncated(value: u32, digits: Digits) -> Self {
        Self {
            value: value % 10_u32.pow(digits.0 as u32),
            digits,
        }
    }

    /// Parses exactly 6 to 8 ASCII digits. Nothing is trimmed and no other digits are accepted;
    /// whoever takes input from a person normalises it first.
    ///
    /// # Errors
    /// [`CodeError`] saying whether the length or a character is wrong.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CodeError::Character);
        }
        let digits = u8::try_from(text.len())
            .ok()
            .and_then(|len| Digits::new(len).ok())
            .ok_or(CodeError::Length)?;
        // At most eight digits, so the value stays below 10^8.
        let value = text
            .bytes()
            .fold(0, |value, byte| value * 10 + u32::from(byte & 0x0f));
        Ok(Self { value, digits })
    }

    /// How many digits the code has.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }
}

impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.value.ct_eq(&other.value) & self.digits.0.ct_eq(&other.digits.0)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Code {}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = usize::from(self.digits.0);
        write!(f, "{:0width$}", self.value)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} digits, redacted)", self.digits.0)
    }
}

/// A text that is not a [`Code`]. It never carries the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Something other than an ASCII digit.
    #[error("unexpected character in the code: expected only the digits 0 to 9")]
    Character,
    /// Too few or too many digits.
    #[error("wrong code length: expected 6, 7 or 8 digits")]
    Length,
}
