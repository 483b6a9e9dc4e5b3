//! HMAC with the key schedule done once, and the dynamic truncation of its result.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Algorithm;

/// An HMAC that has absorbed its key: both padded key blocks are already compressed, so a
/// short message costs two compressions. The hash states, from which codes could be
/// made, wipe themselves when dropped; a padded copy of the key that the `hmac` crate makes on
/// the stack while absorbing it is out of reach.
#[derive(Clone)]
pub(crate) enum MacKey {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl MacKey {
    pub(crate) fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(absorb_key(secret)),
            Algorithm::Sha256 => Self::Sha256(absorb_key(secret)),
            Algorithm::Sha512 => Self::Sha512(absorb_key(secret)),
        }
    }

    /// The HMAC of the concatenated parts.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Tag {
        match self {
            Self::Sha1(keyed) => Tag::of(keyed.clone(), parts),
            Self::Sha256(keyed) => Tag::of(keyed.clone(), parts),
            Self::Sha512(keyed) => Tag::of(keyed.clone(), parts),
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes a key of any length (RFC 2104 section 2); a fallback would be a weak key"
)]
fn absorb_key<M: KeyInit>(secret: &[u8]) -> M {
    M::new_from_slice(secret).expect("HMAC takes a key of any length")
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, redacted)", self.algorithm())
    }
}

/// The whole HMAC value, wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Tag {
    bytes: [u8; 64],
    len: usize,
}

impl Tag {
    fn of<M: Mac>(mut mac: M, parts: &[&[u8]]) -> Self {
        for part in parts {
            mac.update(part);
        }
        let mut output = mac.finalize().into_bytes();
        let mut tag = Self {
            bytes: [0; 64],
            len: output.len(),
        };
        for (to, from) in tag.bytes.iter_mut().zip(output.iter_mut()) {
            *to = *from;
            from.zeroize();
        }
        tag
    }

    /// 20, 32 or 64 bytes, by the hash.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Dynamic truncation to 31 bits (RFC 4226 section 5.3, steps 1 and 2).
    ///
    /// The last byte of the tag, not byte 19, picks the offset; for SHA-1 they are the same one.
    pub(crate) fn truncate(&self) -> u32 {
        let bytes = self.bytes();
        let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
        let word = bytes
            .iter()
            .skip(offset)
            .take(4)
            .fold(0, |word, &byte| word << 8 | u32::from(byte));
        word & 0x7fff_ffff
    }
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;
    use sha2::{Sha256, Sha512};
    use zeroize::ZeroizeOnDrop;

    use super::Tag;

    /// Compiles only for types that wipe themselves, so it fails when a feature gets lost. An
    /// `Hmac` holds two such hash states but does not carry the marker itself.
    fn wipes_itself<T: ZeroizeOnDrop>() {}

    #[test]
    fn every_state_that_knows_the_key_wipes_itself() {
        wipes_itself::<Sha1>();
        wipes_itself::<Sha256>();
        wipes_itself::<Sha512>();
        wipes_itself::<Tag>();
    }
}
