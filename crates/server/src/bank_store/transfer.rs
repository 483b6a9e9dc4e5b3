//! Transfers: sent, dated, cancelled (rules B8, B12).

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::contract::ContractId;
use warifu_bank::transfer::{Payee, TransferOrder};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{day, day_to_stored, strange, time, uid};
use crate::database::{DatabaseError, Row, Tx, Value};

const TABLE: &str = "transfers";

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 予約中: its day is to come, or it is about to be sent.
    Reserved,
    /// 振込済
    Sent,
    /// 取消済
    Cancelled,
    /// 不能: not sent.
    NotSent,
}

impl State {
    /// The number that is stored.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        match self {
            Self::Reserved => 0,
            Self::Sent => 1,
            Self::Cancelled => 2,
            Self::NotSent => 3,
        }
    }

    fn from_stored(stored: i64) -> Option<Self> {
        [Self::Reserved, Self::Sent, Self::Cancelled, Self::NotSent]
            .into_iter()
            .find(|state| state.to_stored() == stored)
    }
}

/// A transfer as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key: that of the operation that ordered it, and of the journal that sends it.
    pub key: Uid,
    /// Whose.
    pub contract: ContractId,
    /// Where the money comes from.
    pub from: AccountId,
    /// To whom.
    pub to: Payee,
    /// How much.
    pub amount: Yen,
    /// The fee.
    pub fee: Yen,
    /// The day in Japan on which it is sent.
    pub date: Date,
    /// How far it is.
    pub state: State,
    /// Why it was not sent, or fell.
    pub reason: Option<String>,
    /// 受付番号
    pub receipt: String,
    /// When it was ordered.
    pub created_at: Timestamp,
}

/// Adds a transfer in a state.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    key: Uid,
    contract: ContractId,
    order: &TransferOrder,
    state: State,
    receipt: &str,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let settled_at = (state != State::Reserved).then_some(now.as_microsecond());
    tx.execute_exactly(
        1,
        "a transfer",
        "INSERT INTO transfers (key, contract, source, bank, branch, kind, number, name, amount, fee, day, state,
                                receipt, created_at, settled_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        &[
            Value::Bytes(key.as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Int(order.from.to_stored()),
            Value::Text(&order.to.bank),
            Value::Text(&order.to.branch),
            Value::Int(i64::from(order.to.kind.zengin())),
            Value::Int(i64::from(order.to.number.get())),
            Value::Text(&order.to.name),
            Value::Int(order.amount),
            Value::Int(order.fee),
            Value::Int(day_to_stored(order.date)),
            Value::Int(state.to_stored()),
            Value::Text(receipt),
            Value::Int(now.as_microsecond()),
            Value::MaybeInt(settled_at),
        ],
    )
}

/// The newest transfers of a contract, newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(
    tx: &mut Tx<'_>,
    contract: ContractId,
    limit: i64,
) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT key, contract, source, bank, branch, kind, number, name, amount, fee, day, state, reason, receipt, created_at
         FROM transfers WHERE contract = ?1 ORDER BY key DESC LIMIT ?2",
        &[Value::Int(contract.to_stored()), Value::Int(limit)],
        read,
    )
}

/// One transfer of a contract.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(
    tx: &mut Tx<'_>,
    contract: ContractId,
    key: Uid,
) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT key, contract, source, bank, branch, kind, number, name, amount, fee, day, state, reason, receipt, created_at
         FROM transfers WHERE key = ?1 AND contract = ?2",
        &[Value::Bytes(key.as_bytes()), Value::Int(contract.to_stored())],
        read,
    )
}

/// Dated transfers whose day has come, oldest first, from the one after `last` on.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn due(
    tx: &mut Tx<'_>,
    today: Date,
    last: Option<(Date, Uid)>,
    limit: i64,
) -> Result<Vec<Stored>, DatabaseError> {
    let (last_day, last_key) = last.map_or((0, [0; 16]), |(day, key)| {
        (day_to_stored(day), *key.as_bytes())
    });
    tx.query(
        "SELECT key, contract, source, bank, branch, kind, number, name, amount, fee, day, state, reason, receipt, created_at
         FROM transfers WHERE state = 0 AND day <= ?1 AND (day, key) > (?2, ?3) ORDER BY day, key LIMIT ?4",
        &[
            Value::Int(day_to_stored(today)),
            Value::Int(last_day),
            Value::Bytes(&last_key),
            Value::Int(limit),
        ],
        read,
    )
}

/// Goes from reserved to another state; `false` when it was not reserved: somebody sent or cancelled it.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn settle(
    tx: &mut Tx<'_>,
    key: Uid,
    state: State,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE transfers SET state = ?2, reason = ?3, settled_at = ?4 WHERE key = ?1 AND state = 0",
        &[
            Value::Bytes(key.as_bytes()),
            Value::Int(state.to_stored()),
            Value::MaybeText(reason),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// Every dated transfer of a contract that is still to be sent: what falls with a stop (F4).
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn reserved(tx: &mut Tx<'_>, contract: ContractId) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT key, contract, source, bank, branch, kind, number, name, amount, fee, day, state, reason, receipt, created_at
         FROM transfers WHERE contract = ?1 AND state = 0 ORDER BY day, key",
        &[Value::Int(contract.to_stored())],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let bad = |column| strange(TABLE, column, 0);
    let small = |number: i64, column| u8::try_from(number).map_err(|_| bad(column));
    Ok(Stored {
        key: uid(&row.bytes(0)?, TABLE, "key")?,
        contract: ContractId::from_stored(row.int(1)?).ok_or_else(|| bad("contract"))?,
        from: AccountId::from_stored(row.int(2)?).ok_or_else(|| bad("source"))?,
        to: Payee {
            bank: row.text(3)?,
            branch: row.text(4)?,
            kind: AccountKind::from_zengin(small(row.int(5)?, "kind")?)
                .ok_or_else(|| bad("kind"))?,
            number: u32::try_from(row.int(6)?)
                .ok()
                .and_then(|number| AccountNumber::try_from(number).ok())
                .ok_or_else(|| bad("number"))?,
            name: row.text(7)?,
        },
        amount: Yen(row.int(8)?),
        fee: Yen(row.int(9)?),
        date: day(row.int(10)?, TABLE, "day")?,
        state: State::from_stored(row.int(11)?).ok_or_else(|| bad("state"))?,
        reason: row.maybe_text(12)?,
        receipt: row.text(13)?,
        created_at: time(row.int(14)?, TABLE, "created_at")?,
    })
}
