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
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
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
    fn another_text_is_no_name() {
        for text in ["", "zz", "+1a3185c50007fffbfffffffffffffff", "01A3"] {
            assert_eq!(text.parse::<Uid>(), Err(UidError), "{text}");
        }
    }
}
