//! Operations: shown, then settled once (rule M3).

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::operation::{Order, OrderKind, Outcome, Refusal};
use warifu_bank::session::SessionKey;
use warifu_bank::uid::Uid;

use super::{strange, time, uid};
use crate::database::{DatabaseError, Tx, Value};

const TABLE: &str = "operations";

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its page was shown.
    Shown,
    /// It was carried out.
    Done(Outcome),
    /// It was refused for good.
    Refused(Refusal),
}

/// An operation as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key.
    pub key: Uid,
    /// Whose.
    pub contract: ContractId,
    /// In which session its page was shown.
    pub session: SessionKey,
    /// What it is.
    pub kind: OrderKind,
    /// What was ordered, once it is known.
    pub order: Option<Order>,
    /// How many codes were refused.
    pub attempt: i64,
    /// How far it is.
    pub state: State,
    /// When its page was shown.
    pub shown_at: Timestamp,
    /// Random bytes of its own that no browser knows.
    pub secret: Vec<u8>,
}

/// An operation whose page is about to be shown.
pub struct New<'a> {
    /// Its key.
    pub key: Uid,
    /// Whose.
    pub contract: ContractId,
    /// In which session.
    pub session: SessionKey,
    /// What it is.
    pub kind: OrderKind,
    /// What was ordered, where it is known.
    pub order: Option<&'a Order>,
    /// Random bytes of its own.
    pub secret: &'a [u8],
}

/// Keeps an operation whose page is about to be shown.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(tx: &mut Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<(), DatabaseError> {
    let payload = new.order.map(Order::to_stored);
    tx.execute_exactly(
        1,
        "an operation",
        "INSERT INTO operations (key, contract, session, kind, payload, attempt, state, shown_at, secret)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7)",
        &[
            Value::Bytes(new.key.as_bytes()),
            Value::Int(new.contract.to_stored()),
            Value::Bytes(&new.session.0),
            Value::Text(new.kind.word()),
            Value::MaybeText(payload.as_deref()),
            Value::Int(now.as_microsecond()),
            Value::Bytes(new.secret),
        ],
    )
}

/// One operation.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, key: Uid) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT key, contract, session, kind, payload, attempt, state, shown_at, outcome, secret
         FROM operations WHERE key = ?1",
        &[Value::Bytes(key.as_bytes())],
        |row| {
            let bad = |column| strange(TABLE, column, 0);
            let state = match (row.int(6)?, row.maybe_text(8)?) {
                (0, None) => State::Shown,
                (1, Some(text)) => {
                    State::Done(serde_json::from_str(&text).map_err(|_| bad("outcome"))?)
                }
                (2, Some(text)) => {
                    State::Refused(serde_json::from_str(&text).map_err(|_| bad("outcome"))?)
                }
                _ => return Err(bad("state")),
            };
            let session = row.bytes(2)?.try_into().map_err(|_| bad("session"))?;
            Ok(Stored {
                key: uid(&row.bytes(0)?, TABLE, "key")?,
                contract: ContractId::from_stored(row.int(1)?).ok_or_else(|| bad("contract"))?,
                session: SessionKey(session),
                kind: OrderKind::from_word(&row.text(3)?).ok_or_else(|| bad("kind"))?,
                order: row
                    .maybe_text(4)?
                    .map(|text| Order::from_stored(&text).ok_or_else(|| bad("payload")))
                    .transpose()?,
                attempt: row.int(5)?,
                state,
                shown_at: time(row.int(7)?, TABLE, "shown_at")?,
                secret: row.maybe_bytes(9)?.unwrap_or_default(),
            })
        },
    )
}

/// Says what is ordered, on a page where that is typed beside the code; `false` when it is settled.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_order(tx: &mut Tx<'_>, key: Uid, order: &Order) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE operations SET payload = ?2 WHERE key = ?1 AND state = 0 AND kind = ?3",
        &[
            Value::Bytes(key.as_bytes()),
            Value::Text(&order.to_stored()),
            Value::Text(order.kind().word()),
        ],
    )?;
    Ok(count == 1)
}

/// Goes from one attempt to the next; `false` when somebody did, or it is settled.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn next_attempt(tx: &mut Tx<'_>, key: Uid, attempt: i64) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE operations SET attempt = attempt + 1 WHERE key = ?1 AND attempt = ?2 AND state = 0",
        &[Value::Bytes(key.as_bytes()), Value::Int(attempt)],
    )?;
    Ok(count == 1)
}

/// Counts an attempt, the first time that it is begun; `false` when it was begun before, or the operation is settled.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn begin_attempt(tx: &mut Tx<'_>, key: Uid, attempt: i64) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE operations SET begun = ?2 WHERE key = ?1 AND begun < ?2 AND state = 0",
        &[Value::Bytes(key.as_bytes()), Value::Int(attempt + 1)],
    )?;
    Ok(count == 1)
}

/// An attempt was not looked at after all: it is counted when it is begun again.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn forget_attempt(tx: &mut Tx<'_>, key: Uid, attempt: i64) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE operations SET begun = begun - 1 WHERE key = ?1 AND begun = ?2",
        &[Value::Bytes(key.as_bytes()), Value::Int(attempt + 1)],
    )
    .map(drop)
}

/// Settles an operation: carried out. It must be shown, and ordered as the code was bound to.
///
/// # Errors
/// [`DatabaseError::Count`] when it is not.
pub fn done(
    tx: &mut Tx<'_>,
    key: Uid,
    order: &Order,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let text = serde_json::to_string(outcome).map_err(|_| strange(TABLE, "outcome", 0))?;
    tx.execute_exactly(
        1,
        "an operation's end",
        "UPDATE operations SET state = 1, outcome = ?3, settled_at = ?4
         WHERE key = ?1 AND state = 0 AND payload = ?2",
        &[
            Value::Bytes(key.as_bytes()),
            Value::Text(&order.to_stored()),
            Value::Text(&text),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// Settles an operation: refused for good; `false` when it was settled before.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn refuse(
    tx: &mut Tx<'_>,
    key: Uid,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let text = serde_json::to_string(refusal).map_err(|_| strange(TABLE, "outcome", 0))?;
    let count = tx.execute(
        "UPDATE operations SET state = 2, outcome = ?2, settled_at = ?3, secret = NULL
         WHERE key = ?1 AND state = 0",
        &[
            Value::Bytes(key.as_bytes()),
            Value::Text(&text),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// A write that only tries whether there is room for one: some kilobytes that are gone before the transaction ends.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn try_to_write(tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
    // What can be compressed needs no room.
    let sql = match tx {
        Tx::Sqlite(_) => {
            "INSERT INTO operations (key, contract, session, kind, payload, attempt, state, shown_at)
             VALUES (?1, 0, ?1, '', hex(randomblob(3200)), 0, 0, 0)"
        }
        Tx::Postgres(_) => {
            "INSERT INTO operations (key, contract, session, kind, payload, attempt, state, shown_at)
             SELECT CAST(?1 AS BYTEA), 0, CAST(?1 AS BYTEA), '', string_agg(md5(random()::text), ''), 0, 0, 0 FROM generate_series(1, 200)"
        }
    };
    let key = [Value::Bytes(&[0; 16])];
    tx.execute_exactly(1, "a write that only tries", sql, &key)?;
    let sql = "DELETE FROM operations WHERE key = ?1";
    tx.execute_exactly(1, "the end of a write that only tries", sql, &key)
}
