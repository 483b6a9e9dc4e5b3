use std::path::Path;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags, params_from_iter};
use warifu_credentials::request::RequestDigest;

use super::failing::Failing;
use super::recent::{Recent, Waiting};
use super::runs::Runs;
use super::sweep::{Older, Spent};
use super::{DatabaseError, Row, Tx, Value};

/// Bytes of a page in a new database: what is written stands in order, so that neighbours share one (docs/decisions/0035).
const PAGE_SIZE: u32 = 4096;

/// How long a statement waits for another process that writes, e.g. `warifu relying-party add` beside a server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// A transaction on SQLite, begun IMMEDIATE: it is the only one that writes.
pub struct SqliteTx<'a> {
    connection: &'a Connection,
    memory: &'a mut Memory,
}

/// What a connection remembers between transactions.
#[derive(Default)]
pub(crate) struct Memory {
    /// How much waits in it.
    pub(crate) waiting: Waiting,
    recent: Option<Recent>,
    runs: Option<Runs>,
    failing: Option<Failing>,
}

/// A statement that is run many times in a row: it is looked up once.
pub(crate) struct Repeated<'a>(CachedStatement<'a>);

/// Opens a database for reading and writing, and makes the file (0600) if there is none.
pub(crate) fn open(path: &Path, cache_kib: u32) -> Result<Connection, DatabaseError> {
    create_private(path)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_SIZE};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -{cache_kib};"
    ))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Opens an existing database for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2048;")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// SQLite makes its log and its index with the permissions of the file itself.
fn create_private(path: &Path) -> Result<(), DatabaseError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        DatabaseError::Schema(format!(
            "cannot open the database {}: {error}",
            path.display()
        ))
    })
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(connection: &'a Connection, memory: &'a mut Memory) -> Self {
        Self { connection, memory }
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, DatabaseError> {
        Ok(self
            .connection
            .prepare_cached(sql)?
            .execute(params_from_iter(values))?)
    }

    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            answer.push(read(&Row::Sqlite(row))?);
        }
        Ok(answer)
    }

    pub(crate) fn query_one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        self.repeated(sql)?.query_one(values, &mut read)
    }

    /// A statement for many rows, which may be run beside others of this transaction.
    pub(crate) fn repeated(&self, sql: &str) -> Result<Repeated<'a>, DatabaseError> {
        Ok(Repeated(self.connection.prepare_cached(sql)?))
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Has in memory what the first commands would otherwise wait for: the newest rows of the trail, the filters of all runs,
    /// and which credentials have wrong codes.
    pub(crate) fn remember(&mut self) -> Result<(), DatabaseError> {
        self.recent()?;
        self.runs()?;
        self.failing()?;
        Ok(())
    }

    /// Those of many requests that stand in the audit trail, with their positions.
    pub(crate) fn find_requests(
        &mut self,
        requests: &[RequestDigest],
    ) -> Result<Vec<(RequestDigest, i64)>, DatabaseError> {
        self.recent()?;
        self.runs()?;
        let (Some(recent), Some(runs)) = (&self.memory.recent, &self.memory.runs) else {
            return Err(DatabaseError::Gone);
        };
        let mut found = Vec::new();
        for request in requests {
            let position = match recent.position(request.digest()) {
                Some(position) => Some(position),
                None => runs.find(self, request)?,
            };
            found.extend(position.map(|position| (*request, position)));
        }
        Ok(found)
    }

    /// Whether wrong codes of a credential may count anywhere; `false` is certain.
    pub(crate) fn may_be_failing(&mut self, credential: i64) -> Result<bool, DatabaseError> {
        Ok(self.failing()?.may_be(credential))
    }

    /// Remembers that this transaction counts a wrong code of a credential.
    pub(crate) fn is_failing(&mut self, credential: i64) {
        if let Some(failing) = &mut self.memory.failing {
            failing.add(credential);
        }
    }

    /// Remembers a request whose audit row this transaction inserts.
    pub(crate) fn add_request(
        &mut self,
        request: &RequestDigest,
        position: i64,
    ) -> Result<(), DatabaseError> {
        self.recent()?.add_request(request, position);
        Ok(())
    }

    /// The newest step that a credential spent and that its row may not show yet.
    pub(crate) fn spent(&mut self, credential: i64) -> Result<Option<Spent>, DatabaseError> {
        Ok(self.recent()?.spent(credential))
    }

    /// Spends a step of a credential, whose audit row this transaction inserts, if it is newer than what is spent.
    pub(crate) fn spend(
        &mut self,
        credential: i64,
        spent: Spent,
    ) -> Result<Result<(), Older>, DatabaseError> {
        Ok(self.recent()?.spend(credential, spent))
    }

    fn recent(&mut self) -> Result<&mut Recent, DatabaseError> {
        if self.memory.recent.is_none() {
            let waiting = self.memory.waiting;
            self.memory.recent = Some(Recent::load(self, waiting)?);
        }
        self.memory.recent.as_mut().ok_or(DatabaseError::Gone)
    }

    fn runs(&mut self) -> Result<&mut Runs, DatabaseError> {
        if self.memory.runs.is_none() {
            self.memory.runs = Some(Runs::load(self)?);
        }
        self.memory.runs.as_mut().ok_or(DatabaseError::Gone)
    }

    fn failing(&mut self) -> Result<&mut Failing, DatabaseError> {
        if self.memory.failing.is_none() {
            self.memory.failing = Some(Failing::load(self)?);
        }
        self.memory.failing.as_mut().ok_or(DatabaseError::Gone)
    }

    /// The last work of a transaction before it commits.
    pub(crate) fn before_commit(&mut self) -> Result<(), DatabaseError> {
        let Some(mut recent) = self.memory.recent.take() else {
            return Ok(());
        };
        let mut runs = match self.memory.runs.take() {
            Some(runs) => runs,
            None => Runs::load(self)?,
        };
        let folded = recent.fold(self, &mut runs);
        (self.memory.recent, self.memory.runs) = (Some(recent), Some(runs));
        folded
    }

    /// Runs `work` so that its failure undoes it alone.
    pub(crate) fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let mark = self.memory.recent.as_ref().map(Recent::mark);
        self.execute("SAVEPOINT work", &[])?;
        let result = work(&mut Tx::Sqlite(SqliteTx::new(self.connection, self.memory)));
        if result.is_err() {
            self.execute("ROLLBACK TO work", &[])?;
            if let Some(recent) = &mut self.memory.recent {
                recent.undo_to(mark.unwrap_or(0));
            }
        }
        self.execute("RELEASE work", &[])?;
        result
    }
}

