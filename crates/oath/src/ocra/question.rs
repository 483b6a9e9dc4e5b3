//! Questions, which are the challenges of OCRA, and their 128-byte encoding.

use thiserror::Error;
use zeroize::Zeroizing;

/// The length in bytes of an encoded question (`Q` in RFC 6287 section 5.1).
const ENCODED_LEN: usize = 128;

/// The alphabet of a question (`F` in RFC 6287 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuestionFormat {
    /// `A`: ASCII letters and digits, encoded as their bytes.
    Alphanumeric,
    /// `N`: decimal digits, encoded as the number they write.
    Numeric,
    /// `H`: hexadecimal digits of either case, encoded as the nibbles they write.
    Hexadecimal,
}

/// What a suite asks of a question (`QFxx` in RFC 6287 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuestionRule {
    pub(super) format: QuestionFormat,
    pub(super) max_len: usize,
}

impl QuestionRule {
    /// The alphabet.
    #[must_use]
    pub const fn format(self) -> QuestionFormat {
        self.format
    }

    /// The greatest length of one question in characters, 4 to 64.
    #[must_use]
    pub const fn max_len(self) -> usize {
        self.max_len
    }

    fn check(self, question: &str) -> Result<(), QuestionError> {
        let max = self.max_len;
        if question.is_empty() {
            return Err(QuestionError::Empty { max });
        }
        let accepts = match self.format {
            QuestionFormat::Alphanumeric => |byte: u8| byte.is_ascii_alphanumeric(),
            QuestionFormat::Numeric => |byte: u8| byte.is_ascii_digit(),
            QuestionFormat::Hexadecimal => |byte: u8| byte.is_ascii_hexdigit(),
        };
        if !question.bytes().all(accepts) {
            return Err(match self.format {
                QuestionFormat::Alphanumeric => QuestionError::NotAlphanumeric,
                QuestionFormat::Numeric => QuestionError::NotNumeric,
                QuestionFormat::Hexadecimal => QuestionError::NotHexadecimal,
            });
        }
        if question.len() > max {
            return Err(QuestionError::TooLong { max });
        }
        Ok(())
    }
}

/// The challenge a response answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// One-way challenge-response, or the text to sign (RFC 6287 sections 7.1 and 7.3).
    One(&'a str),
    /// Mutual challenge-response (RFC 6287 section 7.2): both sides ask, and each response
    /// covers the other side's question followed by the responder's own. Each question obeys the
    /// suite's length by itself.
    Mutual {
        /// The question of the side that will check this response.
        verifier: &'a str,
        /// The question of the side that gives this response.
        responder: &'a str,
    },
}

impl Question<'_> {
    /// Checks the questions and encodes them, joined as text, padded with zeros on the right.
    pub(super) fn encode(
        self,
        rule: QuestionRule,
    ) -> Result<Zeroizing<[u8; ENCODED_LEN]>, QuestionError> {
        let (first, second) = match self {
            Self::One(question) => (question, ""),
            Self::Mutual {
                verifier,
                responder,
            } => {
                rule.check(responder)?;
                (verifier, responder)
            }
        };
        rule.check(first)?;
        let characters = first.bytes().chain(second.bytes());
        let mut encoded = Zeroizing::new([0; ENCODED_LEN]);
        match rule.format {
            QuestionFormat::Alphanumeric => {
                for (to, from) in encoded.iter_mut().zip(characters) {
                    *to = from;
                }
            }
            QuestionFormat::Numeric => {
                let nibbles = decimal_to_nibbles(characters);
                let significant = nibbles.iter().copied().skip_while(|&nibble| nibble == 0);
                pack_nibbles(significant, &mut encoded);
            }
            QuestionFormat::Hexadecimal => pack_nibbles(characters.map(hex_value), &mut encoded),
        }
        Ok(encoded)
    }
}

/// The number that decimal digits write, as nibbles, most significant first. The at most 128
/// digits of two questions need 107 nibbles, so nothing is ever carried out of the array.
fn decimal_to_nibbles(digits: impl Iterator<Item = u8>) -> [u8; ENCODED_LEN] {
    let mut nibbles = [0_u8; ENCODED_LEN];
    for digit in digits {
        let mut carry = digit & 0x0f;
        for nibble in nibbles.iter_mut().rev() {
            // At most 15 * 10 + 15.
            let value = *nibble * 10 + carry;
            *nibble = value & 0x0f;
            carry = value >> 4;
        }
    }
    nibbles
}

/// Writes nibbles from the left, so an odd one out takes the high half of its byte. The RFC
/// shows this only in its reference code, which pads the hexadecimal text on the right.
fn pack_nibbles(nibbles: impl Iterator<Item = u8>, encoded: &mut [u8; ENCODED_LEN]) {
    for (at, nibble) in nibbles.enumerate() {
        if let Some(byte) = encoded.get_mut(at / 2) {
            *byte |= if at % 2 == 0 { nibble << 4 } else { nibble };
        }
    }
}

/// The value of a character already known to be a hexadecimal digit.
fn hex_value(character: u8) -> u8 {
    char::from(character)
        .to_digit(16)
        .map_or(0, |value| value as u8)
}

/// A question that the suite does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// No character at all.
    #[error("the question is empty: expected 1 to {max} characters")]
    Empty {
        /// The greatest length in characters.
        max: usize,
    },
    /// More characters than the suite allows.
    #[error("the question is too long: expected at most {max} characters")]
    TooLong {
        /// The greatest length in characters.
        max: usize,
    },
    /// Not alphanumeric, for `QA`.
    #[error("unexpected character in the question: expected ASCII letters and digits")]
    NotAlphanumeric,
    /// Not decimal digits, for `QN`.
    #[error("unexpected character in the question: expected the digits 0 to 9")]
    NotNumeric,
    /// Not hexadecimal digits, for `QH`.
    #[error("unexpected character in the question: expected the digits 0 to 9 and A to F")]
    NotHexadecimal,
}
