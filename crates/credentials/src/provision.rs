//! A token becomes known: both sides derive one secret that never crosses the network (rules S1 and T5).

use warifu_wire::{PublicKey, SECRET_INFO, SECRET_LENGTH};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::credential_id::CredentialId;
use crate::kdf::hkdf;

/// The service's half of one exchange, for one credential, forgotten afterwards.
pub struct Exchange {
    public: PublicKey,
    shared: x25519_dalek::SharedSecret,
}

/// The device's public key is of low order: the shared value would be known to anyone (RFC 7748 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an X25519 public key that is not of low order")]
pub struct LowOrderKey;

impl Exchange {
    /// Meets the device's public key with a private key of 32 `random` bytes.
    ///
    /// # Errors
    /// [`LowOrderKey`] when the X25519 output is all zeros.
    pub fn new(device: &PublicKey, random: &Zeroizing<[u8; 32]>) -> Result<Self, LowOrderKey> {
        let private = StaticSecret::from(**random);
        let public = x25519_dalek::PublicKey::from(&private);
        let shared = private.diffie_hellman(&x25519_dalek::PublicKey::from(device.0));
        if shared.was_contributory() {
            Ok(Self {
                public: warifu_wire::Base64Url(public.to_bytes()),
                shared,
            })
        } else {
            Err(LowOrderKey)
        }
    }

    /// What the device needs to derive the same secret.
    #[must_use]
    pub fn service_public_key(&self) -> PublicKey {
        self.public
    }

    /// The shared secret of the credential `id`, as [`SECRET_INFO`] says.
    #[must_use]
    pub fn secret(&self, id: CredentialId) -> Zeroizing<[u8; SECRET_LENGTH]> {
        hkdf(&id.to_ascii(), self.shared.as_bytes(), SECRET_INFO)
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
