//! What takes two persons (rule F5): asked for by one, decided once, by another.

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::staff::ApprovalKind;
use warifu_bank::uid::Uid;

use super::{strange, time, uid};
use crate::database::{DatabaseError, Row, Tx, Value};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Open,
    /// Done.
    Approved,
    /// Not to be done.
    Declined,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key; that of the reversal it may book.
    pub id: Uid,
    /// What is to be done.
    pub kind: ApprovalKind,
    /// To whom.
    pub contract: ContractId,
    /// What it is about: the key of a journal, where one is to be reversed.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How far it is.
    pub state: State,
    /// Who decided.
    pub decided_by: Option<String>,
}

/// Keeps what is asked for.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: Uid,
    kind: ApprovalKind,
    contract: ContractId,
    (subject, reason): (&str, &str),
    asked_by: &str,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "an approval",
        "INSERT INTO approvals (id, kind, contract, subject, reason, asked_by, asked_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Text(kind.word()),
            Value::Int(contract.to_stored()),
            Value::Text(subject),
            Value::Text(reason),
            Value::Text(asked_by),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// Decides; `false` when it was decided, or this is who asked.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn decide(
    tx: &mut Tx<'_>,
    id: Uid,
    state: State,
    decided_by: &str,
    outcome: &str,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let number = match state {
        State::Open => 0,
        State::Approved => 1,
        State::Declined => 2,
    };
    let count = tx.execute(
        "UPDATE approvals SET state = ?2, decided_by = ?3, decided_at = ?4, outcome = ?5
         WHERE id = ?1 AND state = 0 AND asked_by <> ?3",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(number),
            Value::Text(decided_by),
            Value::Int(now.as_microsecond()),
            Value::Text(outcome),
        ],
    )?;
    Ok(count == 1)
}

/// One of them.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, id: Uid) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT id, kind, contract, subject, reason, asked_by, asked_at, state, decided_by
         FROM approvals WHERE id = ?1",
        &[Value::Bytes(id.as_bytes())],
        read,
    )
}

/// The newest: open ones first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT id, kind, contract, subject, reason, asked_by, asked_at, state, decided_by
         FROM approvals ORDER BY CASE WHEN state = 0 THEN 0 ELSE 1 END, id DESC LIMIT ?1",
        &[Value::Int(limit)],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let bad = |column| strange("approvals", column, 0);
    Ok(Stored {
        id: uid(&row.bytes(0)?, "approvals", "id")?,
        kind: ApprovalKind::from_word(&row.text(1)?).ok_or_else(|| bad("kind"))?,
        contract: ContractId::from_stored(row.int(2)?).ok_or_else(|| bad("contract"))?,
        subject: row.text(3)?,
        reason: row.text(4)?,
        asked_by: row.text(5)?,
        asked_at: time(row.int(6)?, "approvals", "asked_at")?,
        state: match row.int(7)? {
            0 => State::Open,
            1 => State::Approved,
            2 => State::Declined,
            _ => return Err(bad("state")),
        },
        decided_by: row.maybe_text(8)?,
    })
}
