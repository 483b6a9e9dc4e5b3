//! What the databases hold afterwards must be what was answered.

use std::collections::HashMap;

use warifu::database::{Connection, DatabaseError, Tx, Value};
use warifu::store::audit;
use warifu_credentials::audit::{Chain, Head, Outcome, Position};
use warifu_credentials::record::spent_from_stored;

use crate::Result;
use crate::database::{Prepared, audit_row_bytes};

/// Rows at the end of each stream whose marks are computed again.
const FOLLOWED: u64 = 20_000;

/// What the check found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    /// Audit rows whose chain was followed.
    pub(crate) followed: u64,
    /// Bytes of one audit row on the disk.
    pub(crate) audit_row_bytes: f64,
}

/// What all credentials' newest steps must come to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Newest {
    /// Their sum.
    Steps(i64),
    /// Their sum less the sum of the drifts: the steps that the service's clock showed.
    Clocks(i64),
}

/// Checks that `answered` validations were accepted and no more, that each spent its step, and that the chain holds.
pub(crate) fn database(prepared: &Prepared, answered: u64, newest: Newest) -> Result<Checked> {
    let mut connection = Connection::open(&prepared.location, 65_536)?;
    let (accepted, all) = connection.read(|tx| {
        let mut count = |sql, values: &[Value<'_>]| {
            tx.query_one(sql, values, |row| row.int(0))
                .map(Option::unwrap_or_default)
        };
        Ok((
            count(
                "SELECT COUNT(*) FROM audit WHERE outcome = ?1",
                &[Value::Int(Outcome::Accepted.to_stored())],
            )?,
            count("SELECT COUNT(*) FROM audit WHERE request IS NOT NULL", &[])?,
        ))
    })?;
    let (steps, drifts) = connection.read(spent)?;
    let answered = i64::try_from(answered)?;
    if accepted != answered || all != answered {
        return Err(format!(
            "{answered} validations were answered accepted, but the audit trail holds {accepted} accepted of {all}"
        )
        .into());
    }
    let (found, expected) = match newest {
        Newest::Steps(expected) => (steps, expected),
        Newest::Clocks(expected) => (steps - drifts, expected),
    };
    if found != expected {
        return Err(format!(
            "the credentials' newest steps come to {found} where {newest:?} is expected: a step was not spent"
        )
        .into());
    }
    let heads = connection.read(audit::heads)?;
    let mut followed = 0;
    for head in heads {
        followed += follow(&mut connection, &prepared.chain, head)?;
    }
    Ok(Checked {
        followed,
        audit_row_bytes: connection.read(audit_row_bytes)?,
    })
}

/// The sum of the credentials' newest steps, and that of their drifts, read from the rows and the trail alone.
fn spent(tx: &mut Tx<'_>) -> std::result::Result<(i64, i64), DatabaseError> {
    let mut newest = HashMap::new();
    tx.query("SELECT id, last_step, drift FROM credentials", &[], |row| {
        newest.insert(row.int(0)?, (row.int(1)?, row.int(2)?));
        Ok(())
    })?;
    if matches!(tx, Tx::Sqlite(_)) {
        tx.query(
            "SELECT credential, detail FROM audit WHERE outcome = ?1 AND position > (SELECT MIN(through) FROM spent_sweep)",
            &[Value::Int(Outcome::Accepted.to_stored())],
            |row| {
                if let Some((step, drift)) = spent_from_stored(row.int(1)?)
                    && let Some(newest) = newest.get_mut(&row.int(0)?)
                    && newest.0 < step.0
                {
                    *newest = (step.0, i64::from(drift));
                }
                Ok(())
            },
        )?;
    }
    Ok(newest
        .values()
        .fold((0, 0), |sum, newest| (sum.0 + newest.0, sum.1 + newest.1)))
}

/// Follows the newest rows of a stream to its head.
fn follow(connection: &mut Connection, chain: &Chain, head: Head) -> Result<u64> {
    let begin = Position {
        stream: head.position.stream,
        sequence: head.position.sequence.saturating_sub(FOLLOWED),
    };
    let limit = i64::try_from(head.position.sequence - begin.sequence)?;
    let mut at = if begin.sequence == 0 {
        Head::empty(begin.stream)
    } else {
        connection.read(|tx| row_before(tx, begin))?
    };
    for (position, event, mark) in
        connection.read(|tx| audit::rows_after(tx, begin.to_stored(), limit))?
    {
        at = chain.follow(at, position, &event, mark)?;
    }
    if at == head {
        Ok(head.position.sequence - begin.sequence)
    } else {
        Err("the head of an audit stream is not its newest row".into())
    }
}

/// The row at a position, as the head that the next one follows.
fn row_before(tx: &mut Tx<'_>, position: Position) -> std::result::Result<Head, DatabaseError> {
    let rows = audit::rows_after(tx, position.to_stored() - 1, 1)?;
    let (position, _, mark) = rows.into_iter().next().ok_or(DatabaseError::Gone)?;
    Ok(Head { position, mark })
}
