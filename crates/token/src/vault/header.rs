use serde::{Deserialize, Serialize};
use warifu_wire::Base64Url;
use zeroize::Zeroizing;

use super::{VaultError, VaultKey, seal};
use crate::edge::random_bytes;
use crate::passphrase::Cost;
use crate::{CredentialId, Edge, OsKeyStore, Passphrase};

/// The format that this program writes.
const VERSION: u32 = 1;

/// Binds a wrapped key to its use.
const WRAP_CONTEXT: &[u8] = b"warifu-token vault key v1";

/// What a vault says to anyone: whose it is and where its key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    #[serde(rename = "warifu_token_vault")]
    version: u32,
    /// The token's ID, no secret (rule S1): so that it can be named even when the key is lost.
    pub credential_id: CredentialId,
    /// Where the key is.
    pub key: KeySlot,
}

/// Where the key of a vault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySlot {
    /// In the operating system's key store.
    OsKeyStore {
        /// The entry's name there.
        entry: String,
    },
    /// Here, under a passphrase.
    Passphrase {
        /// Argon2id's memory, in KiB (RFC 9106 §3.1).
        memory_kib: u32,
        /// Argon2id's passes.
        passes: u32,
        /// Argon2id's lanes.
        lanes: u32,
        /// Argon2id's salt.
        salt: Base64Url<16>,
        /// The nonce of the wrapping.
        nonce: Base64Url<24>,
        /// The vault's key, sealed with XChaCha20-Poly1305 under the stretched passphrase.
        wrapped: Base64Url<48>,
    },
}

#[derive(Deserialize)]
struct VersionOnly {
    warifu_token_vault: u32,
}

impl Header {
    pub(crate) fn new(credential_id: CredentialId, key: KeySlot) -> Self {
        Self {
            version: VERSION,
            credential_id,
            key,
        }
    }

    /// The version first, so that a newer format is told from a damaged one.
    pub(super) fn parse(line: &[u8]) -> Result<Self, VaultError> {
        let head: VersionOnly = serde_json::from_slice(line).map_err(|_| VaultError::Damaged)?;
        if head.warifu_token_vault > VERSION {
            return Err(VaultError::FromTheFuture {
                version: head.warifu_token_vault,
            });
        }
        let header: Self = serde_json::from_slice(line).map_err(|_| VaultError::Damaged)?;
        if header.version == VERSION {
            Ok(header)
        } else {
            Err(VaultError::Damaged)
        }
    }

    /// One line of JSON with its end.
    pub(crate) fn to_line(&self) -> Result<Vec<u8>, VaultError> {
        let mut line = serde_json::to_vec(self).map_err(|_| VaultError::Damaged)?;
        line.push(b'\n');
        Ok(line)
    }
}

impl KeySlot {
    /// Files `key` in the operating system's store, under a fresh name.
    pub(crate) fn in_store(
        store: &OsKeyStore,
        key: &VaultKey,
        edge: &dyn Edge,
    ) -> Result<Self, VaultError> {
        let name: Zeroizing<[u8; 16]> = random_bytes(edge)?;
        let entry = format!("vault-{}", data_encoding::HEXLOWER.encode(name.as_slice()));
        store.put(&entry, key)?;
        Ok(Self::OsKeyStore { entry })
    }

    /// Wraps `key` under a passphrase.
    pub(crate) fn under(
        passphrase: &Passphrase,
        key: &VaultKey,
        edge: &dyn Edge,
    ) -> Result<Self, VaultError> {
        let cost = Cost::NEW;
        let salt = random_bytes(edge)?;
        let nonce = random_bytes(edge)?;
        let stretched = passphrase.stretch(&salt, cost).ok_or(VaultError::Damaged)?;
        let wrapped = seal::seal(&stretched, &nonce, WRAP_CONTEXT, key.bytes())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(VaultError::Damaged)?;
        Ok(Self::Passphrase {
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            salt: Base64Url(*salt),
            nonce: Base64Url(*nonce),
            wrapped: Base64Url(wrapped),
        })
    }

    /// The key that [`KeySlot::under`] wrapped; damaged when the header asks for an absurd cost.
    pub(crate) fn unwrap_with(&self, passphrase: &Passphrase) -> Result<VaultKey, VaultError> {
        let Self::Passphrase {
            memory_kib,
            passes,
            lanes,
            salt,
            nonce,
            wrapped,
        } = self
        else {
            return Err(VaultError::WrongPassphrase);
        };
        let cost = Cost {
            memory_kib: *memory_kib,
            passes: *passes,
            lanes: *lanes,
        };
        let stretched = passphrase
            .stretch(&salt.0, cost)
            .ok_or(VaultError::Damaged)?;
        let mut sealed = nonce.0.to_vec();
        sealed.extend_from_slice(&wrapped.0);
        let bytes =
            seal::open(&stretched, WRAP_CONTEXT, &sealed).ok_or(VaultError::WrongPassphrase)?;
        let key = bytes
            .as_slice()
            .try_into()
            .map_err(|_| VaultError::Damaged)?;
        Ok(VaultKey::from_bytes(Zeroizing::new(key)))
    }
}
