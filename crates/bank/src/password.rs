//! Passwords, by the rules of NIST SP 800-63B-4 §3.1.1.2 (rule B13).

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Characters of a password that stands alone: where login asks for no code.
pub const MINIMUM_ALONE: i64 = 15;

/// Characters of a password that is asked beside a code.
pub const MINIMUM_WITH_CODE: i64 = 8;

/// Characters that are taken at most.
pub const MAXIMUM: i64 = 256;

/// Passwords that everybody tries, one a line, in lower case: of the kinds that common lists hold.
const COMMON: &str = include_str!("password/common.txt");

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRefusal {
    /// Too short.
    TooShort {
        /// How many characters it needs.
        minimum: i64,
    },
    /// Longer than [`MAXIMUM`].
    TooLong,
    /// On the list of what everybody tries, with or without digits and signs around it, or made of one run:
    /// `aaaaaaaa`, `12345678`, `abcabcabc`.
    Common,
    /// It holds the contract's ID or the bank's name.
    Guessable,
    /// It is the old one.
    Same,
    /// It was not typed twice alike.
    Differs,
}

/// What was typed to put a new password in the place of the old one.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    /// The password now.
    pub old: &'a str,
    /// The new one.
    pub new: &'a str,
    /// The new one once more.
    pub again: &'a str,
}

/// A password as it is hashed and counted: normalised (NFC), since keyboards write one letter in several ways.
#[must_use]
pub fn normalized(password: &str) -> Zeroizing<String> {
    // Room for the whole at once: a piece of a growing text would be left behind in memory.
    let mut text = Zeroizing::new(String::with_capacity(password.len().saturating_mul(3)));
    text.extend(password.nfc());
    text
}

/// Characters of a password: each code point counts.
#[must_use]
pub fn length(password: &str) -> i64 {
    i64::try_from(normalized(password).chars().count()).unwrap_or(i64::MAX)
}

/// Whether a new password is taken; its length in characters. No rule of composition, no forced change.
///
/// # Errors
/// [`PasswordRefusal`] says what is expected.
pub fn check(
    typed: Typed<'_>,
    minimum: i64,
    contract_id: &str,
    bank_words: &[&str],
) -> Result<i64, PasswordRefusal> {
    let new = normalized(typed.new);
    let length = length(&new);
    if length < minimum {
        return Err(PasswordRefusal::TooShort { minimum });
    }
    if length > MAXIMUM {
        return Err(PasswordRefusal::TooLong);
    }
    let lower = Zeroizing::new(new.to_lowercase());
    // A listed word with the usual year or sign around it is tried as soon as the word itself.
    let bare = lower.trim_matches(|letter: char| !letter.is_alphabetic());
    let listed = |text: &str| !text.is_empty() && COMMON.lines().any(|line| line == text);
    if listed(&lower) || listed(bare) || is_run(&lower) {
        return Err(PasswordRefusal::Common);
    }
    // What is left without the words that anybody would try must still be a password.
    let mut rest = Zeroizing::new(lower.replace(contract_id, ""));
    for word in bank_words.iter().filter(|word| !word.is_empty()) {
        rest = Zeroizing::new(rest.replace(&word.to_lowercase(), ""));
    }
    if self::length(&rest) < MINIMUM_WITH_CODE {
        return Err(PasswordRefusal::Guessable);
    }
    if new != normalized(typed.again) {
        return Err(PasswordRefusal::Differs);
    }
    if new == normalized(typed.old) {
        return Err(PasswordRefusal::Same);
    }
    Ok(length)
}

/// One character or one piece again and again, or characters that follow one another.
fn is_run(lower: &str) -> bool {
    let letters: Zeroizing<Vec<u32>> = Zeroizing::new(lower.chars().map(u32::from).collect());
    let repeats = (1..=letters.len() / 2).any(|piece| {
        letters
            .iter()
            .skip(piece)
            .zip(letters.iter())
            .all(|(later, earlier)| later == earlier)
    });
    let steps = |step: i64| {
        letters
            .iter()
            .zip(letters.iter().skip(1))
            .all(|(one, next)| i64::from(*next) - i64::from(*one) == step)
    };
    repeats || steps(1) || steps(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(new: &str, minimum: i64) -> Result<i64, PasswordRefusal> {
        let typed = Typed {
            old: "the old one",
            new,
            again: new,
        };
        check(typed, minimum, "12345678901", &["warifu", "割符"])
    }

    #[test]
    fn a_new_password_is_typed_twice_alike_and_is_not_the_old_one() {
        let with = |old, again| {
            let new = "correct-horse-x";
            check(Typed { old, new, again }, 15, "12345678901", &[])
        };
        assert_eq!(with("another", "correct-horse-x"), Ok(15));
        assert_eq!(
            with("another", "correct-horse-y"),
            Err(PasswordRefusal::Differs)
        );
        assert_eq!(
            with("correct-horse-x", "correct-horse-x"),
            Err(PasswordRefusal::Same)
        );
    }

    #[test]
    fn one_letter_is_one_letter_however_a_keyboard_writes_it() {
        // が as one code point, and as か with a mark of its own.
        assert_eq!(*normalized("\u{304b}\u{3099}"), *normalized("\u{304c}"));
        assert_eq!(length("\u{304b}\u{3099}"), 1);
    }

    #[test]
    fn a_password_that_stands_alone_has_fifteen_characters() {
        assert_eq!(checked("correct-horse-x", MINIMUM_ALONE), Ok(15));
        assert_eq!(
            checked("correct-horse-", MINIMUM_ALONE),
            Err(PasswordRefusal::TooShort { minimum: 15 })
        );
        assert_eq!(checked("vt4qn-8z", MINIMUM_WITH_CODE), Ok(8));
    }

    #[test]
    fn any_character_counts_and_none_is_demanded() {
        assert_eq!(
            checked("さくらのしたでゆめをみるねこ二匹", MINIMUM_ALONE),
            Ok(16)
        );
        assert!(checked(&"よく眠る".repeat(3).replace("よく眠るよ", "早く寝てよ"), 8).is_ok());
        assert_eq!(
            checked(&"長い歌".repeat(100), 8),
            Err(PasswordRefusal::TooLong)
        );
    }

    #[test]
    fn what_everybody_tries_is_refused() {
        for common in [
            "password",
            "PASSWORD123",
            "qwertyuiop",
            "aaaaaaaa",
            "12345678",
            "87654321",
            "abcabcabc",
            "passwordpassword",
            "password1234567",
            "2026-Password!!",
        ] {
            assert_eq!(
                checked(common, MINIMUM_WITH_CODE),
                Err(PasswordRefusal::Common),
                "{common}"
            );
        }
        for guessable in [
            "12345678901",
            "warifu12345678901",
            "Warifu-2026",
            "割符割符割符2026",
        ] {
            let refusal = checked(guessable, MINIMUM_WITH_CODE);
            assert!(refusal.is_err(), "{guessable}");
        }
    }
}
