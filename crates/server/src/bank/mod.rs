//! The internet bank: what it does, whoever asks and however they reach it.
//!
//! Pages call the methods of [`Bank`]; a method loads, asks the rule in `warifu-bank`, and writes by the statements of
//! `bank_store`. The token service is reached only through [`OtpLink`].

mod dated;
mod effect;
mod operation;
mod password;
mod read;
mod settings;
mod sign_in;
pub mod staff;
mod stop;
mod token_commands;

use std::convert::Infallible;
use std::sync::Arc;

use jiff::Timestamp;
use warifu_bank::notice::Event;
use warifu_bank::session::SessionKey;
use warifu_bank::uid::Uid;

pub use operation::{Confirmed, Given, NewPassword, Shown};
pub use password::Replacement;
pub use read::{Overview, StatementAsked, StatementLine};
pub use settings::{BankSettings, BilingualText};
pub use sign_in::{Caller, NoSession, SignIn};

use crate::ambient::{Clock, Entropy, random};
use crate::bank_store::{
    account, contract, event, known_browser, notice, operation as stored_operation, outbox,
    session, sign_in_lane,
};
use crate::database::{Database, DatabaseError, Gather, Look, PoolSettings, Tx};
use crate::otp_link::{LinkError, OtpLink};
use crate::passwords::Hasher;

/// The bank gathers nothing: each command has a transaction, or on SQLite a savepoint, of its own.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Gather for Alone {
    type Item = Infallible;
    type Answer = Infallible;

    fn run(&self, _: &mut Tx<'_>, _: &[Infallible]) -> Result<Vec<Infallible>, DatabaseError> {
        Ok(Vec::new())
    }
}

/// What every page needs: contracts, sessions, and room for a write.
const READINESS: Look = Look {
    read: |tx| {
        tx.query_one("SELECT id FROM contracts LIMIT 1", &[], |row| row.int(0))?;
        tx.query_one("SELECT seen_at FROM sessions LIMIT 1", &[], |row| {
            row.int(0)
        })
        .map(drop)
    },
    write: stored_operation::try_to_write,
};

/// What should not happen. The outcome of the operation is not known; asking again by its key settles it.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The bank's database.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The token service gave no answer. Nothing was consumed, or the same code with the same key goes on (rule S7).
    #[error("{0}")]
    TokenService(#[from] LinkError),
}

/// The internet bank.
pub struct Bank {
    database: Arc<Database<Alone>>,
    verifier: OtpLink,
    hasher: Arc<Hasher>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Arc<BankSettings>,
}

/// Who asks: a session, where it is and when.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The session.
    pub session: session::Stored,
    /// The client's network address, for the trail.
    pub address: String,
}

impl Visitor {
    /// The key of its session.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        self.session.key
    }
}

impl Bank {
    /// Opens the database's connections.
    ///
    /// # Errors
    /// When the database cannot be opened, or written.
    pub fn start(
        pool: &PoolSettings,
        verifier: OtpLink,
        hasher: Arc<Hasher>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: BankSettings,
    ) -> Result<Self, DatabaseError> {
        Ok(Self {
            database: Arc::new(Database::open(pool, Arc::new(Alone))?),
            verifier,
            hasher,
            clock,
            entropy,
            settings: Arc::new(settings),
        })
    }

    /// The bank's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the bank was told.
    #[must_use]
    pub fn settings(&self) -> &BankSettings {
        &self.settings
    }

    /// A new name for a row or an operation.
    #[must_use]
    pub fn uid(&self) -> Uid {
        Uid::new(self.now(), &random(&*self.entropy))
    }

    /// Its database, for the worker that sends its mails. [`Bank::close`] comes after the worker's end.
    #[must_use]
    pub fn database(&self) -> Arc<Database<Alone>> {
        Arc::clone(&self.database)
    }

    /// Whether its database answers and, after a write failed, takes writes.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub async fn reachable(&self) -> Result<(), DatabaseError> {
        self.database.ready(READINESS).await
    }

    /// How many mails wait, and how many of those were tried in vain.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub async fn mails_waiting(&self) -> Result<(i64, i64), DatabaseError> {
        self.database.read(outbox::waiting).await
    }

    /// Makes what every bank has: its own accounts.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub async fn prepare(&self) -> Result<(), DatabaseError> {
        let now = self.now();
        self.database
            .write(move |tx| account::ensure_inner(tx, now))
            .await
    }

    /// Forgets what is of no use any more: lanes of sign-ins that nobody tried for a day, browsers nobody used for long.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub async fn tidy_up(&self) -> Result<(), DatabaseError> {
        let now = self.now();
        self.database
            .write(move |tx| {
                sign_in_lane::forget_old(tx, now)?;
                known_browser::forget_old(tx, now)
            })
            .await
            .map(drop)
    }

    /// Runs what waits and ends the database's threads.
    pub fn close(self) {
        if let Some(database) = Arc::into_inner(self.database) {
            database.close();
        }
    }
}

/// A row of a contract's trail, a notice, and a mail to his address.
fn tell(
    tx: &mut Tx<'_>,
    stored: &contract::Stored,
    event: &Event,
    actor: &str,
    address: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<(), DatabaseError> {
    let row = event::Event {
        contract: stored.contract.id,
        at: now,
        actor,
        word: event.word(),
        details: &event.to_stored(),
        address,
    };
    event::append(tx, &row)?;
    let addresses: Vec<&str> = stored.mail.as_deref().into_iter().collect();
    let uid = || Uid::new(now, &random(entropy));
    notice::tell(
        tx,
        stored.contract.id,
        event,
        &stored.language,
        &addresses,
        now,
        uid,
    )
}

impl std::fmt::Debug for Bank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bank(…)")
    }
}
