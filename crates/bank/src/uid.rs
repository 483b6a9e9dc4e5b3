//! Names of rows and operations: UUID version 7 (RFC 9562 §5.7), in the order of their time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// A name that nobody can guess (74 random bits) and that sorts by its millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid([u8; 16]);

/// A text is not the name of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits")]
pub struct UidError;

impl Uid {
    /// A new name, from the time and ten random bytes.
    #[must_use]
    pub fn new(now: Timestamp, random: &[u8; 10]) -> Self {
        Self::of(u64::try_from(now.as_millisecond()).unwrap_or(0), random)
    }

    /// Another name of the same millisecond.
    #[must_use]
    pub fn of_the_same_time(self, random: &[u8; 10]) -> Self {
        Self::of(self.millis(), random)
    }

    fn of(millis: u64, random: &[u8; 10]) -> Self {
        let [_, _, a, b, c, d, e, f] = millis.to_be_bytes();
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = *random;
        Self([
            a,
            b,
            c,
            d,
            e,
            f,
            0x70 | (r0 & 0x0f),
            r1,
            0x80 | (r2 & 0x3f),
            r3,
            r4,
            r5,
            r6,
            r7,
            r8,
            r9,
        ])
    }

    /// The same name, or one a millisecond after `newest` where that is not older: for rows whose order says which of two
    /// was asked for later, also when the clock stepped back between them.
    #[must_use]
    pub fn after(self, newest: Option<Self>) -> Self {
        let Some(newest) = newest.filter(|newest| self <= *newest) else {
            return self;
        };
        let mut bytes = self.0;
        let [_, _, time @ ..] = (newest.millis() + 1).to_be_bytes();
        for (byte, later) in bytes.iter_mut().zip(time) {
            *byte = later;
        }
        Self(bytes)
    }

    /// Its milliseconds since 1970.
    fn millis(self) -> u64 {
        let [a, b, c, d, e, f, ..] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// As it is stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From what is stored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(UidError);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| UidError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_uuid_of_version_7_and_sorts_by_time() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let early = Uid::new(at(1_800_000_000_000), &[0xff; 10]);
        let late = Uid::new(at(1_800_000_000_001), &[0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string(), "01a3185c50007fffbfffffffffffffff");
        assert_eq!(late.to_string().parse(), Ok(late));
    }

    #[test]
    fn a_name_that_is_to_come_after_another_does_whatever_the_clock_says() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let newest = Uid::new(at(1_800_000_000_255), &[7; 10]);
        let earlier = Uid::new(at(1_799_999_000_000), &[0; 10]);
        let same = Uid::new(at(1_800_000_000_255), &[0; 10]);
        let later = Uid::new(at(1_800_000_000_256), &[0; 10]);
        assert_eq!(earlier.after(Some(newest)), later);
        assert_eq!(same.after(Some(newest)), later);
        assert_eq!(later.after(Some(newest)), later);
        assert_eq!(earlier.after(None), earlier);
    }

    #[test]
    fn another_text_is_no_name() {
        for text in ["", "zz", "+1a3185c50007fffbfffffffffffffff", "01A3"] {
            assert_eq!(text.parse::<Uid>(), Err(UidError), "{text}");
        }
    }
}
