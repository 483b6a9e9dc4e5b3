//! The service's own secrets, sealed like a credential's.

use warifu_credentials::keyring::KeyVersion;
use warifu_credentials::seal::Sealed;

use crate::database::{DatabaseError, Tx, Value};

/// A sealed secret of the service.
pub type Stored = (String, Vec<u8>, KeyVersion);

/// Every secret of the service, by name.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT name, sealed, key_version FROM service_secrets ORDER BY name",
        &[],
        |row| {
            let version = row.int(2)?;
            let version = u32::try_from(version).map_err(|_| DatabaseError::Stored {
                table: "service_secrets",
                column: "key_version",
                row: version,
            })?;
            Ok((row.text(0)?, row.bytes(1)?, KeyVersion(version)))
        },
    )
}

/// Keeps a secret unless one of this name is kept already.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    sealed: &Sealed,
    version: KeyVersion,
) -> Result<(), DatabaseError> {
    tx.execute(
        "INSERT INTO service_secrets (name, sealed, key_version) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[Value::Text(name), Value::Bytes(sealed.as_bytes()), Value::Int(i64::from(version.0))],
    )?;
    Ok(())
}

/// Puts a secret that was sealed again in the place of the old one; `false` when it is no longer there.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn reseal(
    tx: &mut Tx<'_>,
    name: &str,
    from: KeyVersion,
    to: KeyVersion,
    sealed: &Sealed,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE service_secrets SET sealed = ?4, key_version = ?3 WHERE name = ?1 AND key_version = ?2",
        &[
            Value::Text(name),
            Value::Int(i64::from(from.0)),
            Value::Int(i64::from(to.0)),
            Value::Bytes(sealed.as_bytes()),
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
            "INSERT INTO service_secrets (name, sealed, key_version) VALUES ('', randomblob(6400), 0)"
        }
        Tx::Postgres(_) => {
            "INSERT INTO service_secrets (name, sealed, key_version)
             SELECT '', decode(string_agg(md5(random()::text), ''), 'hex'), 0 FROM generate_series(1, 400)"
        }
    };
    tx.execute_exactly(1, "a write that only tries", sql, &[])?;
    let sql = "DELETE FROM service_secrets WHERE name = ''";
    tx.execute_exactly(1, "the end of a write that only tries", sql, &[])
}
