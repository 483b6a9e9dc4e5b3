use super::sqlite_engine::{self, Memory, SqliteTx};
use super::{DatabaseError, Location, Tx, postgres_engine};

/// One open database, used by one thread.
pub enum Connection {
    /// SQLite.
    Sqlite(Box<SqliteConnection>),
    /// PostgreSQL.
    Postgres(Box<postgres_engine::PostgresConnection>),
}

/// SQLite with what it remembers between transactions.
pub struct SqliteConnection {
    pub(crate) connection: rusqlite::Connection,
    pub(crate) memory: Memory,
}

impl Connection {
    /// Opens a database to read and write; an SQLite file is made when there is none.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn open(location: &Location, cache_kib: u32) -> Result<Self, DatabaseError> {
        Ok(match location {
            Location::Sqlite(path) => Self::sqlite(sqlite_engine::open(path, cache_kib)?),
            Location::Postgres(url) => Self::Postgres(Box::new(postgres_engine::open(url)?)),
        })
    }

    /// Opens an existing database to read; on PostgreSQL a standby will do.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn open_reader(location: &Location) -> Result<Self, DatabaseError> {
        Ok(match location {
            Location::Sqlite(path) => Self::sqlite(sqlite_engine::open_reader(path)?),
            Location::Postgres(url) => Self::Postgres(Box::new(postgres_engine::open_reader(url)?)),
        })
    }

    fn sqlite(connection: rusqlite::Connection) -> Self {
        Self::Sqlite(Box::new(SqliteConnection {
            connection,
            memory: Memory::default(),
        }))
    }

    /// Runs `work` in a transaction of its own and commits; an error or a panic undoes it.
    ///
    /// # Errors
    /// Those of `work` and of the commit; after the latter the outcome is unknown.
    pub fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.transaction("BEGIN IMMEDIATE", |tx| {
                let mut tx = Tx::Sqlite(tx);
                work(&mut tx)
            }),
            Self::Postgres(postgres) => {
                let done = postgres_transaction(postgres, work);
                if let Err(error) = &done {
                    postgres.heed(error);
                }
                done
            }
        }
    }

    /// Runs `work` on one state of the database and writes nothing.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn read<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.transaction("BEGIN DEFERRED", |tx| work(&mut Tx::Sqlite(tx)))
            }
            Self::Postgres(_) => self.transaction(work),
        }
    }

    /// Makes sure that it can be used, as far as can be told: one that died while nobody used it is opened again. Where that
    /// fails, whoever uses it next is told so.
    pub(super) fn wake(&mut self, location: &Location) {
        if let Self::Postgres(postgres) = self
            && !postgres.is_alive()
        {
            match Self::open(location, 0) {
                Ok(opened) => *self = opened,
                // The command that comes now finds it so, and whoever opens it after that command says it aloud.
                Err(error) => tracing::debug!(%error, "the database cannot be reached"),
            }
        }
    }

    /// Whether it can serve no more transactions.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(postgres) => postgres.is_closed(),
        }
    }
}

fn postgres_transaction<T>(
    postgres: &mut postgres_engine::PostgresConnection,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let mut tx = Tx::Postgres(postgres.begin()?);
    let result = work(&mut tx)?;
    match tx {
        Tx::Postgres(tx) => tx.commit()?,
        Tx::Sqlite(_) => return Err(DatabaseError::Gone),
    }
    Ok(result)
}

impl SqliteConnection {
    pub(crate) fn transaction<T>(
        &mut self,
        begin: &str,
        work: impl FnOnce(SqliteTx<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.connection.prepare_cached(begin)?.execute([])?;
        // Undone on every way out but the last line, a panic's included.
        let mut guard = Guard {
            sqlite: self,
            committed: false,
        };
        let result = work(SqliteTx::new(
            &guard.sqlite.connection,
            &mut guard.sqlite.memory,
        ))?;
        SqliteTx::new(&guard.sqlite.connection, &mut guard.sqlite.memory).before_commit()?;
        let connection = &guard.sqlite.connection;
        connection.prepare_cached("COMMIT")?.execute([])?;
        guard.committed = true;
        Ok(result)
    }
}

struct Guard<'a> {
    sqlite: &'a mut SqliteConnection,
    committed: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.committed {
            self.sqlite.memory.committed();
            return;
        }
        self.sqlite.memory.forget();
        // Some failures have undone the transaction already.
        if !self.sqlite.connection.is_autocommit()
            && let Err(error) = self.sqlite.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be undone; its locks go with the connection");
        }
    }
}
