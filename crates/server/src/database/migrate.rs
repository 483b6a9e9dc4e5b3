//! Numbered migrations, one list an engine; a schema newer than the program is refused.

use super::{Connection, DatabaseError, Tx, Value};

/// One step of the schema, for both engines.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1, without gaps.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// What it does on SQLite.
    pub sqlite: &'static str,
    /// What it does on PostgreSQL.
    pub postgres: &'static str,
}

/// How a database's schema compares with the program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    /// The same.
    Current,
    /// Older: migrations wait.
    Behind {
        /// The schema of the database.
        found: i64,
        /// The schema of the program.
        wanted: i64,
    },
    /// Newer: this program must not touch it.
    Ahead {
        /// The schema of the database.
        found: i64,
        /// The schema of the program.
        wanted: i64,
    },
}

/// Any number that no other program would choose; holds off a second migrator on PostgreSQL.
const ADVISORY_LOCK: i64 = 0x7761_7269_6675;

/// How the schema compares with `migrations`.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn migration_state(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<MigrationState, DatabaseError> {
    connection.read(|tx| {
        let found = if table_exists(tx)? { newest(tx)? } else { 0 };
        Ok(compare(found, wanted(migrations)))
    })
}

/// Brings the schema up to the program's, each step in a transaction, and tells how many were applied.
///
/// # Errors
/// [`DatabaseError::Schema`] when the schema is newer than the program.
pub fn migrate(
    connection: &mut Connection,
    migrations: &[Migration],
    now: jiff::Timestamp,
) -> Result<usize, DatabaseError> {
    connection.transaction(|tx| {
        // Inside the transaction, so that two that start at once do it one after the other.
        if matches!(tx, Tx::Postgres(_)) {
            tx.execute("SELECT pg_advisory_xact_lock(?1)", &[Value::Int(ADVISORY_LOCK)])?;
        }
        tx.batch(
            "CREATE TABLE IF NOT EXISTS schema_migrations
             (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
        )?;
        let found = newest(tx)?;
        if let MigrationState::Ahead { found, wanted } = compare(found, wanted(migrations)) {
            return Err(DatabaseError::Schema(format!(
                "the database has schema {found}, newer than this program's {wanted}: run the newer program, or restore a backup"
            )));
        }
        let mut applied = 0;
        for migration in migrations.iter().filter(|migration| migration.number > found) {
            tx.batch(match tx {
                Tx::Sqlite(_) => migration.sqlite,
                Tx::Postgres(_) => migration.postgres,
            })?;
            tx.execute_exactly(
                1,
                "the record of a migration",
                "INSERT INTO schema_migrations (number, name, applied_at) VALUES (?1, ?2, ?3)",
                &[Value::Int(migration.number), Value::Text(migration.name), Value::Int(now.as_microsecond())],
            )?;
            applied += 1;
        }
        Ok(applied)
    })
}

fn wanted(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.number)
}

fn compare(found: i64, wanted: i64) -> MigrationState {
    match found.cmp(&wanted) {
        std::cmp::Ordering::Equal => MigrationState::Current,
        std::cmp::Ordering::Less => MigrationState::Behind { found, wanted },
        std::cmp::Ordering::Greater => MigrationState::Ahead { found, wanted },
    }
}

fn newest(tx: &mut Tx<'_>) -> Result<i64, DatabaseError> {
    let newest = tx.query_one("SELECT MAX(number) FROM schema_migrations", &[], |row| {
        row.maybe_int(0)
    })?;
    Ok(newest.flatten().unwrap_or(0))
}

fn table_exists(tx: &mut Tx<'_>) -> Result<bool, DatabaseError> {
    let sql = match tx {
        Tx::Sqlite(_) => {
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"
        }
        Tx::Postgres(_) => {
            "SELECT 1::BIGINT FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'schema_migrations'"
        }
    };
    Ok(tx.query_one(sql, &[], |row| row.int(0))?.is_some())
}
