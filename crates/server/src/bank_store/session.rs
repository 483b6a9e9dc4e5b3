//! Sessions (rule B15). A row is found by the hash of what the cookie holds.

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::session::{Ending, SessionKey, Stage, Wizard};

use super::{strange, time};
use crate::database::{DatabaseError, Row, Tx, Value};

const TABLE: &str = "sessions";

/// A session as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key.
    pub key: SessionKey,
    /// Whose.
    pub contract: ContractId,
    /// What it may reach.
    pub stage: Stage,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// Why it ended, if it did.
    pub ending: Option<Ending>,
    /// From where.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
    /// How many sessions it ended when it began (B15: it says so).
    pub replaced: i64,
}

/// A session that begins.
#[derive(Debug, Clone)]
pub struct New {
    /// Its key.
    pub key: SessionKey,
    /// Whose.
    pub contract: ContractId,
    /// What it may reach.
    pub stage: Stage,
    /// From where.
    pub address: String,
    /// The browser, at most 200 characters.
    pub agent: String,
}

/// The word of a stage.
#[must_use]
pub fn stage_to_stored(stage: Stage) -> &'static str {
    match stage {
        Stage::Full => "full",
        Stage::AwaitingCode => "code",
        Stage::AwaitingNewPassword => "new-password",
        Stage::Wizard(Wizard::Registration) => "registration",
        Stage::Wizard(Wizard::StopUse) => "stop-use",
        Stage::Wizard(Wizard::TokenChange) => "token-change",
        Stage::Wizard(Wizard::Loss) => "loss",
    }
}

fn stage_from_stored(word: &str) -> Option<Stage> {
    [
        Stage::Full,
        Stage::AwaitingCode,
        Stage::AwaitingNewPassword,
        Stage::Wizard(Wizard::Registration),
        Stage::Wizard(Wizard::StopUse),
        Stage::Wizard(Wizard::TokenChange),
        Stage::Wizard(Wizard::Loss),
    ]
    .into_iter()
    .find(|stage| stage_to_stored(*stage) == word)
}

fn ending_to_stored(ending: Ending) -> i64 {
    match ending {
        Ending::LoggedOut => 1,
        Ending::Replaced => 2,
        Ending::EndedByCustomer => 3,
        Ending::EndedByBank => 4,
    }
}

/// Begins a session. A full one ends every other full one of the contract, and knows how many.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn begin(tx: &mut Tx<'_>, new: &New, now: Timestamp) -> Result<(), DatabaseError> {
    let replaced = if new.stage == Stage::Full {
        end_others(tx, new.contract, new.key, Ending::Replaced, now)?
    } else {
        0
    };
    tx.execute_exactly(
        1,
        "a session",
        "INSERT INTO sessions (key, contract, stage, created_at, seen_at, address, agent, replaced)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
        &[
            Value::Bytes(&new.key.0),
            Value::Int(new.contract.to_stored()),
            Value::Text(stage_to_stored(new.stage)),
            Value::Int(now.as_microsecond()),
            Value::Text(&new.address),
            Value::Text(&new.agent),
            Value::Int(replaced),
        ],
    )
}

/// One session.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, key: SessionKey) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT key, contract, stage, created_at, seen_at, ending, address, agent, replaced
         FROM sessions WHERE key = ?1",
        &[Value::Bytes(&key.0)],
        read,
    )
}

/// The sessions of a contract that have not ended, newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn open_of(
    tx: &mut Tx<'_>,
    contract: ContractId,
    used_since: Timestamp,
) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT key, contract, stage, created_at, seen_at, ending, address, agent, replaced
         FROM sessions WHERE contract = ?1 AND ended_at IS NULL AND seen_at > ?2 ORDER BY created_at DESC LIMIT 100",
        &[
            Value::Int(contract.to_stored()),
            Value::Int(used_since.as_microsecond()),
        ],
        read,
    )
}

/// Notes that a session was used; no earlier than it was.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn seen(tx: &mut Tx<'_>, key: SessionKey, now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE sessions SET seen_at = ?2 WHERE key = ?1 AND seen_at < ?2 AND ended_at IS NULL",
        &[Value::Bytes(&key.0), Value::Int(now.as_microsecond())],
    )
    .map(drop)
}