impl Memory {
    pub(crate) fn committed(&mut self) {
        if let Some(recent) = &mut self.recent {
            recent.committed();
        }
    }

    /// Nothing is known of the transaction's fate: what is remembered is read again when it is needed.
    pub(crate) fn forget(&mut self) {
        self.recent = None;
        self.runs = None;
        self.failing = None;
    }
}

impl Repeated<'_> {
    pub(crate) fn execute(&mut self, values: &[Value<'_>]) -> Result<usize, DatabaseError> {
        Ok(self.0.execute(params_from_iter(values))?)
    }

    pub(crate) fn query_one<T>(
        &mut self,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        let mut rows = self.0.query(params_from_iter(values))?;
        rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
    }
}

/// Copies a database, as of one moment and also beside a running server, into a new file, and checks the copy. It has the
/// pages of a new database, also where a version before made the original with smaller ones.
///
/// # Errors
/// When it cannot be read or written, or the copy does not hold.
pub fn copy_sqlite(from: &Path, to: &Path) -> Result<(), DatabaseError> {
    let source = open_reader(from)?;
    create_private(to)?;
    let target = to
        .to_str()
        .ok_or_else(|| DatabaseError::Schema("the path of the copy is not UTF-8".into()))?;
    source.execute_batch(&format!("PRAGMA page_size = {PAGE_SIZE}"))?;
    source.execute("VACUUM INTO ?1", [target])?;
    let copy = open_reader(to)?;
    let check: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if check != "ok" {
        return Err(DatabaseError::Schema(format!(
            "the copy does not hold: {check}"
        )));
    }
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| DatabaseError::Schema(format!("the copy cannot be made durable: {error}")))
}

#[cfg(test)]
mod tests {
    use warifu_credentials::audit::Chain;
    use zeroize::Zeroizing;

    use super::*;
    use crate::database::Gather as _;
    use crate::database::scratch::token_service;
    use crate::store::validation::Validations;

    /// Were one of them read later, the first caller would wait for it.
    #[test]
    fn getting_ready_reads_all_that_a_validation_needs() {
        let is_ready = |connection: &crate::database::Connection| match connection {
            crate::database::Connection::Sqlite(sqlite) => {
                let memory = &sqlite.memory;
                memory.recent.is_some() && memory.runs.is_some() && memory.failing.is_some()
            }
            crate::database::Connection::Postgres(_) => false,
        };
        let (_folder, mut connection) = token_service();
        assert!(!is_ready(&connection));
        let validations = Validations {
            chain: Chain::new(Zeroizing::new([1; 32])),
        };
        connection
            .transaction(|tx| validations.prepare(tx))
            .unwrap();
        assert!(is_ready(&connection));
    }

    /// Versions before decision 0035 made pages of 1 KiB.
    #[test]
    fn a_copy_of_a_database_with_smaller_pages_has_those_of_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
        let page = |connection: &Connection| {
            connection.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))
        };
        let made = Connection::open(&old).unwrap();
        made.execute_batch(
            "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL;
             CREATE TABLE kept (text TEXT) STRICT; INSERT INTO kept VALUES ('割符')",
        )
        .unwrap();
        drop(made);
        let opened = open(&old, 256).unwrap();
        assert_eq!(page(&opened), Ok(1024));
        copy_sqlite(&old, &new).unwrap();
        let copy = open(&new, 256).unwrap();
        assert_eq!(page(&copy), Ok(PAGE_SIZE));
        let text: String = copy
            .query_row("SELECT text FROM kept", [], |row| row.get(0))
            .unwrap();
        assert_eq!(text, "割符");
    }
}
