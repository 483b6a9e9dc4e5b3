//! Passwords, by the rules of NIST SP 800-63B-4 §3.1.1.2 (rule B13).

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
    /// On the list of what everybody tries, or made of one run: `aaaaaaaa`, `12345678`.
    Common,
    /// It holds the contract's ID or the bank's name.
    Guessable,
    /// It is the old one.
    Same,
}

/// Characters of a password: each code point counts.
#[must_use]
pub fn length(password: &str) -> i64 {
    i64::try_from(password.chars().count()).unwrap_or(i64::MAX)
}

/// Whether a new password is taken; its length in characters. No rule of composition, no forced change.
///
/// # Errors
/// [`PasswordRefusal`] says what is expected.
pub fn check(
    new: &str,
    minimum: i64,
    contract_id: &str,
    bank_words: &[&str],
) -> Result<i64, PasswordRefusal> {
    let length = length(new);
    if length < minimum {
        return Err(PasswordRefusal::TooShort { minimum });
    }
    if length > MAXIMUM {
        return Err(PasswordRefusal::TooLong);
    }
    let lower = Zeroizing::new(new.to_lowercase());
    if COMMON.lines().any(|line| line == lower.as_str()) || is_run(&lower) {
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
    Ok(length)
}

/// One character again and again, a short piece again and again, or characters that follow one another.
fn is_run(lower: &str) -> bool {
    let letters: Zeroizing<Vec<u32>> = Zeroizing::new(lower.chars().map(u32::from).collect());
    let repeats = (1..=4).any(|piece| {
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
        check(new, minimum, "12345678901", &["warifu", "割符"])
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
