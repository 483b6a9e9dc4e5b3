//! 受付番号: what a finished operation leaves.

use jiff::Timestamp;

use crate::jst;
use crate::uid::Uid;

/// Crockford's base 32: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The receipt number of an operation: the day in Japan and ten characters (50 bits) of the operation's own key, so that
/// the same operation has the same number however often it is settled. `20261124-7K3M9-QX2VD`.
#[must_use]
pub fn number(key: Uid, now: Timestamp) -> String {
    let day = jst::day(now);
    let mut text = format!("{:04}{:02}{:02}-", day.year(), day.month(), day.day());
    let bits = u128::from_be_bytes(*key.as_bytes());
    for place in (0..10).rev() {
        let index = usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0);
        text.push(ALPHABET.get(index).copied().map_or('0', char::from));
        if place == 5 {
            text.push('-');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_the_day_in_japan_and_ten_characters() {
        let now: Timestamp = "2026-11-24T15:00:00Z".parse().unwrap();
        let key = Uid::new(now, &[0xff; 10]);
        assert_eq!(number(key, now), "20261125-ZZZZZ-ZZZZZ");
        assert_eq!(number(Uid::new(now, &[0; 10]), now), "20261125-00000-00000");
    }
}
