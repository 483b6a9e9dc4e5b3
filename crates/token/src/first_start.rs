use warifu_wire::{Algorithm, Platform, ProvisionAnswer, ProvisionRequest};

use crate::edge::random_bytes;
use crate::secret::DeviceKey;
use crate::vault::{Contents, Details, VaultKey};
use crate::{
    CredentialId, Edge, Header, KeySlot, KeyStoreError, Lock, NoEntropy, OsKeyStore, Passphrase,
    SecretError, Service, ServiceAddress, ServiceError, Token, Vault, VaultError, measure,
};

/// Who keeps the key of a new vault. There is no third choice: never in the clear.
#[derive(Debug)]
pub enum Keeper<'a> {
    /// The operating system's key store.
    OsKeyStore(&'a OsKeyStore),
    /// A passphrase in the customer's head.
    Passphrase(&'a Passphrase),
}

/// The first start did not come to its end. No vault was written.
#[derive(Debug, thiserror::Error)]
pub enum FirstStartError {
    /// There is a vault already: its token stays (rule T5).
    #[error("there is a token here already")]
    AlreadyHere,
    /// The vault's key could not be put away, or the place not be looked at; nothing was registered.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The service did not register the token.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The service's answer makes no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The service speaks of another kind of code than this program makes.
    #[error("the token service asks for codes that this program does not make")]
    OtherCodes,
    /// The token was registered, but could not be put away: its ID is void.
    #[error("token {id} was registered but could not be stored, so it is void: {source}")]
    Void {
        /// The ID that nobody has now.
        id: CredentialId,
        /// Why it could not be stored.
        source: VaultError,
    },
    /// No randomness for a key.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl From<KeyStoreError> for FirstStartError {
    fn from(error: KeyStoreError) -> Self {
        Self::Vault(error.into())
    }
}

/// Registers a new token and stores it (rule T1). With the lock held, so that of two instances
/// started at once one registers and the other finds the vault (rule T5).
///
/// The vault's key is put away before the service is asked: what can fail here fails before an ID
/// is spent on it.
///
/// # Errors
/// See [`FirstStartError`]; in every case no vault is left behind.
pub fn first_start(
    vault: &Vault,
    lock: &Lock,
    keeper: &Keeper<'_>,
    service: (&ServiceAddress, &dyn Service),
    platform: Platform,
    edge: &dyn Edge,
) -> Result<Token, FirstStartError> {
    if vault.exists()? {
        return Err(FirstStartError::AlreadyHere);
    }
    let key = VaultKey::from_bytes(random_bytes(edge)?);
    let slot = match keeper {
        Keeper::OsKeyStore(store) => KeySlot::in_store(store, &key, edge)?,
        Keeper::Passphrase(passphrase) => KeySlot::under(passphrase, &key, edge)?,
    };
    let outcome = register(service, platform, edge)
        .and_then(|contents| store(vault, lock, slot.clone(), key, contents, edge));
    if let (Err(_), Keeper::OsKeyStore(store), KeySlot::OsKeyStore { entry }) =
        (&outcome, keeper, &slot)
    {
        // The key of a vault that is not there; when it stays it opens nothing.
        let _ = store.delete(entry);
    }
    outcome
}

fn register(
    (address, service): (&ServiceAddress, &dyn Service),
    platform: Platform,
    edge: &dyn Edge,
) -> Result<Contents, FirstStartError> {
    let device = DeviceKey::generate(edge)?;
    let asked = edge.now();
    let answer = service.provision(&ProvisionRequest {
        public_key: device.public(),
        platform,
    })?;
    let measured = measure(asked, answer.service_time, edge.now());
    let credential_id = checked(&answer)?;
    let secret = device.derive(&answer.service_public_key, &credential_id)?;
    let details = Details {
        credential_id,
        service: address.clone(),
        registered_at: answer.service_time,
        contact: measured.contact,
    };
    Ok(Contents { secret, details })
}

fn checked(answer: &ProvisionAnswer) -> Result<CredentialId, FirstStartError> {
    if (answer.algorithm, answer.digits, answer.period) != (Algorithm::Sha256, 6, 30) {
        return Err(FirstStartError::OtherCodes);
    }
    answer
        .credential_id
        .parse()
        .map_err(|_| FirstStartError::Service(ServiceError::NotUnderstood))
}

fn store(
    vault: &Vault,
    lock: &Lock,
    slot: KeySlot,
    key: VaultKey,
    contents: Contents,
    edge: &dyn Edge,
) -> Result<Token, FirstStartError> {
    let id = contents.details.credential_id.clone();
    let written = Header::new(id.clone(), slot).to_line().and_then(|line| {
        vault
            .write(lock, &line, &key, &contents, edge)
            .map(|()| line)
    });
    match written {
        Ok(line) => Ok(Token::new(vault.clone(), line, key, contents)),
        Err(source) => Err(FirstStartError::Void { id, source }),
    }
}

#[cfg(test)]
mod tests;
