//! Credentials whose secrets both sides know: the database holds them sealed, whoever has the seed makes their codes.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::{KeyVersion, Keyring};
use warifu_credentials::seal::{Owner, Sealed};
use warifu_credentials::{Algorithm, Code, Digits, Generator, TimeStep};
use warifu_wire::Platform;
use zeroize::Zeroizing;

use super::BenchError;
use crate::ambient::{Entropy, SystemEntropy, random};
use crate::database::{Connection, DatabaseError, Tx, Value};
use crate::store::credential;

/// A prime that spreads the numbers over the whole space of IDs, as random ones would be.
const STRIDE: u64 = 99_999_989;

/// Rows of one transaction while loading.
const LOADED_AT_ONCE: usize = 10_000;

/// What the secrets of sample credentials are made of.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// The sample credential of this number.
#[must_use]
pub fn id(number: u64) -> CredentialId {
    let place = u128::from(number) * u128::from(STRIDE) % u128::from(CredentialId::PER_PLATFORM);
    CredentialId::nth(Platform::Cli, u64::try_from(place).unwrap_or_default())
}

/// So many sample credentials, in the order of their IDs.
#[must_use]
pub fn ids(count: u32) -> Vec<CredentialId> {
    let mut ids: Vec<_> = (0..u64::from(count)).map(id).collect();
    ids.sort_unstable();
    ids
}

/// Puts things in an order that has nothing to do with where they were (Fisher and Yates).
pub fn shuffle<T>(things: &mut [T]) {
    let mut bytes = [0; 8];
    for end in (1..things.len()).rev() {
        SystemEntropy.fill(&mut bytes);
        let range = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(1);
        let place = usize::try_from(u64::from_ne_bytes(bytes) % range).unwrap_or(end);
        things.swap(end, place);
    }
}

impl Seed {
    /// From 32 bytes.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the file that keeps them.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret of a credential.
    #[must_use]
    pub fn secret(&self, id: CredentialId) -> Zeroizing<[u8; 32]> {
        let mut hash = Sha256::new_with_prefix(b"warifu benchmark");
        hash.update(self.0.as_slice());
        hash.update(id.to_stored().to_be_bytes());
        Zeroizing::new(hash.finalize().into())
    }

    /// The secret of a credential as the database holds it.
    ///
    /// # Errors
    /// When the keyring is empty.
    pub fn sealed(&self, keyring: &Keyring, id: CredentialId) -> Result<Sealed, BenchError> {
        let version = keyring.newest();
        let sealer = keyring
            .sealer(version)
            .ok_or_else(|| BenchError::said("the keyring is empty"))?;
        let owner = Owner::Credential(id);
        Ok(sealer.seal(version, owner, &*self.secret(id), &random(&SystemEntropy)))
    }

    /// What makes the codes of a credential.
    ///
    /// # Errors
    /// When the secret is none for a generator, which its length rules out.
    pub fn generator(&self, id: CredentialId) -> Result<Generator, BenchError> {
        Generator::from_bytes(&*self.secret(id), Algorithm::Sha256, Digits::SIX)
            .map_err(|error| BenchError::said(error.to_string()))
    }

    /// The code of a credential at a step.
    ///
    /// # Errors
    /// As for [`Seed::generator`].
    pub fn code(&self, id: CredentialId, step: TimeStep) -> Result<Code, BenchError> {
        Ok(self.generator(id)?.totp(step))
    }
}

/// Puts credentials into a token service's database, and tells after each transaction how many there are.
///
/// # Errors
/// When the database takes none.
pub fn load(
    connection: &mut Connection,
    keyring: &Keyring,
    seed: &Seed,
    ids: &[CredentialId],
    now: Timestamp,
    mut loaded: impl FnMut(usize),
) -> Result<(), BenchError> {
    let version = keyring.newest();
    for (number, part) in ids.chunks(LOADED_AT_ONCE).enumerate() {
        let mut rows = Vec::with_capacity(part.len());
        for id in part {
            rows.push((*id, seed.sealed(keyring, *id)?));
        }
        connection.transaction(|tx| match tx {
            Tx::Sqlite(_) => rows.iter().try_for_each(|(id, sealed)| {
                credential::insert(tx, *id, sealed, version, now).map(drop)
            }),
            Tx::Postgres(_) => copy(tx, &rows, version, now),
        })?;
        loaded(number * LOADED_AT_ONCE + part.len());
    }
    Ok(())
}

/// What the service inserts one by one, by arrays: a round trip a row would take minutes.
fn copy(
    tx: &mut Tx<'_>,
    rows: &[(CredentialId, Sealed)],
    version: KeyVersion,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let ids: Vec<_> = rows.iter().map(|(id, _)| id.to_stored()).collect();
    let sealed: Vec<_> = rows
        .iter()
        .map(|(_, sealed)| Some(sealed.as_bytes()))
        .collect();
    tx.execute_exactly(
        rows.len(),
        "sample credentials",
        "INSERT INTO credentials (id, state, algorithm, digits, period, sealed, key_version, last_step, drift, provisioned_at)
         SELECT new.id, 0, 2, 6, 30, new.sealed, ?3::BIGINT, -1, 0, ?4::BIGINT FROM unnest(?1::BIGINT[], ?2::BYTEA[]) AS new (id, sealed)",
        &[
            Value::Ints(&ids),
            Value::ByteStrings(&sealed),
            Value::Int(i64::from(version.0)),
            Value::Int(now.as_microsecond()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sample_credentials_are_all_different_and_spread_over_the_space() {
        let ids = ids(100_000);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100_000);
        let lots: BTreeSet<_> = ids.iter().map(|id| id.to_ascii()[3]).collect();
        assert!(lots.len() > 10, "{lots:?}");
    }

    #[test]
    fn another_seed_makes_other_secrets() {
        let seed = |byte| Seed::new(Zeroizing::new([byte; 32]));
        assert_eq!(*seed(1).secret(id(7)), *seed(1).secret(id(7)));
        assert_ne!(*seed(1).secret(id(7)), *seed(2).secret(id(7)));
        assert_ne!(*seed(1).secret(id(7)), *seed(1).secret(id(8)));
        assert!(!format!("{:?}", seed(7)).contains('7'));
    }
}
