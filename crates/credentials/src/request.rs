//! The same request gives the same answer and spends nothing twice (rule S7).

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::credential_id::CredentialId;
use crate::kdf::hmac;
use crate::party::PartyId;

/// A relying party's name for one request: 1 to 64 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestKey(String);

/// The text is no [`RequestKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 64 visible ASCII characters")]
pub struct RequestKeyError;

/// Which request it is: a keyed digest of the relying party and its request key, unique in the whole service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestDigest(pub [u8; 16]);

/// What a request says, as a keyed digest: the stored form tells nobody a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// What a relying party asks of one credential, for [`Fingerprint`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Validate a code for a purpose.
    Validate {
        /// The code, ASCII digits.
        code: &'a str,
        /// The purpose.
        purpose: &'a str,
    },
    /// Resync with two codes.
    Resync {
        /// The first code, ASCII digits.
        first: &'a str,
        /// The code after it.
        second: &'a str,
    },
    /// Stop, for the reason with this word.
    Stop(&'a str),
    /// Enable.
    Enable,
    /// Unlock.
    Unlock,
}

/// Makes digests under a key of the service's own. It holds the keyed state, not the key.
#[derive(Clone)]
pub struct RequestDigester(Hmac<Sha256>);

impl FromStr for RequestKey {
    type Err = RequestKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequestKeyError)
        }
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestKey({})", self.0)
    }
}

impl RequestDigester {
    /// A digester under a secret key.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whoever hands the key over keeps no copy of it"
    )]
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(hmac(&key))
    }

    /// Which request it is.
    #[must_use]
    pub fn digest(&self, party: PartyId, key: &RequestKey) -> RequestDigest {
        RequestDigest(self.mac(b"request", &[&party.0.to_be_bytes(), key.0.as_bytes()]))
    }

    /// What the request says.
    #[must_use]
    pub fn fingerprint(&self, credential: CredentialId, asked: Asked<'_>) -> Fingerprint {
        let id = credential.to_stored().to_be_bytes();
        let (verb, parts): (&[u8], [&[u8]; 2]) = match asked {
            Asked::Validate { code, purpose } => {
                (b"validate", [code.as_bytes(), purpose.as_bytes()])
            }
            Asked::Resync { first, second } => (b"resync", [first.as_bytes(), second.as_bytes()]),
            Asked::Stop(reason) => (b"stop", [reason.as_bytes(), b""]),
            Asked::Enable => (b"enable", [b"", b""]),
            Asked::Unlock => (b"unlock", [b"", b""]),
        };
        Fingerprint(self.mac(verb, &[&id, parts[0], parts[1]]))
    }

    /// Every part with its length before it, so that no two lists of parts make the same bytes.
    fn mac(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.0.clone();
        for part in std::iter::once(&label).chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        let mut digest = [0; 16];
        for (place, byte) in digest.iter_mut().zip(mac.finalize().into_bytes()) {
            *place = byte;
        }
        digest
    }
}

impl fmt::Debug for RequestDigester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestDigester(…)")
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Validate { .. } => "Validate(…)",
            Self::Resync { .. } => "Resync(…)",
            Self::Stop(_) => "Stop",
            Self::Enable => "Enable",
            Self::Unlock => "Unlock",
        })
    }
}

#[cfg(test)]
mod tests {
    use warifu_wire::Platform;

    use super::*;

    fn digester() -> RequestDigester {
        RequestDigester::new(Zeroizing::new([1; 32]))
    }

    #[test]
    fn a_request_key_is_visible_ascii_of_bounded_length() {
        for text in [
            "1",
            "0198f2c1-7d7e-7cc3-98c4-dc0c0c07398f",
            "~!",
            &"k".repeat(64),
        ] {
            assert!(text.parse::<RequestKey>().is_ok(), "{text}");
        }
        for text in ["", " ", "a b", "鍵", "a\n", &"k".repeat(65)] {
            assert!(text.parse::<RequestKey>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_same_key_of_another_party_is_another_request() {
        let key: RequestKey = "k".parse().unwrap();
        assert_eq!(
            digester().digest(PartyId(1), &key),
            digester().digest(PartyId(1), &key)
        );
        assert_ne!(
            digester().digest(PartyId(1), &key),
            digester().digest(PartyId(2), &key)
        );
    }

    #[test]
    fn everything_that_a_request_says_is_in_its_fingerprint() {
        let id = CredentialId::nth(Platform::Cli, 1);
        let asked = [
            Asked::Validate {
                code: "123456",
                purpose: "login",
            },
            Asked::Validate {
                code: "123457",
                purpose: "login",
            },
            Asked::Validate {
                code: "123456",
                purpose: "logi",
            },
            Asked::Validate {
                code: "123456l",
                purpose: "ogin",
            },
            Asked::Resync {
                first: "123456",
                second: "login",
            },
            Asked::Stop("lost"),
            Asked::Stop("stolen"),
            Asked::Enable,
            Asked::Unlock,
        ];
        let mut seen: Vec<_> = asked
            .iter()
            .map(|asked| digester().fingerprint(id, *asked).0)
            .collect();
        seen.push(
            digester()
                .fingerprint(CredentialId::nth(Platform::Cli, 2), asked[0])
                .0,
        );
        seen.push(
            RequestDigester::new(Zeroizing::new([2; 32]))
                .fingerprint(id, asked[0])
                .0,
        );
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}
