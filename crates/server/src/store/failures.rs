//! Wrong codes in a row, by credential and relying party (rule S5). No row means none.

use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::party::PartyId;

use crate::database::{DatabaseError, Tx, Value};

const FIND: &str = "SELECT failures FROM credential_failures WHERE credential = ?1 AND party = ?2";

/// A credential and the relying party that counts.
pub type Pair = (CredentialId, PartyId);

/// Of one credential at one relying party. The credential must be locked, or only be looked at.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(
    tx: &mut Tx<'_>,
    credential: CredentialId,
    party: PartyId,
) -> Result<u8, DatabaseError> {
    let found = tx.query_one(
        FIND,
        &[Value::Int(credential.to_stored()), Value::Int(party.0)],
        |row| row.int(0),
    )?;
    read(credential.to_stored(), found.unwrap_or(0))
}

/// Of many locked credentials: every count there is, at whichever party.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find_many(tx: &mut Tx<'_>, pairs: &[Pair]) -> Result<Vec<(Pair, u8)>, DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            let mut rows = sqlite.repeated(FIND)?;
            let mut found = Vec::new();
            for pair in pairs {
                let (credential, party) = (pair.0.to_stored(), pair.1.0);
                if sqlite.may_be_failing(credential)? {
                    let row = [Value::Int(credential), Value::Int(party)];
                    if let Some(failures) = rows.query_one(&row, |row| row.int(0))? {
                        found.push((*pair, read(credential, failures)?));
                    }
                }
            }
            Ok(found)
        }
        Tx::Postgres(_) => {
            let credentials: Vec<_> = pairs
                .iter()
                .map(|(credential, _)| credential.to_stored())
                .collect();
            let parties: Vec<_> = pairs.iter().map(|(_, party)| party.0).collect();
            tx.query(
                "SELECT credential, party, failures FROM credential_failures
                 WHERE (credential, party) IN (SELECT * FROM unnest(?1::BIGINT[], ?2::BIGINT[]))",
                &[Value::Ints(&credentials), Value::Ints(&parties)],
                |row| {
                    let id = row.int(0)?;
                    let credential =
                        CredentialId::from_stored(id).ok_or(DatabaseError::Stored {
                            table: "credential_failures",
                            column: "credential",
                            row: id,
                        })?;
                    Ok(((credential, PartyId(row.int(1)?)), read(id, row.int(2)?)?))
                },
            )
        }
    }
}

/// Changes the count of a locked credential from `before` to `after`.
///
/// # Errors
/// [`DatabaseError::Count`] when it was not `before`.
pub fn change(
    tx: &mut Tx<'_>,
    credential: CredentialId,
    party: PartyId,
    before: u8,
    after: u8,
) -> Result<(), DatabaseError> {
    let (id, party) = (Value::Int(credential.to_stored()), Value::Int(party.0));
    let (before_value, after_value) = (Value::Int(i64::from(before)), Value::Int(i64::from(after)));
    match (before, after) {
        (before, after) if before == after => Ok(()),
        (0, _) => {
            if let Tx::Sqlite(sqlite) = tx {
                sqlite.is_failing(credential.to_stored());
            }
            tx.execute_exactly(
                1,
                "a first failure",
                "INSERT INTO credential_failures (credential, party, failures) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                &[id, party, after_value],
            )
        }
        (_, 0) => tx.execute_exactly(
            1,
            "the end of failures",
            "DELETE FROM credential_failures WHERE credential = ?1 AND party = ?2 AND failures = ?3",
            &[id, party, before_value],
        ),
        _ => tx.execute_exactly(
            1,
            "a failure",
            "UPDATE credential_failures SET failures = ?4 WHERE credential = ?1 AND party = ?2 AND failures = ?3",
            &[id, party, before_value, after_value],
        ),
    }
}

fn read(row: i64, failures: i64) -> Result<u8, DatabaseError> {
    u8::try_from(failures).map_err(|_| DatabaseError::Stored {
        table: "credential_failures",
        column: "failures",
        row,
    })
}
