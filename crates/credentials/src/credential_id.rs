//! The credential ID: what a customer reads from the token and types at the bank.

use std::fmt;
use std::str::FromStr;

use warifu_wire::Platform;

use crate::damm::check_digit;

/// Characters of an ID without separators.
pub const LENGTH: usize = 12;

const LOTS: u64 = 26;
const SERIALS: u64 = 10_000_000;

/// `WR`, a platform letter, a lot letter, seven random digits and their check digit (Damm): `WRCA 1234 5671`.
///
/// An ID is no secret (rule S1). One number inside, so that it is a single key in a database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(u64);

/// The text is no credential ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialIdError {
    /// Not `WR`, a platform letter, a letter and eight digits.
    #[error("expected WR, a platform letter (W, D or C), a letter and eight digits")]
    Shape,
    /// The last digit does not fit the others: a digit is wrong or two are swapped.
    #[error("the check digit does not fit: a digit is wrong or two are swapped")]
    CheckDigit,
}

impl CredentialId {
    /// How many IDs a platform has.
    pub const PER_PLATFORM: u64 = LOTS * SERIALS;

    /// The ID number `random` (taken modulo [`Self::PER_PLATFORM`]) of a platform. Uniform enough for a uniform
    /// 64-bit number: the bias is below 2⁻³⁵.
    #[must_use]
    pub fn nth(platform: Platform, random: u64) -> Self {
        Self(platform_index(platform) * Self::PER_PLATFORM + random % Self::PER_PLATFORM)
    }

    /// The number that stands for this ID in storage, not negative.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        // At most 3 × 26 × 10⁷, far below 2⁶³.
        self.0.cast_signed()
    }

    /// The ID that a stored number stands for; `None` if none does.
    #[must_use]
    pub fn from_stored(stored: i64) -> Option<Self> {
        let number = u64::try_from(stored).ok()?;
        (number < 3 * Self::PER_PLATFORM).then_some(Self(number))
    }

    /// Where the token runs.
    #[must_use]
    pub fn platform(self) -> Platform {
        match self.0 / Self::PER_PLATFORM {
            0 => Platform::Web,
            1 => Platform::Desktop,
            _ => Platform::Cli,
        }
    }

    /// The 12 ASCII characters, which are also the salt of the shared secret and associated data of its seal.
    #[must_use]
    pub fn to_ascii(self) -> [u8; LENGTH] {
        let within = self.0 % Self::PER_PLATFORM;
        let lot = u8::try_from(within / SERIALS).unwrap_or_default();
        let mut text = *b"WR??00000000";
        let mut rest = within % SERIALS;
        let mut digits = [0_u8; 7];
        for digit in digits.iter_mut().rev() {
            *digit = u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        let platform = match self.platform() {
            Platform::Web => b'W',
            Platform::Desktop => b'D',
            Platform::Cli => b'C',
        };
        let tail = [platform, b'A' + lot]
            .into_iter()
            .chain(digits.iter().map(|digit| b'0' + digit))
            .chain([b'0' + check_digit(digits)]);
        for (place, character) in text.iter_mut().skip(2).zip(tail) {
            *place = character;
        }
        text
    }

    /// The ID in groups of four, as a customer reads it.
    #[must_use]
    pub fn grouped(self) -> String {
        let text = self.to_string();
        let (letters, digits) = text.split_at(4);
        let (first, second) = digits.split_at(4);
        format!("{letters} {first} {second}")
    }
}

fn platform_index(platform: Platform) -> u64 {
    match platform {
        Platform::Web => 0,
        Platform::Desktop => 1,
        Platform::Cli => 2,
    }
}

/// One typed character as it counts: full-width forms folded to ASCII, letters in upper case, separators gone.
fn fold(character: char) -> Option<char> {
    let folded = match character {
        ' ' | '\u{3000}' | '\t' => return None,
        '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '－' | 'ー' => return None,
        '！'..='～' => u32::from(character)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(character),
        other => other,
    };
    Some(folded.to_ascii_uppercase())
}

