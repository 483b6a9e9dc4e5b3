use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use crate::edge::random_bytes;
use crate::vault::VaultKey;
use crate::{Edge, NoEntropy};

/// The name under which entries are filed in the operating system's key store.
const SERVICE: &str = "warifu-token";

/// The key store of the operating system, where a vault's key lives: Keychain on macOS, Credential
/// Manager on Windows, the Secret Service (GNOME Keyring, KWallet) elsewhere.
#[derive(Clone)]
pub struct OsKeyStore {
    store: Arc<CredentialStore>,
}

/// The key store did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// There is none, or it is not running.
    #[error("there is no usable key store here ({0})")]
    Unavailable(String),
    /// It is there and says no, for example because it stays locked.
    #[error("the key store refused ({0})")]
    Refused(String),
    /// It holds no entry of this name any more.
    #[error("the key store no longer holds the vault's key")]
    Gone,
    /// What it gave back is not what was put in.
    #[error("the key store gave back something else")]
    Garbled,
}

impl OsKeyStore {
    /// The key store of this session.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_this_session() -> Result<Self, KeyStoreError> {
        let store =
            platform_store().map_err(|error| KeyStoreError::Unavailable(error.to_string()))?;
        Ok(Self { store })
    }

    /// Any store that speaks keyring-core's interface.
    #[must_use]
    pub fn over(store: Arc<CredentialStore>) -> Self {
        Self { store }
    }

    /// Files an entry and deletes it, to learn whether the store works before relying on it.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, edge: &dyn Edge) -> Result<(), KeyStoreError> {
        let unavailable = |error: NoEntropy| KeyStoreError::Unavailable(error.to_string());
        let key = random_bytes(edge).map_err(unavailable)?;
        // A name of its own: another instance may be checking for another vault.
        let name = random_bytes::<16>(edge).map_err(unavailable)?;
        let entry = format!("check-{}", HEXLOWER.encode(name.as_slice()));
        self.put(&entry, &VaultKey::from_bytes(key))?;
        self.delete(&entry)
    }

    /// What people call it.
    #[must_use]
    pub fn name() -> &'static str {
        if cfg!(target_os = "macos") {
            "Keychain"
        } else if cfg!(windows) {
            "Credential Manager"
        } else {
            "Secret Service"
        }
    }

    /// Files `key` under `entry`, and reads it back before anything relies on it.
    pub(crate) fn put(&self, entry: &str, key: &VaultKey) -> Result<(), KeyStoreError> {
        self.entry(entry)?
            .set_secret(key.bytes())
            .map_err(refused)?;
        if self.get(entry)?.bytes() == key.bytes() {
            Ok(())
        } else {
            Err(KeyStoreError::Garbled)
        }
    }

    pub(crate) fn get(&self, entry: &str) -> Result<VaultKey, KeyStoreError> {
        let bytes = Zeroizing::new(self.entry(entry)?.get_secret().map_err(refused)?);
        let key = bytes
            .as_slice()
            .try_into()
            .map_err(|_| KeyStoreError::Garbled)?;
        Ok(VaultKey::from_bytes(Zeroizing::new(key)))
    }

    /// Deletes `entry`; that it is already gone is no error.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn delete(&self, entry: &str) -> Result<(), KeyStoreError> {
        match self.entry(entry)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    fn entry(&self, entry: &str) -> Result<Entry, KeyStoreError> {
        self.store.build(SERVICE, entry, None).map_err(refused)
    }
}

/// The error's own words; never its data, which may hold what was stored.
fn refused(error: Error) -> KeyStoreError {
    match error {
        Error::NoEntry => KeyStoreError::Gone,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyStoreError::Garbled,
        other => KeyStoreError::Refused(other.to_string()),
    }
}

impl fmt::Debug for OsKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OsKeyStore({})", self.store.vendor())
    }
}

#[cfg(target_os = "macos")]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::edge::tests::StillEdge;
    use keyring_core::api::CredentialStoreApi;

    pub(crate) fn mock_store() -> OsKeyStore {
        OsKeyStore::over(keyring_core::mock::Store::new().unwrap())
    }

    #[test]
    fn a_store_that_works_passes_the_check_and_a_locked_one_does_not() {
        let edge = StillEdge::at(0);
        mock_store().check(&edge).unwrap();
        let mock = keyring_core::mock::Store::new().unwrap();
        // The edge's next bytes but one name the entry.
        let entry = mock
            .build(SERVICE, &format!("check-{}", "04".repeat(16)), None)
            .unwrap();
        let credential: &keyring_core::mock::Cred = entry.as_any().downcast_ref().unwrap();
        credential.set_error(Error::NoStorageAccess("locked".into()));
        let outcome = OsKeyStore::over(mock).check(&edge);
        assert!(
            matches!(outcome, Err(KeyStoreError::Refused(_))),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_key_comes_back_until_it_is_deleted() {
        let store = mock_store();
        let key = VaultKey::from_bytes(Zeroizing::new([3; 32]));
        store.put("one", &key).unwrap();
        assert_eq!(store.get("one").unwrap().bytes(), key.bytes());
        store.delete("one").unwrap();
        assert!(matches!(store.get("one"), Err(KeyStoreError::Gone)));
        store.delete("one").unwrap();
    }
}
