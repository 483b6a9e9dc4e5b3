use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use warifu_wire::{Base64Url, PublicKey, SECRET_INFO, SECRET_LENGTH};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::edge::random_bytes;
use crate::{CredentialId, Edge, NoEntropy};

/// The device's half of the X25519 exchange (RFC 7748 §6.1). Used for one registration, then gone.
pub struct DeviceKey(StaticSecret);

/// The key of the codes: 32 bytes that both ends derive and neither sends (rule T5).
pub struct Secret(Zeroizing<[u8; SECRET_LENGTH]>);

/// No secret came of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The service's key leads to an all-zero output, which anyone could know (RFC 7748 §6.1).
    #[error("the service sent a key that makes no secret")]
    WeakServiceKey,
    /// HKDF refused the length; it never does for [`SECRET_LENGTH`] bytes.
    #[error("the secret could not be derived")]
    Derivation,
}

impl DeviceKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// When the edge has no randomness.
    pub fn generate(edge: &dyn Edge) -> Result<Self, NoEntropy> {
        let bytes = random_bytes(edge)?;
        Ok(Self::from_bytes(*bytes))
    }

    /// A key of known bytes, for the shared vectors.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// What the service gets to see.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        Base64Url(x25519_dalek::PublicKey::from(&self.0).to_bytes())
    }

    /// `HKDF-SHA-256(input = X25519 output, salt = the ID's 12 bytes, info)`, 32 bytes (RFC 5869).
    ///
    /// # Errors
    /// When the X25519 output is all zero.
    pub fn derive(self, service: &PublicKey, id: &CredentialId) -> Result<Secret, SecretError> {
        let shared = self
            .0
            .diffie_hellman(&x25519_dalek::PublicKey::from(service.0));
        if !shared.was_contributory() {
            return Err(SecretError::WeakServiceKey);
        }
        let mut bytes = Zeroizing::new([0; SECRET_LENGTH]);
        Hkdf::<Sha256>::new(Some(id.as_str().as_bytes()), shared.as_bytes())
            .expand(SECRET_INFO, bytes.as_mut_slice())
            .map_err(|_| SecretError::Derivation)?;
        Ok(Secret(bytes))
    }
}

impl Secret {
    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; SECRET_LENGTH]>) -> Self {
        Self(bytes)
    }

    /// For the codes and for sealing; never for a screen or a log.
    pub(crate) fn bytes(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(..)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_key_of_low_order_is_refused() {
        let id = "WRCA12345671".parse().unwrap();
        let Vectors {
            weak_service_keys, ..
        } = vectors();
        assert_eq!(weak_service_keys.len(), 7);
        for low_order in weak_service_keys {
            let outcome = DeviceKey::from_bytes([7; 32]).derive(&low_order, &id);
            assert_eq!(outcome.err(), Some(SecretError::WeakServiceKey));
        }
    }

    #[test]
    fn neither_key_nor_secret_shows_in_debug_output() {
        let key = DeviceKey::from_bytes([0x41; 32]);
        assert_eq!(format!("{key:?}"), "DeviceKey(..)");
        let secret = Secret::from_bytes(Zeroizing::new([0x41; 32]));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[derive(serde::Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
        weak_service_keys: Vec<PublicKey>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../wire/vectors/secret.json")).unwrap()
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        credential_id: CredentialId,
        device_private_key_hex: String,
        service_private_key_hex: String,
        device_public_key: PublicKey,
        service_public_key: PublicKey,
        secret_hex: String,
        codes: Vec<TimedCode>,
    }

    #[derive(serde::Deserialize)]
    struct TimedCode {
        unix_seconds: i64,
        code: String,
    }

    fn key(hex: &str) -> DeviceKey {
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        DeviceKey::from_bytes(bytes.try_into().unwrap())
    }

    #[test]
    fn the_shared_vectors_hold() {
        let Vectors { vectors, .. } = vectors();
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let device = key(&vector.device_private_key_hex);
            let service = key(&vector.service_private_key_hex);
            assert_eq!(device.public(), vector.device_public_key);
            assert_eq!(service.public(), vector.service_public_key);
            let secret = device
                .derive(&vector.service_public_key, &vector.credential_id)
                .unwrap();
            assert_eq!(
                data_encoding::HEXLOWER.encode(secret.bytes()),
                vector.secret_hex
            );
            let same = service
                .derive(&vector.device_public_key, &vector.credential_id)
                .unwrap();
            assert_eq!(secret.bytes(), same.bytes());
            assert!(!vector.codes.is_empty());
            for TimedCode { unix_seconds, code } in vector.codes {
                let now = jiff::Timestamp::from_second(unix_seconds).unwrap();
                let codes = crate::Codes::at(&secret, now).unwrap();
                assert_eq!(
                    codes.code.to_string(),
                    code,
                    "{} at {unix_seconds}",
                    vector.credential_id
                );
            }
        }
    }
}
