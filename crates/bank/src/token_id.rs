//! トークンID: what a customer reads from his token and types at the bank.

use std::fmt;
use std::str::FromStr;

/// Four letters and eight digits. Whether such a token exists, only the token service knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenId(String);

/// The text is no [`TokenId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected four letters and eight digits")]
pub struct TokenIdError;

impl TokenId {
    /// As it is sent and stored: twelve characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is shown: `WRMA 1234 5678`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (letters, digits) = self.0.split_at(4);
        let (first, second) = digits.split_at(4);
        format!("{letters} {first} {second}")
    }
}

/// Takes what a person types: either case, full-width characters, spaces and hyphens between.
impl FromStr for TokenId {
    type Err = TokenIdError;

    fn from_str(text: &str) -> Result<Self, TokenIdError> {
        let mut plain = String::with_capacity(12);
        for letter in text.chars() {
            let letter = half_width(letter);
            match letter {
                ' ' | '\u{3000}' | '-' | 'ー' | '－' => {}
                _ if letter.is_ascii_alphanumeric() && plain.len() < 12 => {
                    plain.push(letter.to_ascii_uppercase());
                }
                _ => return Err(TokenIdError),
            }
        }
        let shape = |index: usize, byte: u8| match index {
            0..4 => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit(),
        };
        let fits = plain.len() == 12 && plain.bytes().enumerate().all(|(i, b)| shape(i, b));
        fits.then_some(Self(plain)).ok_or(TokenIdError)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ASCII character that a full-width one stands for; every other character as it is.
pub(crate) fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_people_type_it() {
        for text in [
            "WRMA12345678",
            "wrma 1234 5678",
            "ＷＲＭＡ　１２３４－５６７８",
        ] {
            let id: TokenId = text.parse().unwrap();
            assert_eq!(id.grouped(), "WRMA 1234 5678");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "WRMA1234567",
            "WRMA123456789",
            "WRM112345678",
            "WRMA1234567é",
            "12345678WRMA",
        ] {
            assert_eq!(text.parse::<TokenId>(), Err(TokenIdError), "{text}");
        }
    }
}
