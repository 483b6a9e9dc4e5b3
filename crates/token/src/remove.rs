use crate::{KeySlot, KeyStoreError, Lock, OsKeyStore, Vault, VaultError};

/// The token is removed, but the key of its vault stayed in the key store. It opens nothing any more.
#[derive(Debug)]
pub struct KeyLeft {
    /// The entry's name there.
    pub entry: String,
    /// Why it stayed.
    pub reason: KeyStoreError,
}

/// Deletes the vault, sound or not, and its key in the key store (rule T8). It needs no key: who lost
/// the passphrase must be able to start over. Asking first is the caller's part.
///
/// # Errors
/// When the vault is not there or the system refuses; then nothing was deleted.
pub fn remove(
    vault: &Vault,
    lock: &Lock,
    store: impl FnOnce() -> Result<OsKeyStore, KeyStoreError>,
) -> Result<Option<KeyLeft>, VaultError> {
    // Under the lock: the file that is deleted is the one whose key is deleted.
    let key = vault.header().ok().map(|header| header.key);
    vault.delete(lock)?;
    let Some(KeySlot::OsKeyStore { entry }) = key else {
        return Ok(None);
    };
    let deleted = store().and_then(|store| store.delete(&entry));
    Ok(deleted.err().map(|reason| KeyLeft { entry, reason }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::tests::StillEdge;
    use crate::key_store::tests::mock_store;
    use crate::vault::{Header, VaultKey};
    use tempfile::TempDir;
    use zeroize::Zeroizing;

    fn vault_with_its_key(folder: &TempDir, store: &OsKeyStore) -> (Vault, String) {
        let vault = Vault::at(folder.path().join("token.vault"));
        let key = VaultKey::from_bytes(Zeroizing::new([3; 32]));
        let slot = KeySlot::in_store(store, &key, &StillEdge::at(0)).unwrap();
        let KeySlot::OsKeyStore { entry } = slot.clone() else {
            panic!("another slot");
        };
        let header = Header::new("WRCA12345671".parse().unwrap(), slot);
        std::fs::write(vault.path(), header.to_line().unwrap()).unwrap();
        (vault, entry)
    }

    #[test]
    fn the_key_in_the_key_store_goes_with_the_vault() {
        let (folder, store) = (TempDir::new().unwrap(), mock_store());
        let (vault, entry) = vault_with_its_key(&folder, &store);
        let lock = vault.lock().unwrap();
        let left = remove(&vault, &lock, || Ok(store.clone())).unwrap();
        assert!(left.is_none(), "{left:?}");
        assert!(!vault.exists().unwrap());
        assert!(matches!(store.get(&entry), Err(KeyStoreError::Gone)));
    }

    #[test]
    fn a_key_store_that_is_away_keeps_nobody_from_removing() {
        let (folder, store) = (TempDir::new().unwrap(), mock_store());
        let (vault, entry) = vault_with_its_key(&folder, &store);
        let lock = vault.lock().unwrap();
        let away = || Err(KeyStoreError::Unavailable("away".to_owned()));
        let left = remove(&vault, &lock, away).unwrap();
        assert_eq!(left.map(|left| left.entry), Some(entry));
        assert!(!vault.exists().unwrap());
    }

    #[test]
    fn a_damaged_vault_can_be_removed_too() {
        let folder = TempDir::new().unwrap();
        let vault = Vault::at(folder.path().join("token.vault"));
        std::fs::write(vault.path(), "no vault").unwrap();
        let lock = vault.lock().unwrap();
        let left = remove(&vault, &lock, || panic!("there is no key to delete")).unwrap();
        assert!(left.is_none());
        assert!(!vault.exists().unwrap());
    }
}
