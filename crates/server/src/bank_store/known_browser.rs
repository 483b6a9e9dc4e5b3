//! Browsers in which a customer has signed in (rule B17), by the hash of what their cookie holds.

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::session::BrowserKey;
use warifu_bank::sign_in::{BROWSER_KNOWN_FOR, BROWSERS_KNOWN};

use crate::database::{DatabaseError, Tx, Value};

/// Notes that a customer signed in in a browser; of many the ones used last are kept.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn remember(
    tx: &mut Tx<'_>,
    contract: ContractId,
    browser: &BrowserKey,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a known browser",
        "INSERT INTO known_browsers (contract, browser, used_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (contract, browser) DO UPDATE SET used_at = excluded.used_at",
        &[
            Value::Int(contract.to_stored()),
            Value::Bytes(browser.as_bytes()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    tx.execute(
        "DELETE FROM known_browsers WHERE contract = ?1 AND browser NOT IN
         (SELECT browser FROM known_browsers WHERE contract = ?1 ORDER BY used_at DESC, browser LIMIT ?2)",
        &[
            Value::Int(contract.to_stored()),
            Value::Int(BROWSERS_KNOWN),
        ],
    )
    .map(drop)
}

/// Whether a customer has signed in in a browser.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn knows(
    tx: &mut Tx<'_>,
    contract: ContractId,
    browser: &BrowserKey,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let found = tx.query_one(
        "SELECT used_at FROM known_browsers WHERE contract = ?1 AND browser = ?2 AND used_at > ?3",
        &[
            Value::Int(contract.to_stored()),
            Value::Bytes(browser.as_bytes()),
            Value::Int(oldest(now).as_microsecond()),
        ],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}

/// Forgets browsers that were not used for long.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn forget_old(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, DatabaseError> {
    tx.execute(
        "DELETE FROM known_browsers WHERE used_at <= ?1",
        &[Value::Int(oldest(now).as_microsecond())],
    )
}

fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(BROWSER_KNOWN_FOR).unwrap_or(Timestamp::MIN)
}
