//! How often an address may provision (rule S1).

use jiff::Timestamp;
use warifu_credentials::throttle::{Admission, Rate};

use crate::database::{DatabaseError, Tx, Value};

/// Counts one provisioning of an address, if it may.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn admit(
    tx: &mut Tx<'_>,
    rate: Rate,
    address: &str,
    now: Timestamp,
) -> Result<Admission, DatabaseError> {
    // Made or locked in one statement: neither another provisioning nor the one that forgets comes between.
    tx.execute_exactly(
        1,
        "the row of a throttle",
        "INSERT INTO provision_throttle (address, clear_at) VALUES (?1, ?2)
         ON CONFLICT (address) DO UPDATE SET address = excluded.address",
        &[Value::Text(address), Value::Int(now.as_microsecond())],
    )?;
    let clear_at = tx.query_one(
        "SELECT clear_at FROM provision_throttle WHERE address = ?1",
        &[Value::Text(address)],
        |row| row.int(0),
    )?;
    let clear_at = clear_at
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .unwrap_or(now);
    let admission = rate.admit(clear_at, now);
    if let Admission::Admitted { clear_at: next } = admission {
        tx.execute_exactly(
            1,
            "a throttle",
            "UPDATE provision_throttle SET clear_at = ?2 WHERE address = ?1",
            &[Value::Text(address), Value::Int(next.as_microsecond())],
        )?;
    }
    Ok(admission)
}

/// Forgets addresses that have nothing counted against them any more.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn forget_clear(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, DatabaseError> {
    tx.execute(
        "DELETE FROM provision_throttle WHERE clear_at < ?1",
        &[Value::Int(now.as_microsecond())],
    )
}
