//! One narrow way to two engines: SQLite, embedded, and PostgreSQL (docs/decisions/0002).
//!
//! A store function takes an open [`Tx`] and is synchronous. Whoever opens the transaction decides what belongs
//! together; nothing below it commits. Statements are written once, with `?1`, `?2` … for values by number, and keep
//! to what both engines mean alike; the few that cannot name their engine where they stand.

mod checkpointer;
mod command;
mod connection;
mod error;
mod failing;
mod filter;
mod gather;
mod migrate;
mod notices;
mod pool;
mod postgres_engine;
mod recent;
mod run_keys;
mod runs;
#[cfg(test)]
mod scratch;
mod seconds;
mod sqlite_engine;
mod sweep;
mod threads;
mod trouble;
mod tx;

pub use connection::Connection;
pub use error::DatabaseError;
pub use gather::Gather;
pub use migrate::{Migration, MigrationState, migrate, migration_state};
pub use pool::{Database, PoolSettings};
pub use recent::Waiting;
pub(crate) use runs::Ways;
pub(crate) use sqlite_engine::SqliteTx;
pub use sqlite_engine::copy_sqlite;
pub(crate) use sweep::{Older, Spent, swept_through};
pub use trouble::Look;
pub use tx::{Row, Tx, Value};

use std::path::PathBuf;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// One SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string, `postgres://…` or `key=value …`; may hold a password, so it is never printed.
    Postgres(PostgresUrl),
}

/// A PostgreSQL connection string that no log shows.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct PostgresUrl(pub String);

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}
