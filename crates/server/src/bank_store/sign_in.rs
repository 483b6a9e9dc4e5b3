//! The history of sign-ins: 前回ログイン and ログイン履歴 (rules B11, B13).

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::uid::Uid;

use super::{strange, time};
use crate::database::{DatabaseError, Tx, Value};

/// What came of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Through.
    SignedIn,
    /// The password was wrong.
    WrongPassword,
    /// The password was right, the code was not.
    WrongCode,
}

/// A sign-in as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// From where.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// Adds one.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: Uid,
    contract: ContractId,
    outcome: Outcome,
    address: &str,
    agent: &str,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let number = match outcome {
        Outcome::SignedIn => 0,
        Outcome::WrongPassword => 1,
        Outcome::WrongCode => 2,
    };
    tx.execute_exactly(
        1,
        "a sign-in",
        "INSERT INTO sign_ins (id, contract, at, outcome, address, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Int(now.as_microsecond()),
            Value::Int(number),
            Value::Text(address),
            Value::Text(agent),
        ],
    )
}

/// The newest sign-ins of a contract, newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(
    tx: &mut Tx<'_>,
    contract: ContractId,
    limit: i64,
) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT at, outcome, address, agent FROM sign_ins WHERE contract = ?1 ORDER BY id DESC LIMIT ?2",
        &[Value::Int(contract.to_stored()), Value::Int(limit)],
        |row| {
            Ok(Stored {
                at: time(row.int(0)?, "sign_ins", "at")?,
                outcome: match row.int(1)? {
                    0 => Outcome::SignedIn,
                    1 => Outcome::WrongPassword,
                    2 => Outcome::WrongCode,
                    _ => return Err(strange("sign_ins", "outcome", 0)),
                },
                address: row.text(2)?,
                agent: row.text(3)?,
            })
        },
    )
}

/// Whether a customer has signed in from an address before.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn knows_address(
    tx: &mut Tx<'_>,
    contract: ContractId,
    address: &str,
) -> Result<bool, DatabaseError> {
    let found = tx.query_one(
        "SELECT at FROM sign_ins WHERE contract = ?1 AND outcome = 0 AND address = ?2 LIMIT 1",
        &[Value::Int(contract.to_stored()), Value::Text(address)],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}
