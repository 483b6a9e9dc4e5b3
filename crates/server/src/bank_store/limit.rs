//! 振込限度額 and what of it is used (rules B9, M4).

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::contract::ContractId;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{day, day_to_stored, uid};
use crate::database::{DatabaseError, Tx, Value};

/// A contract's limits: today's, and what is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What holds on the day that was asked about.
    pub current: Yen,
    /// A raise that is to come.
    pub pending: Option<(Yen, Date)>,
}

/// The limit that holds on `today`, and a raise that is to come. The newest change that has begun counts; a change that
/// was asked for later overrules one that was to come.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(
    tx: &mut Tx<'_>,
    contract: ContractId,
    today: Date,
    initial: Yen,
) -> Result<Limits, DatabaseError> {
    let changes = tx.query(
        "SELECT amount, effective_on FROM limit_changes WHERE contract = ?1 ORDER BY id DESC LIMIT 2",
        &[Value::Int(contract.to_stored())],
        |row| Ok((Yen(row.int(0)?), day(row.int(1)?, "limit_changes", "effective_on")?)),
    )?;
    let begun = tx.query_one(
        "SELECT amount FROM limit_changes WHERE contract = ?1 AND effective_on <= ?2 ORDER BY id DESC LIMIT 1",
        &[Value::Int(contract.to_stored()), Value::Int(day_to_stored(today))],
        |row| row.int(0),
    )?;
    Ok(Limits {
        current: begun.map_or(initial, Yen),
        pending: changes.first().copied().filter(|(_, from)| *from > today),
    })
}

/// Adds a change, which is the newest from then on, also when the clock stepped back since the one before. The
/// contract's row is locked.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: Uid,
    contract: ContractId,
    amount: Yen,
    effective_on: Date,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let newest = tx.query_one(
        "SELECT id FROM limit_changes WHERE contract = ?1 ORDER BY id DESC LIMIT 1",
        &[Value::Int(contract.to_stored())],
        |row| uid(&row.bytes(0)?, "limit_changes", "id"),
    )?;
    let id = id.after(newest);
    tx.execute_exactly(
        1,
        "a change of limit",
        "INSERT INTO limit_changes (id, contract, amount, effective_on, requested_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Int(amount.0),
            Value::Int(day_to_stored(effective_on)),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// What was sent on a day.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn used(tx: &mut Tx<'_>, contract: ContractId, on: Date) -> Result<Yen, DatabaseError> {
    let used = tx.query_one(
        "SELECT used FROM daily_usage WHERE contract = ?1 AND day = ?2",
        &[
            Value::Int(contract.to_stored()),
            Value::Int(day_to_stored(on)),
        ],
        |row| row.int(0),
    )?;
    Ok(Yen(used.unwrap_or(0)))
}

/// Uses a part of a day's limit; `false` when it would be passed. The row is there first, so that the condition guards
/// the day's first transfer as well.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn spend(
    tx: &mut Tx<'_>,
    contract: ContractId,
    on: Date,
    amount: Yen,
    cap: Yen,
) -> Result<bool, DatabaseError> {
    let key = [
        Value::Int(contract.to_stored()),
        Value::Int(day_to_stored(on)),
    ];
    let [contract, on] = key;
    tx.execute(
        "INSERT INTO daily_usage (contract, day, used) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
        &[contract, on],
    )?;
    let count = tx.execute(
        "UPDATE daily_usage SET used = used + ?3 WHERE contract = ?1 AND day = ?2 AND used + ?3 <= ?4",
        &[contract, on, Value::Int(amount.0), Value::Int(cap.0)],
    )?;
    Ok(count == 1)
}
