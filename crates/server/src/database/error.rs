use std::fmt;

/// What should not happen in a database. Whoever gets one knows nothing of the outcome and asks again by its key.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite said so.
    #[error("SQLite: {}", SqliteMessage(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said so, or the connection is gone.
    #[error("PostgreSQL: {}", PostgresMessage(.0))]
    Postgres(#[from] postgres::Error),
    /// A statement changed another number of rows than the rule allows; the transaction was undone.
    #[error("{statement} changed {found} rows, not {expected}")]
    Count {
        /// Which statement, in words.
        statement: &'static str,
        /// Rows that it should have changed.
        expected: usize,
        /// Rows that it did.
        found: usize,
    },
    /// A stored value that no version of this program wrote.
    #[error("{table}.{column} of row {row} holds a value that this program does not know")]
    Stored {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: i64,
    },
    /// Too much waits already.
    #[error("too many requests are waiting for the database")]
    Overloaded,
    /// No answer in time.
    #[error("the database did not answer in time")]
    Timeout,
    /// PostgreSQL answered a commit with a warning: no standby may have it, and a fail-over may lose it.
    #[error("the commit ended before a standby confirmed it")]
    Unconfirmed,
    /// The threads that serve the database are gone, or one panicked with this request in its hands.
    #[error("the request was given up by the database's threads")]
    Gone,
    /// The schema is another one than this program's.
    #[error("{0}")]
    Schema(String),
    /// The transaction was undone on purpose: its work found that it may not be done, and says why in stored form.
    #[error("undone: {0}")]
    Undone(String),
    /// A secret of the service could not be used.
    #[error("{0}")]
    Secret(String),
}

impl DatabaseError {
    /// Whether one command alone may be at fault, so that the others of its group are worth another try: two answers to
    /// one request, a row that nobody wrote, a count that does not fit, a panic.
    #[must_use]
    pub fn may_concern_one(&self) -> bool {
        matches!(self, Self::Count { .. } | Self::Stored { .. } | Self::Gone)
            || self.unique_violation()
            || self.conflict()
    }

    /// Whether PostgreSQL undid the transaction because another stood in its way: a deadlock (40P01) or a serialization
    /// failure (40001). Nothing of it is left, so the same work may be done again.
    #[must_use]
    pub fn conflict(&self) -> bool {
        use postgres::error::SqlState;
        match self {
            Self::Postgres(error) => {
                error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED)
                    || error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
            }
            _ => false,
        }
    }

    /// Whether it is the store's: a full disk, one that cannot be written, a lost connection, a lock that somebody holds
    /// for too long; not what was asked of it.
    #[must_use]
    pub fn of_the_store(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code != rusqlite::ErrorCode::ConstraintViolation
            }
            Self::Postgres(error) => error.code().is_none_or(|code| {
                // Connection, resources, operator, system, internal; read only; a lock or a statement that took too long.
                ["08", "53", "57", "58", "XX"].contains(&code.code().get(..2).unwrap_or_default())
                    || ["25006", "55P03"].contains(&code.code())
            }),
            Self::Timeout | Self::Unconfirmed => true,
            _ => false,
        }
    }

    /// Whether PostgreSQL only reads (25006).
    #[must_use]
    pub fn read_only(&self) -> bool {
        matches!(self, Self::Postgres(error)
            if error.code() == Some(&postgres::error::SqlState::READ_ONLY_SQL_TRANSACTION))
    }

    /// Whether a unique key stood in the way.
    #[must_use]
    pub fn unique_violation(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error().map(|error| error.extended_code),
                Some(
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                        | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                )
            ),
            Self::Postgres(error) => {
                error.code() == Some(&postgres::error::SqlState::UNIQUE_VIOLATION)
            }
            _ => false,
        }
    }
}

/// SQLite's words; of an I/O error also which (<https://sqlite.org/rescode.html>), since the words do not say.
struct SqliteMessage<'a>(&'a rusqlite::Error);

impl fmt::Display for SqliteMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        match self.0.sqlite_error() {
            Some(error) if error.code == rusqlite::ErrorCode::SystemIoFailure => {
                write!(f, " ({})", error.extended_code)
            }
            _ => Ok(()),
        }
    }
}

/// The server's own words without the values of the statement, which may be personal data.
struct PostgresMessage<'a>(&'a postgres::Error);

impl fmt::Display for PostgresMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(error) => write!(f, "{} ({})", error.message(), error.code().code()),
            None => write!(f, "{}", self.0),
        }
    }
}
