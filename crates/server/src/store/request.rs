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

/// The answer to a request, if it has one.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, request: RequestDigest) -> Result<Option<Answered>, DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            let Some(position) = sqlite.find_request(&request.0)? else {
                return Ok(None);
            };
            answered_at(tx, position)
        }
        Tx::Postgres(_) => tx.query_one(
            "SELECT request, fingerprint, kind, outcome, detail FROM audit WHERE request = ?1",
            &[Value::Bytes(&request.0)],
            |row| Ok(read(row)?.1),
        ),
    }
}

/// The answers of those requests that have one.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find_many(
    tx: &mut Tx<'_>,
    requests: &[RequestDigest],
) -> Result<Vec<(RequestDigest, Answered)>, DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            let keys: Vec<_> = requests.iter().map(|request| request.0).collect();
            let mut found = Vec::new();
            for (request, position) in sqlite.find_requests(&keys)? {
                let answered = answered_at(tx, position)?;
                found.extend(answered.map(|answered| (RequestDigest(request), answered)));
            }
            Ok(found)
        }
        Tx::Postgres(_) => {
            let requests: Vec<_> = requests
                .iter()
                .map(|request| Some(request.0.as_slice()))
                .collect();
            tx.query(
                "SELECT request, fingerprint, kind, outcome, detail FROM audit WHERE request = ANY(?1)",
                &[Value::ByteStrings(&requests)],
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

fn read(row: &Row<'_>) -> Result<(RequestDigest, Answered), DatabaseError> {
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
    Ok((
        RequestDigest(row.bytes(0)?.try_into().map_err(|_| stored("request"))?),
        answered,
    ))
}
