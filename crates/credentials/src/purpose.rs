//! What a code is spent on.

use std::fmt;
use std::str::FromStr;

/// A relying party's word for the operation, 1 to 32 of `a-z`, `0-9`, `_` and `-`; kept in the audit trail (S3, S9).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Purpose(String);

/// The text is no [`Purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 32 of a-z, 0-9, _ and -")]
pub struct PurposeError;

impl Purpose {
    /// The longest purpose, in bytes.
    pub const MAX_LENGTH: usize = 32;

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purpose {
    type Err = PurposeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        };
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PurposeError)
        }
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purpose({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_a_short_plain_word() {
        for word in ["login", "transfer", "limit_change", "b4-2", &"a".repeat(32)] {
            assert!(word.parse::<Purpose>().is_ok(), "{word}");
        }
        for text in ["", "Login", "振込", "a b", "a\n", &"a".repeat(33)] {
            assert!(text.parse::<Purpose>().is_err(), "{text}");
        }
    }
}
