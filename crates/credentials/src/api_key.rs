//! The API key of a relying party: shown once, stored as a hash (rule S2).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "warifu_";

/// A relying party's key: `warifu_` and 32 random bytes in base64url.
///
/// With 256 random bits there is nothing to stretch: one SHA-256 is as hard to turn back as the key is to guess,
/// and look-up by that hash leaks nothing of the key through its timing.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

/// SHA-256 of an [`ApiKey`]; what is stored and looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiKeyHash(pub [u8; 32]);

impl ApiKey {
    /// The key made of `random` bytes.
    #[must_use]
    pub fn from_random(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(format!(
            "{PREFIX}{}",
            BASE64URL_NOPAD.encode(random)
        )))
    }

    /// The key as the relying party sends it. A secret: for the one moment in which it is handed over.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl ApiKeyHash {
    /// The hash of a key as it was sent; `None` for text that no key of ours looks like.
    #[must_use]
    pub fn of_sent(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        (body.len() == 43).then(|| Self(Sha256::digest(text.as_bytes()).into()))
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_hash_and_shown_by_no_debug_print() {
        let key = ApiKey::from_random(&[7; 32]);
        let hash = ApiKeyHash::of_sent(key.expose()).unwrap();
        assert_eq!(hash, ApiKeyHash::of_sent(key.expose()).unwrap());
        assert_ne!(
            hash,
            ApiKeyHash::of_sent(ApiKey::from_random(&[8; 32]).expose()).unwrap()
        );
        assert_eq!(format!("{key:?} {hash:?}"), "ApiKey(…) ApiKeyHash(…)");
    }

    #[test]
    fn other_texts_are_not_even_hashed() {
        for text in [
            "",
            "warifu_",
            "bearer",
            &"x".repeat(50),
            &format!("warifu_{}", "a".repeat(44)),
        ] {
            assert_eq!(ApiKeyHash::of_sent(text), None);
        }
    }
}
