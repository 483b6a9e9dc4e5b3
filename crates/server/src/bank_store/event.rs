//! The trail of a contract: what happened, who did it, from where. Rows are chained; none is ever changed.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use warifu_bank::contract::ContractId;

use super::time;
use crate::database::{DatabaseError, Tx, Value};

/// What happened.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// To which contract.
    pub contract: ContractId,
    /// When.
    pub at: Timestamp,
    /// `customer`, `bank`, or `staff:NAME`.
    pub actor: &'a str,
    /// What, in a word.
    pub word: &'a str,
    /// Its details: no password, no code.
    pub details: &'a str,
    /// The network address it came from; empty for the bank's own doing.
    pub address: &'a str,
}

/// A row of the trail.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its number in the contract's trail, from 1.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub word: String,
    /// Its details.
    pub details: String,
    /// From where.
    pub address: String,
    /// What chains it to the row before.
    pub mark: Vec<u8>,
}

/// Appends a row. The contract's row is locked by its own count, so that rows of one contract follow one another.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn append(tx: &mut Tx<'_>, event: &Event<'_>) -> Result<(), DatabaseError> {
    let contract = event.contract.to_stored();
    // The count is taken first and the row locked with it: a second transaction waits here.
    tx.execute_exactly(
        1,
        "an event's number",
        "UPDATE contracts SET event_count = event_count + 1 WHERE id = ?1",
        &[Value::Int(contract)],
    )?;
    let head = tx.query_one(
        "SELECT event_count, event_mark FROM contracts WHERE id = ?1",
        &[Value::Int(contract)],
        |row| Ok((row.int(0)?, row.bytes(1)?)),
    )?;
    let (sequence, before) = head.ok_or(DatabaseError::Gone)?;
    let mark = mark(&before, sequence, event);
    tx.execute_exactly(
        1,
        "an event",
        "INSERT INTO contract_events (contract, sequence, at, actor, word, details, address, mark)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            Value::Int(contract),
            Value::Int(sequence),
            Value::Int(event.at.as_microsecond()),
            Value::Text(event.actor),
            Value::Text(event.word),
            Value::Text(event.details),
            Value::Text(event.address),
            Value::Bytes(&mark),
        ],
    )?;
    tx.execute_exactly(
        1,
        "an event's mark",
        "UPDATE contracts SET event_mark = ?2 WHERE id = ?1 AND event_count = ?3",
        &[
            Value::Int(contract),
            Value::Bytes(&mark),
            Value::Int(sequence),
        ],
    )
}

/// What chains a row: it covers the row and the mark before it.
#[must_use]
pub fn mark(before: &[u8], sequence: i64, event: &Event<'_>) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"warifu contract event 1");
    let mut part = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        hash.update(bytes);
    };
    part(before);
    part(&event.contract.to_stored().to_be_bytes());
    part(&sequence.to_be_bytes());
    part(&event.at.as_microsecond().to_be_bytes());
    for text in [event.actor, event.word, event.details, event.address] {
        part(text.as_bytes());
    }
    hash.finalize().into()
}

/// The newest rows of a contract before `sequence` (use `i64::MAX` for the newest of all), newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn before(
    tx: &mut Tx<'_>,
    contract: ContractId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT sequence, at, actor, word, details, address, mark FROM contract_events
         WHERE contract = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3",
        &[
            Value::Int(contract.to_stored()),
            Value::Int(sequence),
            Value::Int(limit),
        ],
        |row| {
            Ok(Stored {
                sequence: row.int(0)?,
                at: time(row.int(1)?, "contract_events", "at")?,
                actor: row.text(2)?,
                word: row.text(3)?,
                details: row.text(4)?,
                address: row.text(5)?,
                mark: row.bytes(6)?,
            })
        },
    )
}
