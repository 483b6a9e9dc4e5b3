//! What was answered to a request before (rule S7). The audit rows are the record.

use warifu_credentials::audit::{Kind, Outcome};
use warifu_credentials::record::Recorded;
use warifu_credentials::request::{Fingerprint, RequestDigest};

use crate::database::{DatabaseError, Row, Tx, Value};

/// A request that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// What it said.
    pub fingerprint: Fingerprint,
    /// What it was.
    pub kind: Kind,
    /// What came of it.
    pub outcome: Outcome,
    /// The number that belongs to the outcome.
    pub detail: i64,
}

impl Answered {
    /// The same answer again; `None` when the request now says something else.
    ///
    /// # Errors
    /// When the row holds no such answer.
    pub fn again<A: Recorded>(&self, fingerprint: Fingerprint) -> Result<Option<A>, DatabaseError> {
        if self.kind != A::KIND || self.fingerprint != fingerprint {
            return Ok(None);
        }
        let answer = A::recall(self.outcome, self.detail);
        answer.map(Some).ok_or(DatabaseError::Stored {
            table: "audit",
            column: "outcome",
            row: self.outcome.to_stored(),
        })
    }
}

/// PostgreSQL: the answers of requests as they are stored, and of those as they were stored before the time of their keys
/// stood before them; the latter are looked for only where there are any (docs/decisions/0038).
const FIND: &str =
    "SELECT request, fingerprint, kind, outcome, detail FROM audit WHERE request = ANY(?1)
     UNION ALL
     SELECT request, fingerprint, kind, outcome, detail FROM audit
     WHERE request = ANY(?2) AND EXISTS (SELECT 1 FROM requests_without_time)";

/// Has at hand what is needed to find the answers of requests.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn remember(tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => sqlite.remember(),
        Tx::Postgres(_) => Ok(()),
    }
}

/// The answer to a request, if it has one.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, request: RequestDigest) -> Result<Option<Answered>, DatabaseError> {
    let mut found = find_many(tx, &[request])?;
    Ok(found.pop().map(|(_, answered)| answered))
}

/// The answers of those requests that have one, by their digests.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find_many(
    tx: &mut Tx<'_>,
    requests: &[RequestDigest],
) -> Result<Vec<([u8; 16], Answered)>, DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            let mut found = Vec::new();
            for (request, position) in sqlite.find_requests(requests)? {
                let answered = answered_at(tx, position)?;
                found.extend(answered.map(|answered| (*request.digest(), answered)));
            }
            Ok(found)
        }
        Tx::Postgres(_) => {
            let stored: Vec<_> = requests.iter().map(|request| request.to_stored()).collect();
            let stored: Vec<_> = stored
                .iter()
                .map(|request| Some(request.as_bytes()))
                .collect();
            let before: Vec<_> = requests
                .iter()
                .filter(|request| request.without_time().is_some())
                .map(|request| Some(request.digest().as_slice()))
                .collect();
            tx.query(
                FIND,
                &[Value::ByteStrings(&stored), Value::ByteStrings(&before)],
                read,
            )
        }
    }
}

/// SQLite: the answer in a row of the trail.
fn answered_at(tx: &mut Tx<'_>, position: i64) -> Result<Option<Answered>, DatabaseError> {
    tx.query_one(
        "SELECT request, fingerprint, kind, outcome, detail FROM audit WHERE position = ?1",
        &[Value::Int(position)],
        |row| Ok(read(row)?.1),
    )
}

fn read(row: &Row<'_>) -> Result<([u8; 16], Answered), DatabaseError> {
    let stored = |column| DatabaseError::Stored {
        table: "audit",
        column,
        row: 0,
    };
    let answered = Answered {
        fingerprint: Fingerprint(
            row.bytes(1)?
                .try_into()
                .map_err(|_| stored("fingerprint"))?,
        ),
        kind: Kind::from_stored(row.int(2)?).ok_or_else(|| stored("kind"))?,
        outcome: Outcome::from_stored(row.int(3)?).ok_or_else(|| stored("outcome"))?,
        detail: row.int(4)?,
    };
    let request = RequestDigest::from_stored(&row.bytes(0)?).ok_or_else(|| stored("request"))?;
    Ok((*request.digest(), answered))
}
