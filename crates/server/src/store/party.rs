//! Relying parties and their API keys (rule S2).

use jiff::Timestamp;
use warifu_credentials::api_key::ApiKeyHash;
use warifu_credentials::party::{PartyId, PartyName};

use crate::database::{DatabaseError, Tx, Value};

/// A relying party as staff see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub id: PartyId,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When its key was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Adds a relying party; `None` when the name is taken.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &PartyName,
    key: ApiKeyHash,
    now: Timestamp,
) -> Result<Option<PartyId>, DatabaseError> {
    // Numbers are never used again: rows stay. Two that add at once meet on the key and one of them fails whole.
    let next = tx.query_one("SELECT MAX(id) FROM relying_parties", &[], |row| {
        row.maybe_int(0)
    })?;
    let id = next.flatten().unwrap_or(0) + 1;
    let count = tx.execute(
        "INSERT INTO relying_parties (id, name, key_hash, added_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING",
        &[Value::Int(id), Value::Text(name.as_str()), Value::Bytes(&key.0), Value::Int(now.as_microsecond())],
    )?;
    Ok((count == 1).then_some(PartyId(id)))
}

/// Every relying party, by number.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT id, name, added_at, revoked_at FROM relying_parties ORDER BY id",
        &[],
        |row| {
            let id = row.int(0)?;
            let time = |micros, column| {
                Timestamp::from_microsecond(micros).map_err(|_| DatabaseError::Stored {
                    table: "relying_parties",
                    column,
                    row: id,
                })
            };
            Ok(Stored {
                id: PartyId(id),
                name: row.text(1)?,
                added_at: time(row.int(2)?, "added_at")?,
                revoked_at: row
                    .maybe_int(3)?
                    .map(|micros| time(micros, "revoked_at"))
                    .transpose()?,
            })
        },
    )
}

/// Revokes the key of a relying party; `None` when there is no such name, or it is revoked already.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn revoke(
    tx: &mut Tx<'_>,
    name: &PartyName,
    now: Timestamp,
) -> Result<Option<PartyId>, DatabaseError> {
    let found = tx.query_one(
        "SELECT id FROM relying_parties WHERE name = ?1",
        &[Value::Text(name.as_str())],
        |row| row.int(0),
    )?;
    let Some(id) = found else { return Ok(None) };
    let count = tx.execute(
        "UPDATE relying_parties SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
        &[Value::Int(id), Value::Int(now.as_microsecond())],
    )?;
    Ok((count == 1).then_some(PartyId(id)))
}

/// Whose key it is, unless it is revoked.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find_by_key(tx: &mut Tx<'_>, key: ApiKeyHash) -> Result<Option<PartyId>, DatabaseError> {
    tx.query_one(
        "SELECT id FROM relying_parties WHERE key_hash = ?1 AND revoked_at IS NULL",
        &[Value::Bytes(&key.0)],
        |row| row.int(0).map(PartyId),
    )
}

/// Whether a relying party's key is in force.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn in_force(tx: &mut Tx<'_>, id: PartyId) -> Result<bool, DatabaseError> {
    let found = tx.query_one(
        "SELECT id FROM relying_parties WHERE id = ?1 AND revoked_at IS NULL",
        &[Value::Int(id.0)],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}
