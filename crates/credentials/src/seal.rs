//! Secrets at rest: AES-256-GCM (NIST SP 800-38D), bound to their owner and their key version (rule S8).

use std::fmt;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use crate::credential_id::CredentialId;
use crate::keyring::KeyVersion;

/// Bytes of the random nonce that a sealed secret begins with. With random nonces a key may seal 2³² secrets
/// (SP 800-38D §8.3): rotate before that.
pub const NONCE_LENGTH: usize = 12;

const TAG_LENGTH: usize = 16;

/// A secret under a master key: nonce, ciphertext, tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// Whose secret it is; a sealed secret opens for nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A credential.
    Credential(CredentialId),
    /// A secret of the service itself, by name.
    Service(&'a str),
}

/// Seals and opens under one version of the master key.
pub struct Sealer(Aes256Gcm);

/// The sealed secret was changed, belongs to another owner or another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed secret of {owner} does not open under version {version} of the master key")]
pub struct OpenError {
    /// Whose secret it was to be.
    pub owner: OwnerKind,
    /// Under which version.
    pub version: KeyVersion,
}

/// [`Owner`] without a name, for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A credential.
    Credential,
    /// The service.
    Service,
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Seals `secret` with a `nonce` that must be random and used for nothing else.
    #[must_use]
    pub fn seal(
        &self,
        version: KeyVersion,
        owner: Owner<'_>,
        secret: &[u8],
        nonce: &[u8; NONCE_LENGTH],
    ) -> Sealed {
        let mut sealed = Vec::with_capacity(NONCE_LENGTH + secret.len() + TAG_LENGTH);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(secret);
        let (_, body) = sealed.split_at_mut(NONCE_LENGTH);
        #[expect(
            clippy::expect_used,
            reason = "the only error is a message of over 64 GiB; secrets have some bytes"
        )]
        let tag = self
            .0
            .encrypt_inout_detached(
                &Nonce::from(*nonce),
                &associated_data(version, owner),
                body.into(),
            )
            .expect("a secret is far below the cipher's limit");
        sealed.extend_from_slice(&tag);
        Sealed(sealed)
    }

    /// Opens what [`Self::seal`] made for the same version and owner.
    ///
    /// # Errors
    /// [`OpenError`] when one bit of it, or its owner, or its version differs.
    pub fn open(
        &self,
        version: KeyVersion,
        owner: Owner<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let error = OpenError {
            owner: owner.kind(),
            version,
        };
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(error)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LENGTH>().ok_or(error)?;
        let mut secret = Zeroizing::new(body.to_vec());
        self.0
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &associated_data(version, owner),
                secret.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| error)?;
        Ok(secret)
    }
}

impl Sealed {
    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Owner<'_> {
    fn kind(self) -> OwnerKind {
        match self {
            Owner::Credential(_) => OwnerKind::Credential,
            Owner::Service(_) => OwnerKind::Service,
        }
    }
}

impl fmt::Display for OwnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credential => "a credential",
            Self::Service => "the service",
        })
    }
}

/// The version as four bytes, a letter for the kind of owner, and the owner's name.
fn associated_data(version: KeyVersion, owner: Owner<'_>) -> Vec<u8> {
    let mut data = Vec::with_capacity(32);
    data.extend_from_slice(&version.0.to_be_bytes());
    match owner {
        Owner::Credential(id) => {
            data.push(b'c');
            data.extend_from_slice(&id.to_ascii());
        }
        Owner::Service(name) => {
            data.push(b's');
            data.extend_from_slice(name.as_bytes());
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use warifu_wire::Platform;

    use super::*;

    #[test]
    fn a_sealed_secret_opens_for_its_owner_and_version_only() {
        let sealer = Sealer::new(&[1; 32]);
        let owner = Owner::Credential(CredentialId::nth(Platform::Cli, 1));
        let sealed = sealer.seal(
            KeyVersion(1),
            owner,
            b"thirty-two bytes of the secret..",
            &[9; 12],
        );
        let open = |version, owner| sealer.open(KeyVersion(version), owner, sealed.as_bytes());
        assert_eq!(
            open(1, owner).unwrap().as_slice(),
            b"thirty-two bytes of the secret.."
        );
        assert!(open(2, owner).is_err());
        assert!(open(1, Owner::Credential(CredentialId::nth(Platform::Cli, 2))).is_err());
        assert!(open(1, Owner::Service("audit")).is_err());
        assert!(
            Sealer::new(&[2; 32])
                .open(KeyVersion(1), owner, sealed.as_bytes())
                .is_err()
        );
    }

    #[test]
    fn no_changed_bit_and_no_cut_goes_unseen() {
        let sealer = Sealer::new(&[1; 32]);
        let owner = Owner::Service("audit");
        let sealed = sealer.seal(KeyVersion(1), owner, &[5; 32], &[9; 12]);
        for place in 0..sealed.as_bytes().len() {
            let mut changed = sealed.as_bytes().to_vec();
            changed[place] ^= 1;
            assert!(sealer.open(KeyVersion(1), owner, &changed).is_err());
            assert!(
                sealer
                    .open(KeyVersion(1), owner, &sealed.as_bytes()[..place])
                    .is_err()
            );
        }
    }
}
