//! 振込先: the payee book.

use jiff::Timestamp;
use warifu_bank::account::{AccountKind, AccountNumber};
use warifu_bank::contract::ContractId;
use warifu_bank::transfer::Payee;
use warifu_bank::uid::Uid;

use super::{strange, uid};
use crate::database::{DatabaseError, Tx, Value};

/// How many payees a book holds.
pub const MOST: i64 = 99;

/// Remembers a payee; one that is there already takes the new name. `false` when the book is full. The contract's row
/// is locked, so that nobody adds meanwhile.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn remember(
    tx: &mut Tx<'_>,
    id: Uid,
    contract: ContractId,
    payee: &Payee,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let kept = tx.query_one(
        "SELECT COUNT(*) FROM payees WHERE contract = ?1",
        &[Value::Int(contract.to_stored())],
        |row| row.int(0),
    )?;
    if kept.unwrap_or(0) >= MOST {
        return Ok(false);
    }
    tx.execute_exactly(
        1,
        "a payee",
        "INSERT INTO payees (id, contract, bank, branch, kind, number, name, added_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (contract, bank, branch, kind, number) DO UPDATE SET name = excluded.name",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Text(&payee.bank),
            Value::Text(&payee.branch),
            Value::Int(i64::from(payee.kind.zengin())),
            Value::Int(i64::from(payee.number.get())),
            Value::Text(&payee.name),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(true)
}

/// The book of a contract, by name.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn all(tx: &mut Tx<'_>, contract: ContractId) -> Result<Vec<(Uid, Payee)>, DatabaseError> {
    let bad = |column| strange("payees", column, 0);
    tx.query(
        "SELECT id, bank, branch, kind, number, name FROM payees WHERE contract = ?1 ORDER BY name, id",
        &[Value::Int(contract.to_stored())],
        |row| {
            let kind = u8::try_from(row.int(3)?).ok().and_then(AccountKind::from_zengin);
            let number = u32::try_from(row.int(4)?).ok();
            Ok((
                uid(&row.bytes(0)?, "payees", "id")?,
                Payee {
                    bank: row.text(1)?,
                    branch: row.text(2)?,
                    kind: kind.ok_or_else(|| bad("kind"))?,
                    number: number
                        .and_then(|number| AccountNumber::try_from(number).ok())
                        .ok_or_else(|| bad("number"))?,
                    name: row.text(5)?,
                },
            ))
        },
    )
}

/// Takes a payee out of the book; `false` when it is not there.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn forget(tx: &mut Tx<'_>, contract: ContractId, id: Uid) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "DELETE FROM payees WHERE id = ?1 AND contract = ?2",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(contract.to_stored()),
        ],
    )?;
    Ok(count == 1)
}
