//! An SQLite database of the token service for the tests beside it.

use jiff::Timestamp;

use super::sqlite_engine::SqliteTx;
use super::{Connection, DatabaseError, Location, Tx, migrate};
use crate::store::MIGRATIONS;

/// An empty one, and the folder that it is gone with.
pub(super) fn token_service() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("tokens.db"));
    let mut connection = Connection::open(&location, 512).unwrap();
    migrate(&mut connection, MIGRATIONS, Timestamp::UNIX_EPOCH).unwrap();
    (folder, connection)
}

pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&SqliteTx<'_>) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    connection.transaction(|tx| match tx {
        Tx::Sqlite(sqlite) => work(sqlite),
        Tx::Postgres(_) => Err(DatabaseError::Gone),
    })
}
