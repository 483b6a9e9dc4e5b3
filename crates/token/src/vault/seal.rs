use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of an XChaCha20 nonce (draft-irtf-cfrg-xchacha §2.3): long enough to be drawn at random.
pub(super) const NONCE: usize = 24;

/// The 32 bytes that open a vault.
#[derive(Clone)]
pub(crate) struct VaultKey(Zeroizing<[u8; 32]>);

impl VaultKey {
    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

fn cipher(key: &VaultKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// The ciphertext with its tag, without the nonce.
pub(super) fn seal(
    key: &VaultKey,
    nonce: &[u8; NONCE],
    aad: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    cipher(key)
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad })
        .ok()
}

/// What is sealed in `sealed` (nonce, then ciphertext), when key and associated data are the same.
pub(super) fn open(key: &VaultKey, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
    let plain = cipher(key).decrypt(
        &XNonce::from(*nonce),
        Payload {
            msg: ciphertext,
            aad,
        },
    );
    plain.ok().map(Zeroizing::new)
}
