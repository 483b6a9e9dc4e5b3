//! Keeps so many validations in flight through the database for as long as a round lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use warifu::ambient::stopwatch;
use warifu::database::{Database, Location, PoolSettings, Waiting};
use warifu::store::validation::Validations;
use warifu_wire::ValidateAnswer;

use crate::credentials::{Tokens, shuffle};
use crate::database::Prepared;
use crate::machine::Disk;
use crate::round::{Round, real};
use crate::used::Used;
use crate::{Result, credentials};

/// A database under load, and how far the load has come.
pub(crate) struct Driven {
    /// The database as it was made.
    pub(crate) prepared: Prepared,
    /// The tokens that are asked.
    pub(crate) tokens: Arc<Tokens>,
    database: Arc<Database<Validations>>,
    turns: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
}

impl Driven {
    /// Opens a database as the server does, with the server's own defaults.
    pub(crate) fn open(prepared: Prepared, count: u32) -> Result<Self> {
        let default = warifu::config::TokenServiceConfig::default().cache_mib;
        Self::open_with_cache(prepared, count, default)
    }

    /// The same with another page cache of SQLite, MiB.
    pub(crate) fn open_with_cache(prepared: Prepared, count: u32, cache_mib: u32) -> Result<Self> {
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let settings = settings(&prepared.location, cache_mib, move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })?;
        let gather = Arc::new(Validations {
            chain: prepared.chain.clone(),
        });
        let mut ids = credentials::ids(count);
        shuffle(&mut ids);
        let tokens = Tokens {
            ids,
            party: prepared.party,
            keyring: Arc::clone(&prepared.keyring),
            digester: prepared.digester.clone(),
            purpose: credentials::PURPOSE.parse()?,
        };
        Ok(Self {
            database: Arc::new(Database::open(&settings, gather)?),
            prepared,
            tokens: Arc::new(tokens),
            turns: Arc::new(AtomicU64::new(0)),
            commits,
        })
    }

    /// How many validations were answered so far; each was accepted.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// The database itself, for what is neither a validation nor measured.
    pub(crate) fn database(&self) -> Arc<Database<Validations>> {
        Arc::clone(&self.database)
    }

    /// What the writer's own connection says of how it keeps what it commits; nothing on PostgreSQL.
    pub(crate) async fn pragmas(&self) -> Result<String> {
        let (synchronous, journal, page) = self
            .database
            .write(|tx| {
                let mut number = |sql| tx.query_one(sql, &[], |row| row.int(0));
                let (synchronous, page) =
                    (number("PRAGMA synchronous")?, number("PRAGMA page_size")?);
                let journal = tx.query_one("PRAGMA journal_mode", &[], |row| row.text(0))?;
                Ok((synchronous, journal, page))
            })
            .await?;
        if synchronous != Some(2) {
            return Err("SQLite's synchronous is not FULL: nothing would be durable".into());
        }
        Ok(format!(
            "synchronous=2 (FULL) journal_mode={} page_size={}",
            journal.unwrap_or_default(),
            page.unwrap_or_default()
        ))
    }

    /// One round: each of `in_flight` tasks asks, waits for the durable answer, and asks again.
    pub(crate) async fn round(
        &self,
        disk: &Disk,
        in_flight: u16,
        length: Duration,
    ) -> Result<Round> {
        let fdatasync = disk.fdatasync()?;
        let commits = self.commits.load(Ordering::Relaxed);
        let before = Used::here()?;
        let start = stopwatch();
        let end = start + length;
        let mut tasks = JoinSet::new();
        for _ in 0..in_flight {
            tasks.spawn(ask(
                Arc::clone(&self.database),
                Arc::clone(&self.tokens),
                Arc::clone(&self.turns),
                end,
            ));
        }
        let mut waits = Vec::new();
        while let Some(asked) = tasks.join_next().await {
            waits.extend(asked??);
        }
        let took = start.elapsed();
        let mut round = Round::new(fdatasync, took, waits, Used::here()?.since(&before));
        let commits = self.commits.load(Ordering::Relaxed) - commits;
        round.group = Some(real(round.answered) / real(commits.max(1)));
        Ok(round)
    }

    /// Ends the threads of the database; what it holds can then be checked.
    pub(crate) fn close(self) -> Result<(Prepared, Arc<Tokens>, u64)> {
        let turns = self.turns();
        let database = Arc::try_unwrap(self.database).map_err(|_| "a task still runs")?;
        database.close();
        Ok((self.prepared, self.tokens, turns))
    }
}

async fn ask(
    database: Arc<Database<Validations>>,
    tokens: Arc<Tokens>,
    turns: Arc<AtomicU64>,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    while stopwatch() < end {
        let validation = tokens.validation(turns.fetch_add(1, Ordering::Relaxed))?;
        let start = stopwatch();
        match database.gather(validation).await? {
            Ok(ValidateAnswer::Accepted) => waits.push(start.elapsed()),
            other => return Err(format!("a right code was answered {other:?}").into()),
        }
    }
    Ok(waits)
}

/// The server's defaults.
fn settings(
    location: &Location,
    cache_mib: u32,
    on_commit: impl Fn(usize) + Send + Sync + 'static,
) -> Result<PoolSettings> {
    let defaults = warifu::config::TokenServiceConfig::default();
    Ok(PoolSettings {
        location: location.clone(),
        queue: defaults.queue,
        group: defaults.group,
        connections: defaults.connections,
        gatherers: defaults.gatherers,
        cache_kib: cache_mib * 1024,
        waiting: Waiting::default(),
        timeout: Duration::from_secs(20),
        on_commit: Arc::new(on_commit),
    })
}
