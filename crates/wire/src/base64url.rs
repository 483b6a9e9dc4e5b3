use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `N` bytes, written as base64url without padding (RFC 4648 §5). Non-canonical spellings are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Base64Url<const N: usize>(pub [u8; N]);

/// The text is not `N` bytes of base64url without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base64UrlError {
    /// How many bytes were expected.
    pub expected_bytes: usize,
}

impl fmt::Display for Base64UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected {} bytes as base64url without padding",
            self.expected_bytes
        )
    }
}

impl std::error::Error for Base64UrlError {}

impl<const N: usize> std::str::FromStr for Base64Url<N> {
    type Err = Base64UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = Base64UrlError { expected_bytes: N };
        // The length first, so that a megabyte of base64 is refused before it is decoded.
        if BASE64URL_NOPAD.encode_len(N) != text.len() {
            return Err(error);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| error)?;
        bytes.try_into().map(Self).map_err(|_| error)
    }
}

impl<const N: usize> fmt::Display for Base64Url<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<const N: usize> fmt::Debug for Base64Url<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Url<{N}>({self})")
    }
}

impl<const N: usize> Serialize for Base64Url<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Base64Url<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;

        impl<const N: usize> de::Visitor<'_> for Visitor<N> {
            type Value = Base64Url<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} bytes as base64url without padding")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_way_there_and_back() {
        let bytes = Base64Url([0xfb, 0xff, 0x00]);
        assert_eq!(bytes.to_string(), "-_8A");
        assert_eq!("-_8A".parse(), Ok(bytes));
    }

    #[test]
    fn padding_other_lengths_and_non_canonical_ends_are_refused() {
        for text in ["-_8A=", "-_8", "+/8A", "-_8AA", "", "é__"] {
            assert!(text.parse::<Base64Url<3>>().is_err(), "{text}");
        }
        assert!(
            "AB".parse::<Base64Url<1>>().is_err(),
            "trailing bits must be zero"
        );
    }
}
