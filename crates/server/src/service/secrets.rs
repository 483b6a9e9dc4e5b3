//! The service's own secrets: made at the first start, opened at every start (rule S8).

use jiff::Timestamp;
use warifu_credentials::audit::{Chain, Event, Kind};
use warifu_credentials::checkpoint::CheckpointSigner;
use warifu_credentials::keyring::{KeyCheck, KeyVersion, Keyring};
use warifu_credentials::request::RequestDigester;
use warifu_credentials::seal::Owner;
use zeroize::Zeroizing;

use crate::ambient::{Entropy, random};
use crate::database::{DatabaseError, Tx};
use crate::store::{audit, seal_key, service_secret};

const CHAIN: &str = "audit_chain";
const DIGESTER: &str = "request_digest";
const SIGNER: &str = "checkpoint_signer";

/// The service's own secrets, opened.
pub struct ServiceSecrets {
    /// Chains the audit rows.
    pub chain: Chain,
    /// Digests requests.
    pub digester: RequestDigester,
    /// Signs audit checkpoints.
    pub signer: CheckpointSigner,
}

impl ServiceSecrets {
    /// Opens the secrets, and on a new database makes them and begins the audit trail. Every master key that the
    /// database was sealed under must be the one at hand.
    ///
    /// # Errors
    /// [`DatabaseError::Secret`] says which master key is wrong or missing.
    pub fn open(
        tx: &mut Tx<'_>,
        keyring: &Keyring,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, DatabaseError> {
        let known = seal_key::list(tx)?;
        check_keys(&known, keyring)?;
        let version = match known.last() {
            Some((version, _)) => *version,
            None => {
                adopt(tx, keyring, keyring.newest(), now)?;
                keyring.newest()
            }
        };
        for name in [CHAIN, DIGESTER, SIGNER] {
            let secret = random::<32>(entropy);
            let sealed = sealer(keyring, version)?.seal(
                version,
                Owner::Service(name),
                secret.as_slice(),
                &random(entropy),
            );
            service_secret::insert(tx, name, &sealed, version)?;
        }
        let secrets = Self::read(tx, keyring)?;
        audit::open(tx, &secrets.chain, now)?;
        Ok(secrets)
    }

    /// Opens the secrets of a database that has them, and changes nothing.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn read(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<Self, DatabaseError> {
        check_keys(&seal_key::list(tx)?, keyring)?;
        let stored = service_secret::list(tx)?;
        let open = |name: &str| -> Result<Zeroizing<[u8; 32]>, DatabaseError> {
            let (_, sealed, version) = stored
                .iter()
                .find(|(stored, ..)| stored == name)
                .ok_or_else(|| {
                    DatabaseError::Secret(format!(
                        "the service's secret {name} is missing from the database"
                    ))
                })?;
            let secret = sealer(keyring, *version)?
                .open(*version, Owner::Service(name), sealed)
                .map_err(|error| DatabaseError::Secret(error.to_string()))?;
            let bytes = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| {
                DatabaseError::Secret(format!(
                    "the service's secret {name} has another length than 32 bytes"
                ))
            })?;
            Ok(Zeroizing::new(bytes))
        };
        Ok(Self {
            chain: Chain::new(open(CHAIN)?),
            digester: RequestDigester::new(open(DIGESTER)?),
            signer: CheckpointSigner::new(&open(SIGNER)?),
        })
    }
}

impl std::fmt::Debug for ServiceSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceSecrets(…)")
    }
}

/// Compares the keys at hand with those that the database knows.
fn check_keys(known: &[(KeyVersion, KeyCheck)], keyring: &Keyring) -> Result<(), DatabaseError> {
    let newest = known.last().map(|(version, _)| *version);
    for (version, check) in known {
        match keyring.matches(*version, *check) {
            Some(true) => {}
            Some(false) => {
                return Err(DatabaseError::Secret(format!(
                    "the master key {version} is not the one that this database was sealed under: restore the right key"
                )));
            }
            // An old version may be gone once nothing is sealed under it; whatever still is will say so by itself.
            None if newest != Some(*version) => {}
            None => {
                return Err(DatabaseError::Secret(format!(
                    "the master key {version}, which this database is sealed under, is missing from the key source"
                )));
            }
        }
    }
    Ok(())
}

/// Takes a master key into use for whatever is sealed from now on; nothing happens when it is already.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn adopt(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    version: KeyVersion,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let check = keyring
        .check(version)
        .ok_or_else(|| DatabaseError::Secret(format!("the master key {version} is not at hand")))?;
    seal_key::adopt(tx, version, check, now)
}

/// What seals and opens under a version.
///
/// # Errors
/// [`DatabaseError::Secret`] when the key is not at hand.
pub fn sealer(
    keyring: &Keyring,
    version: KeyVersion,
) -> Result<&warifu_credentials::seal::Sealer, DatabaseError> {
    keyring
        .sealer(version)
        .ok_or_else(|| DatabaseError::Secret(format!("the master key {version} is not at hand")))
}

/// The audit row of a master key's step.
#[must_use]
pub fn key_event(now: Timestamp, kind: Kind, version: KeyVersion) -> Event {
    Event {
        detail: i64::from(version.0),
        ..Event::new(now, kind)
    }
}
