//! Which master keys the database was sealed under, told by check values that tell no key (rule S8).

use jiff::Timestamp;
use warifu_credentials::keyring::{KeyCheck, KeyVersion};

use crate::database::{DatabaseError, Tx, Value};

/// Every version that was taken into use, lowest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<(KeyVersion, KeyCheck)>, DatabaseError> {
    tx.query(
        "SELECT version, check_value FROM seal_keys ORDER BY version",
        &[],
        |row| {
            let version = row.int(0)?;
            let stored = |column| DatabaseError::Stored {
                table: "seal_keys",
                column,
                row: version,
            };
            Ok((
                KeyVersion(u32::try_from(version).map_err(|_| stored("version"))?),
                KeyCheck(
                    row.bytes(1)?
                        .try_into()
                        .map_err(|_| stored("check_value"))?,
                ),
            ))
        },
    )
}

/// The version that new secrets are sealed under.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(tx: &mut Tx<'_>) -> Result<Option<KeyVersion>, DatabaseError> {
    Ok(list(tx)?.last().map(|(version, _)| *version))
}

/// Takes a version into use; `false` when it is already.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn adopt(
    tx: &mut Tx<'_>,
    version: KeyVersion,
    check: KeyCheck,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "INSERT INTO seal_keys (version, check_value, adopted_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[Value::Int(i64::from(version.0)), Value::Bytes(&check.0), Value::Int(now.as_microsecond())],
    )?;
    Ok(count == 1)
}
