//! The first password (初回ログインパスワード) that the bank prints on a letter (rule F2).

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use zeroize::Zeroizing;

use crate::jst;

/// Days after the one it was made on (JST) to whose end a printed password holds.
pub const HOLDS_DAYS: i64 = 30;

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

/// When a password made at `now` ends: the midnight (JST) after [`HOLDS_DAYS`], so that a letter need name no hour.
#[must_use]
pub fn expires_at(now: Timestamp) -> Timestamp {
    let after = jst::day(now).checked_add((HOLDS_DAYS + 1).days());
    after.ok().and_then(jst::start_of).unwrap_or(now)
}

/// The last day (JST) during all of which a password holds that ends at `expires_at`: what its letter says.
#[must_use]
pub fn last_day(expires_at: Timestamp) -> Date {
    let day = jst::day(expires_at);
    day.checked_sub(1.day()).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::password;

    #[test]
    fn it_holds_to_the_end_of_the_thirtieth_day_in_japan() {
        // The last and the first moment of a day in Japan.
        for (made, last) in [
            ("2026-11-24T14:59:59.999Z", date(2026, 12, 24)),
            ("2026-11-24T15:00:00Z", date(2026, 12, 25)),
        ] {
            let ends = expires_at(made.parse().unwrap());
            assert_eq!(last_day(ends), last, "{made}");
            assert_eq!(Some(ends), jst::next_day(last).and_then(jst::start_of));
        }
    }

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
        let typed = password::Typed {
            old: "",
            new: &password,
            again: &password,
        };
        let taken = password::check(typed, password::MINIMUM_ALONE, "12345678901", &[]);
        assert_eq!(taken, Ok(19));
    }
}
