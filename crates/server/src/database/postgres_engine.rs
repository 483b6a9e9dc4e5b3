use std::collections::HashMap;
use std::time::{Duration, Instant};

use postgres::config::TargetSessionAttrs;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Statement, Transaction};

use super::notices::Notices;
use super::{DatabaseError, PostgresUrl, Row, Value};
use crate::ambient::stopwatch;

/// A connection to PostgreSQL with its prepared statements.
pub struct PostgresConnection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    read_only: bool,
    notices: Notices,
    /// When it began a transaction last.
    used: Instant,
}

/// A transaction on PostgreSQL at READ COMMITTED: every rule holds by conditional statements and row locks.
pub struct PostgresTx<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
    notices: &'a Notices,
}

/// What a connection is called, to see in `pg_stat_activity` which copies are of which version. Copies before schema 7 of the token
/// service are called `warifu` alone, which its migration looks for.
const NAME: &str = concat!("warifu/", env!("CARGO_PKG_VERSION"));

/// A connection that was idle for so long is asked whether it is alive before it is used: a balancer, a fail-over or a
/// firewall may have ended it, which nobody hears who does not listen.
const IDLE: Duration = Duration::from_secs(1);
/// How long that answer is waited for.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// No lock is waited for and no statement runs for ever; an answer is durable before it is given. Every statement finds
/// its rows by a key: a plan that was made while a table was empty, and reads it whole, would be kept as it grows.
const SESSION: &str = "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
    SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s';
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// To a server that takes writes. A standby is refused, to read as well: it may show what the new primary never had.
pub(crate) fn open(url: &PostgresUrl) -> Result<PostgresConnection, DatabaseError> {
    connect(url, TargetSessionAttrs::ReadWrite)
}

/// To any server, a standby too.
pub(crate) fn open_reader(url: &PostgresUrl) -> Result<PostgresConnection, DatabaseError> {
    connect(url, TargetSessionAttrs::Any)
}

fn connect(
    url: &PostgresUrl,
    target: TargetSessionAttrs,
) -> Result<PostgresConnection, DatabaseError> {
    let mut config: postgres::Config = url.0.parse()?;
    config.target_session_attrs(target);
    let notices = Notices::of(&mut config);
    config.application_name(NAME);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    config.tcp_user_timeout(Duration::from_secs(15));
    // A server that is gone without a word, while an answer is waited for, is given up as soon.
    config.keepalives_idle(Duration::from_secs(5));
    config.keepalives_interval(Duration::from_secs(5));
    config.keepalives_retries(2);
    let mut client = config.connect(NoTls)?;
    client.batch_execute(SESSION)?;
    Ok(PostgresConnection {
        client,
        statements: HashMap::new(),
        read_only: false,
        notices,
        used: stopwatch(),
    })
}

impl PostgresConnection {
    pub(crate) fn begin(&mut self) -> Result<PostgresTx<'_>, DatabaseError> {
        self.used = stopwatch();
        Ok(PostgresTx {
            transaction: self.client.transaction()?,
            statements: &mut self.statements,
            notices: &self.notices,
        })
    }

    /// Looks at why a transaction failed: a server that only reads is a standby, or one that was set so, and whoever
    /// opens a connection anew may find the one that writes.
    pub(crate) fn heed(&mut self, error: &DatabaseError) {
        self.read_only |= error.read_only();
    }

    /// Whether it may be used now; asks the server where it was idle.
    pub(crate) fn is_alive(&mut self) -> bool {
        !self.is_closed()
            && (self.used.elapsed() < IDLE || self.client.is_valid(ALIVE_WITHIN).is_ok())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.read_only
    }
}

impl PostgresTx<'_> {
    pub(crate) fn commit(self) -> Result<(), DatabaseError> {
        self.notices.forget();
        self.transaction.commit()?;
        if self.notices.warned() {
            return Err(DatabaseError::Unconfirmed);
        }
        Ok(())
    }

    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<usize, DatabaseError> {
        let statement = self.statement(sql)?;
        let count = self.transaction.execute(&statement, &parameters(values))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(crate) fn query<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let statement = self.statement(sql)?;
        let rows = self.transaction.query(&statement, &parameters(values))?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.transaction.batch_execute(sql)?)
    }

    /// Statements are written with `?1`; PostgreSQL says `$1`. No statement has a question mark elsewhere.
    fn statement(&mut self, sql: &'static str) -> Result<Statement, DatabaseError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(&sql.replace('?', "$"))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

fn parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}