/// Ends a session; `false` when it has ended.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn end(
    tx: &mut Tx<'_>,
    contract: ContractId,
    key: SessionKey,
    ending: Ending,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE sessions SET ended_at = ?3, ending = ?4 WHERE key = ?1 AND contract = ?2 AND ended_at IS NULL",
        &[
            Value::Bytes(&key.0),
            Value::Int(contract.to_stored()),
            Value::Int(now.as_microsecond()),
            Value::Int(ending_to_stored(ending)),
        ],
    )?;
    Ok(count == 1)
}

/// Ends every full session of a contract but one, and tells how many there were.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn end_others(
    tx: &mut Tx<'_>,
    contract: ContractId,
    but: SessionKey,
    ending: Ending,
    now: Timestamp,
) -> Result<i64, DatabaseError> {
    let idle_since = now.checked_sub(warifu_bank::session::IDLE).unwrap_or(now);
    let living = tx.query_one(
        "SELECT COUNT(*) FROM sessions
         WHERE contract = ?1 AND key <> ?2 AND ended_at IS NULL AND stage = 'full' AND seen_at > ?3",
        &[
            Value::Int(contract.to_stored()),
            Value::Bytes(&but.0),
            Value::Int(idle_since.as_microsecond()),
        ],
        |row| row.int(0),
    )?;
    tx.execute(
        "UPDATE sessions SET ended_at = ?3, ending = ?4
         WHERE contract = ?1 AND key <> ?2 AND ended_at IS NULL AND stage = 'full'",
        &[
            Value::Int(contract.to_stored()),
            Value::Bytes(&but.0),
            Value::Int(now.as_microsecond()),
            Value::Int(ending_to_stored(ending)),
        ],
    )?;
    Ok(living.unwrap_or(0))
}

/// Ends every session of a contract, whatever its stage: a stop, a release, a new password from the bank (F4).
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn end_all(
    tx: &mut Tx<'_>,
    contract: ContractId,
    ending: Ending,
    now: Timestamp,
) -> Result<usize, DatabaseError> {
    tx.execute(
        "UPDATE sessions SET ended_at = ?2, ending = ?3 WHERE contract = ?1 AND ended_at IS NULL",
        &[
            Value::Int(contract.to_stored()),
            Value::Int(now.as_microsecond()),
            Value::Int(ending_to_stored(ending)),
        ],
    )
}

/// Ends every session of a contract but one, whatever its stage: whoever gave the old password elsewhere, at the login
/// or for a wizard, gave it in vain (B13).
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn end_all_but(
    tx: &mut Tx<'_>,
    contract: ContractId,
    but: SessionKey,
    ending: Ending,
    now: Timestamp,
) -> Result<usize, DatabaseError> {
    tx.execute(
        "UPDATE sessions SET ended_at = ?3, ending = ?4 WHERE contract = ?1 AND key <> ?2 AND ended_at IS NULL",
        &[
            Value::Int(contract.to_stored()),
            Value::Bytes(&but.0),
            Value::Int(now.as_microsecond()),
            Value::Int(ending_to_stored(ending)),
        ],
    )
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let bad = |column| strange(TABLE, column, 0);
    let ending = match row.maybe_int(5)? {
        None => None,
        Some(1) => Some(Ending::LoggedOut),
        Some(2) => Some(Ending::Replaced),
        Some(3) => Some(Ending::EndedByCustomer),
        Some(4) => Some(Ending::EndedByBank),
        Some(_) => return Err(bad("ending")),
    };
    Ok(Stored {
        key: SessionKey(row.bytes(0)?.try_into().map_err(|_| bad("key"))?),
        contract: ContractId::from_stored(row.int(1)?).ok_or_else(|| bad("contract"))?,
        stage: stage_from_stored(&row.text(2)?).ok_or_else(|| bad("stage"))?,
        created_at: time(row.int(3)?, TABLE, "created_at")?,
        seen_at: time(row.int(4)?, TABLE, "seen_at")?,
        ending,
        address: row.text(6)?,
        agent: row.text(7)?,
        replaced: row.int(8)?,
    })
}
