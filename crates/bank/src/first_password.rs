//! The first password (初回ログインパスワード) that the bank prints on a letter (rule F2).

use jiff::SignedDuration;
use zeroize::Zeroizing;

/// How long a printed password holds: 30 days from the moment that it was made.
pub const HOLDS_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What a first password is made of: 32 letters that are not taken for each other on paper. Small letters and digits
/// alone, so that a phone needs no shift; without `0` and `o`, `1` and `l`.
pub const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// Letters of a group; groups are joined by `-`, which is a part of the password.
const GROUP: usize = 4;

/// A first password of four groups of four letters, such as `k7mw-3xep-9fqt-bz4h`: 16 letters of five bits each, 80 bits.
///
/// Each letter takes the low five bits of one random byte, so each of the 32 is as likely as any other.
#[must_use]
pub fn first_password(random: &[u8; 16]) -> Zeroizing<String> {
    // As long as it gets, so that nothing is left behind where a shorter one grew.
    let mut password = Zeroizing::new(String::with_capacity(random.len() + random.len() / GROUP));
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            password.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte & 0x1f)).copied();
        password.extend(letter.map(char::from));
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password;

    #[test]
    fn four_groups_of_four_letters_come_from_the_low_five_bits() {
        let random = [0, 1, 2, 3, 4, 5, 6, 7, 8, 30, 31, 32, 33, 0x7f, 0x80, 0xff];
        assert_eq!(*first_password(&random), "2345-6789-ayz2-3z2z");
    }

    #[test]
    fn every_letter_is_as_likely_as_any_other() {
        let mut seen = std::collections::BTreeMap::new();
        for byte in 0..=u8::MAX {
            let password = first_password(&[byte; 16]);
            let letters = password.chars().filter(|letter| *letter != '-');
            letters.for_each(|letter| *seen.entry(letter).or_insert(0) += 1);
        }
        assert_eq!(seen.len(), 32);
        assert!(seen.values().all(|count| *count == 256 * 16 / 32));
    }

    #[test]
    fn no_letter_looks_like_another() {
        for look_alike in *b"0oO1lI" {
            assert!(!ALPHABET.contains(&look_alike));
        }
    }

    #[test]
    fn it_is_long_enough_where_login_asks_for_no_code() {
        let password =
            first_password(b"\x00\x05\x0a\x0f\x14\x19\x1e\x01\x06\x0b\x10\x15\x1a\x1f\x02\x07");
        let taken = password::check(&password, password::MINIMUM_ALONE, "12345678901", &[]);
        assert_eq!(taken, Ok(19));
    }
}