impl FromStr for CredentialId {
    type Err = CredentialIdError;

    /// Reads an ID as people type it: spaces, hyphens, lower case and full-width characters are fine.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut characters = text.chars().filter_map(fold);
        let mut next = || characters.next().ok_or(CredentialIdError::Shape);
        if (next()?, next()?) != ('W', 'R') {
            return Err(CredentialIdError::Shape);
        }
        let platform = match next()? {
            'W' => Platform::Web,
            'D' => Platform::Desktop,
            'C' => Platform::Cli,
            _ => return Err(CredentialIdError::Shape),
        };
        let lot = match next()? {
            letter @ 'A'..='Z' => u64::from(u32::from(letter) - u32::from('A')),
            _ => return Err(CredentialIdError::Shape),
        };
        let mut digits = [0_u8; 8];
        for digit in &mut digits {
            let value = next()?.to_digit(10).ok_or(CredentialIdError::Shape)?;
            *digit = u8::try_from(value).map_err(|_| CredentialIdError::Shape)?;
        }
        if characters.next().is_some() {
            return Err(CredentialIdError::Shape);
        }
        if check_digit(digits) != 0 {
            return Err(CredentialIdError::CheckDigit);
        }
        let serial = digits
            .iter()
            .take(7)
            .fold(0, |sum, digit| sum * 10 + u64::from(*digit));
        Ok(Self::nth(platform, lot * SERIALS + serial))
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ascii()
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_id() -> impl Strategy<Value = CredentialId> {
        (0..3 * CredentialId::PER_PLATFORM).prop_map(CredentialId)
    }

    #[test]
    fn an_id_is_read_as_people_type_it() {
        let id: CredentialId = "WRCA12345671".parse().unwrap();
        for typed in [
            "wrca12345671",
            "WRCA 1234 5671",
            "WRCA-1234-5671",
            "ＷＲＣＡ１２３４５６７１",
            "wrca　１２３４－５６７１",
            " WRCA1234 5671 ",
        ] {
            assert_eq!(typed.parse(), Ok(id), "{typed}");
        }
        assert_eq!(id.to_string(), "WRCA12345671");
        assert_eq!(id.grouped(), "WRCA 1234 5671");
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for text in [
            "",
            "WRCA",
            "WRXA12345671",
            "ABCA12345671",
            "WRC112345671",
            "WRCA1234567",
            "WRCA123456710",
            "WRCA1234567x",
        ] {
            assert_eq!(
                text.parse::<CredentialId>(),
                Err(CredentialIdError::Shape),
                "{text}"
            );
        }
        assert_eq!(
            "WRCA12345678".parse::<CredentialId>(),
            Err(CredentialIdError::CheckDigit)
        );
    }

    proptest! {
        #[test]
        fn every_id_survives_text_and_storage(id in any_id()) {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.grouped().parse(), Ok(id));
            prop_assert_eq!(CredentialId::from_stored(id.to_stored()), Some(id));
        }

        #[test]
        fn every_wrong_digit_and_every_swap_of_neighbours_is_caught(id in any_id()) {
            let text = id.to_ascii();
            for place in 4..12 {
                for digit in b'0'..=b'9' {
                    let mut wrong = text;
                    wrong[place] = digit;
                    let wrong = std::str::from_utf8(&wrong).unwrap();
                    prop_assert_eq!(wrong.parse::<CredentialId>().is_ok(), digit == text[place]);
                }
            }
            for place in 4..11 {
                let mut swapped = text;
                swapped.swap(place, place + 1);
                let swapped = std::str::from_utf8(&swapped).unwrap();
                prop_assert_eq!(swapped.parse::<CredentialId>().is_ok(), text[place] == text[place + 1]);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = text.parse::<CredentialId>();
        }
    }
}
