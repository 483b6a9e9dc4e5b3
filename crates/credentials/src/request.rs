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

/// Which request it is: a keyed digest of the relying party and its request key, unique in the whole service. Before it
/// stands the second in which the key says that it was made, if it does: so the names of requests of one time are
/// neighbours in an index, though nobody can tell one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestDigest {
    second: Option<u32>,
    digest: [u8; 16],
}

/// A [`RequestDigest`] as it is stored: 16 bytes, or 20 where the key told its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredDigest {
    bytes: [u8; 20],
    timed: bool,
}

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

impl RequestKey {
    /// The second since 1970 in which the key was made, if it begins with a UUID of version 7 (RFC 9562 section 5.7), with
    /// its hyphens or without. Whoever chooses the key chooses this too.
    fn second(&self) -> Option<u32> {
        let (text, hyphens) = (self.0.as_bytes(), [8, 13, 18, 23]);
        let hyphened = text.get(8) == Some(&b'-');
        let mut digits = 0_u128;
        let mut places = 0..if hyphened { 36 } else { 32 };
        places.try_for_each(|place| {
            let byte = *text.get(place)?;
            if hyphened && hyphens.contains(&place) {
                return (byte == b'-').then_some(());
            }
            let digit = char::from(byte).to_digit(16)?;
            digits = (digits << 4) | u128::from(digit);
            Some(())
        })?;
        let (version, variant) = ((digits >> 76) & 0xf, (digits >> 62) & 0b11);
        let millis = digits >> 80;
        (version == 7 && variant == 0b10)
            .then(|| u32::try_from(millis / 1_000).ok())
            .flatten()
    }
}

impl RequestDigest {
    /// Of a digest, and the second that the key tells.
    #[must_use]
    pub fn new(digest: [u8; 16], second: Option<u32>) -> Self {
        Self { second, digest }
    }

    /// The second since 1970 that the key tells, if it tells one.
    #[must_use]
    pub fn second(&self) -> Option<u32> {
        self.second
    }

    /// The digest alone, which is unique too.
    #[must_use]
    pub fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    /// As it was stored before the time stood before it, if it stands there now.
    #[must_use]
    pub fn without_time(self) -> Option<Self> {
        self.second.map(|_| Self::new(self.digest, None))
    }

    /// As it is stored.
    #[must_use]
    pub fn to_stored(self) -> StoredDigest {
        let [a, b, c, d] = self.second.unwrap_or(0).to_be_bytes();
        let [e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = self.digest;
        StoredDigest {
            bytes: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t],
            timed: self.second.is_some(),
        }
    }

    /// From what is stored; none where it is neither 16 nor 20 bytes.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        let (second, digest) = bytes.split_last_chunk()?;
        let second = match second {
            [] => None,
            second => Some(u32::from_be_bytes(second.try_into().ok()?)),
        };
        Some(Self::new(*digest, second))
    }
}

impl StoredDigest {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let [_, _, _, _, digest @ ..] = &self.bytes;
        if self.timed { &self.bytes } else { digest }
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
        let digest = self.mac(b"request", &[&party.0.to_be_bytes(), key.0.as_bytes()]);
        RequestDigest::new(digest, key.second())
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
    fn a_key_that_begins_with_a_uuid_of_version_7_tells_its_second() {
        // RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
        let vector = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F";
        let plain = vector.replace('-', "");
        let more = format!("{plain}{}", "~".repeat(32));
        for text in [vector, &vector.to_lowercase(), &plain, &more] {
            let key: RequestKey = text.parse().unwrap();
            assert_eq!(key.second(), Some(1_645_557_742), "{text}");
        }
        for text in [
            "k",
            // Version 4, another variant, too short, hyphens elsewhere or not all of them, no digit.
            "017F22E2-79B0-4CC3-98C4-DC0C0C07398F",
            "017F22E2-79B0-7CC3-18C4-DC0C0C07398F",
            "017F22E2-79B0-7CC3-98C4-DC0C0C07398",
            "017F22E279B0-7CC3-98C4-DC0C0C07398F",
            "017F22E2-79B07CC398C4DC0C0C07398F1234",
            "017F22E2-79B0-7CC3-98C4-DC0C0C07398G",
            // Later than the 7th of February 2106: 32 bits of seconds end there.
            "ffffffffffff7cc398c4dc0c0c07398f",
        ] {
            let key: RequestKey = text.parse().unwrap();
            assert_eq!(key.second(), None, "{text}");
        }
    }

    #[test]
    fn a_digest_is_stored_after_the_second_of_its_key_and_read_back() {
        let made = |text: &str| digester().digest(PartyId(1), &text.parse().unwrap());
        let timed = made("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
        let stored = timed.to_stored();
        assert_eq!(stored.as_bytes().len(), 20);
        assert!(
            stored
                .as_bytes()
                .starts_with(&1_645_557_742_u32.to_be_bytes())
        );
        assert!(stored.as_bytes().ends_with(timed.digest()));
        assert_eq!(RequestDigest::from_stored(stored.as_bytes()), Some(timed));

        let untimed = made("k");
        assert_eq!(untimed.to_stored().as_bytes(), untimed.digest());
        assert_eq!(RequestDigest::from_stored(untimed.digest()), Some(untimed));
        assert_eq!(untimed.without_time(), None);

        let before = timed.without_time().unwrap();
        assert_eq!(before.digest(), timed.digest());
        assert_eq!(before.to_stored().as_bytes(), timed.digest());
        for strange in [0, 15, 17, 19, 21] {
            assert_eq!(RequestDigest::from_stored(&vec![0; strange]), None);
        }
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
