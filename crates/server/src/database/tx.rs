use std::fmt;

use postgres::types::{IsNull, ToSql, Type, private::BytesMut};

use super::DatabaseError;
use super::postgres_engine::PostgresTx;
use super::sqlite_engine::SqliteTx;

/// A value of a statement, bound by its number.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// A whole number or none.
    MaybeInt(Option<i64>),
    /// A text.
    Text(&'a str),
    /// A text or none.
    MaybeText(Option<&'a str>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Bytes or none.
    MaybeBytes(Option<&'a [u8]>),
    /// PostgreSQL only: an array of numbers.
    Ints(&'a [i64]),
    /// PostgreSQL only: an array of numbers or nulls.
    MaybeInts(&'a [Option<i64>]),
    /// PostgreSQL only: an array of texts.
    Texts(&'a [&'a str]),
    /// PostgreSQL only: an array of byte strings or nulls.
    ByteStrings(&'a [Option<&'a [u8]>]),
}

/// A row of an answer; columns by number from 0. A column of another type is an error, not a panic.
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    Postgres(&'a postgres::Row),
}

/// An open transaction. Whoever opened it commits it.
pub enum Tx<'a> {
    /// On SQLite.
    Sqlite(SqliteTx<'a>),
    /// On PostgreSQL.
    Postgres(PostgresTx<'a>),
}

impl Tx<'_> {
    /// Runs a statement and tells how many rows it changed.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<usize, DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, values),
            Self::Postgres(tx) => tx.execute(sql, values),
        }
    }

    /// Runs a statement that must change exactly `expected` rows.
    ///
    /// # Errors
    /// [`DatabaseError::Count`] when it changes another number of rows.
    pub fn execute_exactly(
        &mut self,
        expected: usize,
        statement: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<(), DatabaseError> {
        let found = self.execute(sql, values)?;
        if found == expected {
            Ok(())
        } else {
            Err(DatabaseError::Count {
                statement,
                expected,
                found,
            })
        }
    }

    /// Every row of an answer, read by `read`.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine or of `read`.
    pub fn query<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.query(sql, values, read),
            Self::Postgres(tx) => tx.query(sql, values, read),
        }
    }

    /// The only row of an answer, if there is one.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine or of `read`.
    pub fn query_one<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.query_one(sql, values, read),
            Self::Postgres(tx) => Ok(tx.query(sql, values, &mut read)?.into_iter().next()),
        }
    }

    /// Runs `work` so that its failure undoes it alone and the transaction goes on. On PostgreSQL, where each command
    /// has a transaction of its own, there is nothing to keep apart.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn apart<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.savepoint(work),
            Self::Postgres(_) => work(self),
        }
    }

    /// What was found in this transaction is about to be told as done. On PostgreSQL the commit then waits for the synchronous
    /// standby as the one did that did it: what a commit left behind that nobody confirmed (its wait was cancelled, its
    /// server crashed) is told when it is safe, and by no server that was set aside. A row that was locked does the same,
    /// since a lock is written to the log too. SQLite has it on its disk already.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn confirm(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx
                .query(
                    "SELECT pg_logical_emit_message(TRUE, 'warifu', ''::TEXT)::TEXT",
                    &[],
                    |_| Ok(()),
                )
                .map(drop),
        }
    }

    /// Runs statements without values, as migrations do.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine.
    pub fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.batch(sql),
            Self::Postgres(tx) => tx.batch(sql),
        }
    }
}

impl Row<'_> {
    /// A whole number.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn int(&self, column: usize) -> Result<i64, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A whole number or none.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn text(&self, column: usize) -> Result<String, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A text or none.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn maybe_text(&self, column: usize) -> Result<Option<String>, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// Bytes.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// Bytes or none.
    ///
    /// # Errors
    /// When the column holds something else.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int(value) => value.to_sql_checked(kind, out),
            Self::MaybeInt(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::MaybeText(value) => value.to_sql_checked(kind, out),
            Self::Bytes(value) => value.to_sql_checked(kind, out),
            Self::MaybeBytes(value) => value.to_sql_checked(kind, out),
            Self::Ints(values) => values.to_sql_checked(kind, out),
            Self::MaybeInts(values) => values.to_sql_checked(kind, out),
            Self::Texts(values) => values.to_sql_checked(kind, out),
            Self::ByteStrings(values) => values.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each value checks its own type in to_sql.
        true
    }

    postgres::types::to_sql_checked!();
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        let value = match self {
            Self::Int(value) | Self::MaybeInt(Some(value)) => ValueRef::Integer(*value),
            Self::Text(value) | Self::MaybeText(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) | Self::MaybeBytes(Some(value)) => ValueRef::Blob(value),
            Self::MaybeInt(None) | Self::MaybeText(None) | Self::MaybeBytes(None) => ValueRef::Null,
            Self::Ints(_) | Self::MaybeInts(_) | Self::Texts(_) | Self::ByteStrings(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure(
                    "SQLite has no arrays".into(),
                ));
            }
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// Numbers and lengths only: values may be personal data.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}
