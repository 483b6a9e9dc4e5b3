//! Every secret sealed again under the newest master key, beside a running service (rule S8).
//!
//! Each batch is a transaction of its own and each row changes only if it is still as it was read, so that it can be
//! interrupted at any moment, run again, and run twice at once.

use warifu_credentials::audit::Kind;
use warifu_credentials::keyring::{KeyVersion, Keyring};
use warifu_credentials::seal::Owner;

use super::secrets::{ServiceSecrets, adopt, key_event, sealer};
use crate::ambient::{Clock, Entropy, random};
use crate::database::{Connection, DatabaseError, Tx};
use crate::store::{audit, credential, service_secret};

/// Secrets that one transaction seals again: a few milliseconds in which nobody else writes to an SQLite file.
const BATCH: i64 = 200;

/// What a rotation needs besides the database.
pub struct Rotation<'a> {
    /// The master keys, the newest included.
    pub keyring: &'a Keyring,
    /// The service's secrets.
    pub secrets: &'a ServiceSecrets,
    /// For the audit rows.
    pub clock: &'a dyn Clock,
    /// For nonces.
    pub entropy: &'a dyn Entropy,
}

impl Rotation<'_> {
    /// Takes the newest master key into use and tells whether it was not in use yet. From then on every copy of the
    /// service seals new secrets under it.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn adopt_newest(
        &self,
        connection: &mut Connection,
    ) -> Result<(KeyVersion, bool), DatabaseError> {
        let version = self.keyring.newest();
        let now = self.clock.now();
        let adopted = connection.transaction(|tx| {
            let adopted = adopt(tx, self.keyring, version, now)?;
            if adopted {
                audit::append(
                    tx,
                    &self.secrets.chain,
                    &[key_event(now, Kind::KeyAdopted, version)],
                )?;
            }
            Ok(adopted)
        })?;
        Ok((version, adopted))
    }

    /// Seals one batch of credentials after `after` again. Gives the last ID of the batch and how many were sealed;
    /// `None` when no more are left.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine, or when the master key of a secret is not at hand.
    pub fn batch(
        &self,
        connection: &mut Connection,
        after: i64,
    ) -> Result<Option<(i64, usize)>, DatabaseError> {
        let to = self.keyring.newest();
        connection.transaction(|tx| {
            let stale = credential::sealed_otherwise(tx, to, after, BATCH)?;
            let Some((last, ..)) = stale.last() else {
                return Ok(None);
            };
            let last = last.to_stored();
            let mut count = 0;
            for (id, sealed, from) in stale {
                let resealed = self.reseal(from, to, Owner::Credential(id), &sealed)?;
                count += usize::from(credential::reseal(tx, id, from, to, &resealed)?);
            }
            Ok(Some((last, count)))
        })
    }

    /// Seals the service's own secrets again and writes down that all is done.
    ///
    /// # Errors
    /// As for [`Self::batch`].
    pub fn finish(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let to = self.keyring.newest();
        let now = self.clock.now();
        connection.transaction(|tx| {
            self.service_secrets(tx, to)?;
            audit::append(
                tx,
                &self.secrets.chain,
                &[key_event(now, Kind::KeyRotated, to)],
            )
        })
    }

    fn service_secrets(&self, tx: &mut Tx<'_>, to: KeyVersion) -> Result<(), DatabaseError> {
        for (name, sealed, from) in service_secret::list(tx)? {
            if from != to {
                let resealed = self.reseal(from, to, Owner::Service(&name), &sealed)?;
                service_secret::reseal(tx, &name, from, to, &resealed)?;
            }
        }
        Ok(())
    }

    fn reseal(
        &self,
        from: KeyVersion,
        to: KeyVersion,
        owner: Owner<'_>,
        sealed: &[u8],
    ) -> Result<warifu_credentials::seal::Sealed, DatabaseError> {
        let secret = sealer(self.keyring, from)?
            .open(from, owner, sealed)
            .map_err(|error| DatabaseError::Secret(error.to_string()))?;
        Ok(sealer(self.keyring, to)?.seal(to, owner, &secret, &random(self.entropy)))
    }
}
