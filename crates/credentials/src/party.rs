//! Relying parties: who asks the token service.

use std::fmt;
use std::str::FromStr;

/// The number of a relying party, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub i64);

/// A relying party's name for staff, 1 to 64 characters without control characters or outer white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyName(String);

/// The text is no [`PartyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name of 1 to 64 characters, without control characters and without white space around it"
)]
pub struct PartyNameError;

impl PartyName {
    /// The longest name, in characters.
    pub const MAX_CHARACTERS: usize = 64;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartyName {
    type Err = PartyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAX_CHARACTERS).contains(&text.chars().count());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PartyNameError)
        }
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_plain_line() {
        assert!("見本銀行".parse::<PartyName>().is_ok());
        for text in ["", " ", " a", "a\n", "a\u{7}b", &"あ".repeat(65)] {
            assert!(text.parse::<PartyName>().is_err(), "{text:?}");
        }
    }
}
