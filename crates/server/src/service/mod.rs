//! The token service: what it does, whoever asks and however they reach it.

mod commands;
mod hsm;
mod key_source;
mod provisioning;
pub mod rotation;
pub mod secrets;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use warifu_credentials::api_key::ApiKeyHash;
use warifu_credentials::party::PartyId;
use warifu_credentials::request::RequestDigester;
use warifu_credentials::throttle::Rate;

pub use commands::Relation;
pub use hsm::{Hsm, HsmError, PinSource};
pub use key_source::{KeyPlace, KeySource, KeySourceError, Keys};
pub use provisioning::Provisioned;
use secrets::ServiceSecrets;

use crate::ambient::{Clock, Entropy};
use crate::database::{Database, DatabaseError, Look, PoolSettings};
use crate::store::validation::Validations;
use crate::store::{audit, party, service_secret, throttle};
use warifu_credentials::audit::{Chain, Head};

/// How many API keys are remembered; as many as a service has relying parties, and far below what would hurt.
const REMEMBERED_KEYS: usize = 4096;

/// What every command needs: credentials, the trail, and room for a write.
const READINESS: Look = Look {
    read: |tx| {
        tx.query_one("SELECT id FROM credentials LIMIT 1", &[], |row| row.int(0))?;
        audit::heads(tx).map(drop)
    },
    write: service_secret::try_to_write,
};

/// The token service over one database.
pub struct TokenService {
    database: Database<Validations>,
    keys: Arc<Keys>,
    chain: Chain,
    digester: RequestDigester,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    provision_rate: Rate,
    /// Keys that were in force when they were looked up. Only a shortcut: each command looks again in its transaction.
    parties: RwLock<HashMap<ApiKeyHash, PartyId>>,
}

impl TokenService {
    /// Starts the service on a database whose secrets were opened.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn start(
        settings: &PoolSettings,
        keys: Keys,
        secrets: &ServiceSecrets,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        provision_rate: Rate,
    ) -> Result<Self, DatabaseError> {
        let gather = Arc::new(Validations {
            chain: secrets.chain.clone(),
        });
        Ok(Self {
            database: Database::open(settings, gather)?,
            keys: Arc::new(keys),
            chain: secrets.chain.clone(),
            digester: secrets.digester.clone(),
            clock,
            entropy,
            provision_rate,
            parties: RwLock::new(HashMap::new()),
        })
    }

    /// The service's clock.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Whose API key it is; `None` for no key in force.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn authenticate(&self, key: ApiKeyHash) -> Result<Option<PartyId>, DatabaseError> {
        if let Some(party) = self
            .parties
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(Some(*party));
        }
        let found = self
            .database
            .read(move |tx| party::find_by_key(tx, key))
            .await?;
        if let Some(party) = found {
            let mut parties = self.parties.write().unwrap_or_else(PoisonError::into_inner);
            if parties.len() >= REMEMBERED_KEYS {
                parties.clear();
            }
            parties.insert(key, party);
        }
        Ok(found)
    }

    /// Forgets the keys of a relying party that turned out to be revoked.
    fn forget(&self, party: PartyId) {
        self.parties
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, remembered| *remembered != party);
    }

    /// Whether the database answers and, after a write failed, takes writes.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), DatabaseError> {
        self.database.ready(READINESS).await
    }

    /// The head of every audit stream that has rows.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn audit_heads(&self) -> Result<Vec<Head>, DatabaseError> {
        let read = self.database.read(|tx| {
            let heads = audit::heads(tx)?;
            // What is signed and kept apart must not be lost with a primary: verification would find a cut tail.
            tx.confirm()?;
            Ok(heads)
        });
        let mut heads = read.await?;
        heads.retain(|head| head.position.sequence > 0);
        Ok(heads)
    }

    /// When the newest row of the audit trail was written, by the clock of then.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn newest_audited(&self) -> Result<Option<jiff::Timestamp>, DatabaseError> {
        let newest = self.database.read(audit::newest_at).await?;
        Ok(newest.and_then(|at| jiff::Timestamp::from_microsecond(at).ok()))
    }

    /// Forgets what no rule needs any more.
    ///
    /// # Errors
    /// When the database cannot.
    pub async fn tidy_up(&self) -> Result<(), DatabaseError> {
        let now = self.now();
        self.database
            .write(move |tx| throttle::forget_clear(tx, now))
            .await
            .map(drop)
    }

    /// How many commands wait for the database.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.database.waiting()
    }

    /// Runs what waits and ends.
    pub fn close(self) {
        self.database.close();
    }
}

impl std::fmt::Debug for TokenService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenService(…)")
    }
}
