use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of one token at its service: 4 letters and 8 digits. It is no secret (rule S1).
///
/// The last digit is a check digit; whether it fits is the service's business, which made it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialId(String);

/// The text is not 4 capital letters and 8 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a credential ID is 4 capital letters and 8 digits")]
pub struct CredentialIdError;

impl CredentialId {
    /// The 12 characters as they travel, with no space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it: `WRCA 1234 5678` (rule T2).
    #[must_use]
    pub fn grouped(&self) -> String {
        let mut grouped = String::with_capacity(14);
        for (place, character) in self.0.chars().enumerate() {
            if place == 4 || place == 8 {
                grouped.push(' ');
            }
            grouped.push(character);
        }
        grouped
    }
}

impl FromStr for CredentialId {
    type Err = CredentialIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (letters, digits) = text.split_at_checked(4).ok_or(CredentialIdError)?;
        let fits = letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && digits.len() == 8
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(CredentialIdError)
        }
    }
}

impl TryFrom<String> for CredentialId {
    type Error = CredentialIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CredentialId> for String {
    fn from(id: CredentialId) -> Self {
        id.0
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_grouped_in_fours_for_people() {
        let id: CredentialId = "WRCA12345671".parse().unwrap();
        assert_eq!(id.grouped(), "WRCA 1234 5671");
        assert_eq!(id.as_str(), "WRCA12345671");
    }

    #[test]
    fn anything_but_four_letters_and_eight_digits_is_refused() {
        for text in [
            "",
            "WRCA1234567",
            "WRCA123456789",
            "wrca12345678",
            "WRC112345678",
            "WRCA1234567A",
            "WRCA 1234 5678",
            "割符12345678",
            "\u{1b}[2J12345678",
        ] {
            assert_eq!(
                text.parse::<CredentialId>(),
                Err(CredentialIdError),
                "{text}"
            );
        }
    }
}
