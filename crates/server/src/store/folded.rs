//! Does what follows the audit trail say the same as the trail: the way to each request (S7), and the step that each accepted
//! code spent (S3)? On SQLite both follow it little by little (docs/decisions/0034 and 0035), so an error in that would show
//! in no chain.

use warifu_credentials::audit::{Kind, Outcome, Position};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::record::spent_from_stored;

use super::audit::{self, StoredRow};
use crate::database::{DatabaseError, Tx, Value, Ways, swept_through};

/// Rows that are looked at one by one, spread evenly: a slice that was lost is found by them, a single row by the count.
const SAMPLES: i64 = 1_000;

/// What was found as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// SQLite: up to which stored position rows are folded, and how many requests they should have.
    pub requests: Option<(i64, u64)>,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

/// Looks at some rows, and counts.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn look(tx: &mut Tx<'_>) -> Result<Folded, DatabaseError> {
    let ways = match tx {
        Tx::Sqlite(sqlite) => Some(Ways::load(sqlite)?),
        Tx::Postgres(_) => None,
    };
    let mut folded = Folded {
        requests: ways.as_ref().map(|ways| (ways.through, ways.requests)),
        faults: Vec::new(),
    };
    let ends = tx.query_one(
        "SELECT MIN(position), MAX(position) FROM audit",
        &[],
        |row| Ok((row.maybe_int(0)?, row.maybe_int(1)?)),
    )?;
    let Some((Some(first), Some(last))) = ends else {
        return Ok(folded);
    };
    let step = (last.saturating_sub(first) / SAMPLES).max(1);
    let mut before = None;
    let mut after = first.saturating_sub(1);
    while after < last {
        // Where streams end there is nothing for many steps: the next row is the same one then.
        if let Some(row) = audit::rows_after(tx, after, 1)?.pop()
            && before.replace(row.0) != Some(row.0)
        {
            folded.faults.extend(look_at(tx, ways.as_ref(), &row)?);
        }
        after = after.saturating_add(step);
    }
    Ok(folded)
}

fn look_at(
    tx: &mut Tx<'_>,
    ways: Option<&Ways>,
    (position, event, _): &StoredRow,
) -> Result<Vec<String>, DatabaseError> {
    let Position { stream, sequence } = *position;
    let mut faults = Vec::new();
    if let (Tx::Sqlite(sqlite), Some(ways), Some(request)) = (&tx, ways, &event.request)
        && position.to_stored() <= ways.through
        && ways.find(sqlite, request)? != Some(position.to_stored())
    {
        faults.push(format!(
            "the request of row {sequence} of stream {stream} is not found: sent again it would be another one"
        ));
    }
    let spent = spent_from_stored(event.detail)
        .filter(|_| event.kind == Kind::Validated && event.outcome == Outcome::Accepted);
    if let (Some(credential), Some((step, _))) = (event.credential, spent)
        && has_followed(tx, credential, *position)?
    {
        let behind = tx.query_one(
            "SELECT last_step FROM credentials WHERE id = ?1 AND last_step < ?2",
            &[Value::Int(credential.to_stored()), Value::Int(step.0)],
            |row| row.int(0),
        )?;
        if behind.is_some() {
            faults.push(format!(
                "the code that row {sequence} of stream {stream} accepted would be accepted again: its credential says an older step"
            ));
        }
    }
    Ok(faults)
}

/// Whether a credential's row says already what the trail says up to a position.
fn has_followed(
    tx: &Tx<'_>,
    credential: CredentialId,
    position: Position,
) -> Result<bool, DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            Ok(position.to_stored() <= swept_through(sqlite, credential.to_stored())?)
        }
        Tx::Postgres(_) => Ok(true),
    }
}
