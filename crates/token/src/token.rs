use jiff::Timestamp;

use crate::vault::{Contents, VaultKey};
use crate::{
    Codes, CodesError, Contact, CredentialId, Edge, KeySlot, OsKeyStore, Passphrase,
    ServiceAddress, Vault, VaultError,
};

/// An opened vault: the token in the customer's hand.
#[derive(Debug)]
pub struct Token {
    contents: Contents,
    keeper: ContactKeeper,
}

/// Writes what later contacts teach about the clock into the vault; may live in another thread.
#[derive(Debug, Clone)]
pub struct ContactKeeper {
    vault: Vault,
    line: Vec<u8>,
    key: VaultKey,
}

/// What became of a contact that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is in the vault.
    Stored,
    /// Another instance is writing; the next contact will do.
    Busy,
    /// The vault is gone, or holds another token by now.
    Gone,
}

/// The vault did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The vault itself.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its key is under a passphrase, and none was given.
    #[error("the vault is under a passphrase")]
    PassphraseNeeded,
}

impl Token {
    pub(crate) fn new(vault: Vault, line: Vec<u8>, key: VaultKey, contents: Contents) -> Self {
        Self {
            contents,
            keeper: ContactKeeper { vault, line, key },
        }
    }

    /// Opens the vault. `store` and `passphrase` are called only where the header asks for them.
    ///
    /// # Errors
    /// When there is no vault, it is not sound, or its key is not to be had.
    pub fn open<E: From<OpenError>>(
        vault: &Vault,
        store: impl FnOnce() -> Result<OsKeyStore, E>,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<Self, E> {
        let sealed = vault.load().map_err(OpenError::from)?;
        let key = match &sealed.header.key {
            KeySlot::OsKeyStore { entry } => store()?
                .get(entry)
                .map_err(VaultError::from)
                .map_err(OpenError::from)?,
            slot @ KeySlot::Passphrase { .. } => {
                slot.unwrap_with(&passphrase()?).map_err(OpenError::from)?
            }
        };
        let contents = sealed.open(&key).map_err(OpenError::from)?;
        // The sealed word and the open one are written together; that they differ is no accident.
        if contents.details.credential_id != sealed.header.credential_id {
            return Err(OpenError::Vault(VaultError::Damaged).into());
        }
        Ok(Self::new(vault.clone(), sealed.line, key, contents))
    }

    /// The token's ID.
    #[must_use]
    pub fn id(&self) -> &CredentialId {
        &self.contents.details.credential_id
    }

    /// The service that it is registered with.
    #[must_use]
    pub fn service(&self) -> &ServiceAddress {
        &self.contents.details.service
    }

    /// When it was registered, by the service's clock.
    #[must_use]
    pub fn registered_at(&self) -> Timestamp {
        self.contents.details.registered_at
    }

    /// What is known of this device's clock.
    #[must_use]
    pub fn contact(&self) -> Contact {
        self.contents.details.contact
    }

    /// The codes at what the device's clock shows, corrected by the last contact (rules T3 and T6).
    ///
    /// # Errors
    /// When the clock stands before 1970.
    pub fn codes(&self, device_now: Timestamp) -> Result<Codes, CodesError> {
        Codes::at(&self.contents.secret, self.contact().correct(device_now))
    }

    /// Counts with a newer contact from now on. [`ContactKeeper::keep`] writes it down.
    pub fn learn(&mut self, contact: Contact) {
        self.contents.details.contact = contact;
    }

    /// What writes contacts down, for a thread of its own.
    #[must_use]
    pub fn contact_keeper(&self) -> ContactKeeper {
        self.keeper.clone()
    }
}

impl ContactKeeper {
    /// Writes `contact` into the vault, unless another instance is writing or the token has changed.
    ///
    /// # Errors
    /// When the vault cannot be read or written.
    pub fn keep(&self, contact: Contact, edge: &dyn Edge) -> Result<Kept, VaultError> {
        let Some(lock) = self.vault.try_lock()? else {
            return Ok(Kept::Busy);
        };
        let sealed = match self.vault.load() {
            Err(VaultError::Missing) => return Ok(Kept::Gone),
            other => other?,
        };
        if sealed.line != self.line {
            return Ok(Kept::Gone);
        }
        let mut contents = sealed.open(&self.key)?;
        contents.details.contact = contact;
        self.vault
            .write(&lock, &self.line, &self.key, &contents, edge)?;
        Ok(Kept::Stored)
    }
}
