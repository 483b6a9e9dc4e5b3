//! Accounts and their balances.

use jiff::Timestamp;
use warifu_bank::account::{AccountId, INNER};
use warifu_bank::contract::ContractId;
use warifu_bank::yen::Yen;

use super::strange;
use crate::database::{DatabaseError, Row, Tx, Value};

const TABLE: &str = "accounts";

/// An account as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub id: AccountId,
    /// Whose; none is the bank's own.
    pub contract: Option<ContractId>,
    /// 残高
    pub balance: Yen,
    /// How far it may go down; none: without end.
    pub lowest: Option<Yen>,
}

/// Makes the bank's own accounts where they are missing.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn ensure_inner(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), DatabaseError> {
    INNER
        .iter()
        .try_for_each(|id| insert(tx, *id, None, None, now).map(drop))
}

/// Opens an account; `false` when its number is taken.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: AccountId,
    contract: Option<ContractId>,
    lowest: Option<Yen>,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "INSERT INTO accounts (id, contract, opened_at, lowest, balance, entries, mark)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5) ON CONFLICT DO NOTHING",
        &[
            Value::Int(id.to_stored()),
            Value::MaybeInt(contract.map(ContractId::to_stored)),
            Value::Int(now.as_microsecond()),
            Value::MaybeInt(lowest.map(|yen| yen.0)),
            Value::Bytes(&[]),
        ],
    )?;
    Ok(count == 1)
}

/// The accounts of a contract, by branch, kind and number.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn of_contract(tx: &mut Tx<'_>, contract: ContractId) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT id, contract, balance, lowest FROM accounts WHERE contract = ?1 ORDER BY id",
        &[Value::Int(contract.to_stored())],
        read,
    )
}

/// One account.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT id, contract, balance, lowest FROM accounts WHERE id = ?1",
        &[Value::Int(id.to_stored())],
        read,
    )
}

/// An account of a contract; none when it is somebody else's.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn own(
    tx: &mut Tx<'_>,
    contract: ContractId,
    id: AccountId,
) -> Result<Option<Stored>, DatabaseError> {
    Ok(find(tx, id)?.filter(|account| account.contract == Some(contract)))
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let id = row.int(0)?;
    let contract = row
        .maybe_int(1)?
        .map(|stored| ContractId::from_stored(stored).ok_or_else(|| strange(TABLE, "contract", id)))
        .transpose()?;
    Ok(Stored {
        id: AccountId::from_stored(id).ok_or_else(|| strange(TABLE, "id", id))?,
        contract,
        balance: Yen(row.int(2)?),
        lowest: row.maybe_int(3)?.map(Yen),
    })
}
