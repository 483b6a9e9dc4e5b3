use std::fmt;

use axum::http::{HeaderMap, HeaderValue};
use warifu_wire::REQUEST_ID;

use crate::ambient::Entropy;

/// A request's name in the log and in its answer: the client's own, if it is a plain word, or 16 random hex digits.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The longest name taken from a client.
    pub const MAX_LENGTH: usize = 64;

    /// The name of a request with these headers.
    #[must_use]
    pub fn of(headers: &HeaderMap, entropy: &dyn Entropy) -> Self {
        let plain = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            (1..=Self::MAX_LENGTH).contains(&bytes.len())
                && bytes
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        if let Some(own) = headers.get(REQUEST_ID).filter(plain) {
            return Self(own.clone());
        }
        let mut random = [0; 8];
        entropy.fill(&mut random);
        let name = format!("{:016x}", u64::from_be_bytes(random));
        Self(HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("unnamed")))
    }

    /// As a header.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or("unnamed"))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    fn of(value: &str) -> String {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(REQUEST_ID, value);
        }
        RequestId::of(&headers, &SystemEntropy).to_string()
    }

    #[test]
    fn a_plain_name_is_kept_and_any_other_replaced() {
        assert_eq!(of("a-1_b.C"), "a-1_b.C");
        for bad in ["", "a b", "a\"b", "{}", &"a".repeat(65)] {
            let name = of(bad);
            assert_eq!(name.len(), 16, "{bad}");
            assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
