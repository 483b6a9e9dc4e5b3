//! Credentials.

use jiff::Timestamp;
use warifu_credentials::credential::{Acceptance, State};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::KeyVersion;
use warifu_credentials::party::PartyId;
use warifu_credentials::record::{reason_from_stored, reason_to_stored};
use warifu_credentials::seal::Sealed;
use warifu_credentials::{Algorithm, Digits, Period, TimeStep};

use crate::database::{DatabaseError, Older, Row, Spent, SqliteTx, Tx, Value};

/// A credential as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Which.
    pub id: CredentialId,
    /// Whether it is in use.
    pub state: State,
    /// The hash of its codes.
    pub algorithm: Algorithm,
    /// The digits of its codes.
    pub digits: Digits,
    /// Its time step.
    pub period: Period,
    /// Its sealed secret.
    pub sealed: Vec<u8>,
    /// Under which master key.
    pub key_version: KeyVersion,
    /// The newest accepted step.
    pub last_step: TimeStep,
    /// When that was.
    pub last_accepted_at: Option<Timestamp>,
    /// The token's clock against the service's, in steps.
    pub drift: i16,
    /// When it became known.
    pub provisioned_at: Timestamp,
}

const ENABLED: i64 = 0;
const STOPPED: i64 = 1;

const FIND: &str = "SELECT id, state, stop_reason, stopped_by, algorithm, digits, period, sealed, key_version, last_step,
            last_accepted_at, drift, provisioned_at
     FROM credentials WHERE id = ?1";

/// The step before every code's: nothing is spent yet.
const NO_STEP: TimeStep = TimeStep(-1);

/// Adds a credential of Warifu's own kind; `false` when the ID is taken.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: CredentialId,
    sealed: &Sealed,
    key_version: KeyVersion,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "INSERT INTO credentials (id, state, algorithm, digits, period, sealed, key_version, last_step, drift, provisioned_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9) ON CONFLICT DO NOTHING",
        &[
            Value::Int(id.to_stored()),
            Value::Int(ENABLED),
            Value::Int(algorithm_to_stored(Algorithm::Sha256)),
            Value::Int(i64::from(Digits::SIX.get())),
            Value::Int(i64::from(Period::DEFAULT.seconds())),
            Value::Bytes(sealed.as_bytes()),
            Value::Int(i64::from(key_version.0)),
            Value::Int(NO_STEP.0),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// The credentials of these ascending IDs that exist, locked until the transaction ends.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn lock(tx: &mut Tx<'_>, ids: &[CredentialId]) -> Result<Vec<Stored>, DatabaseError> {
    match tx {
        // The transaction is the only one that writes.
        Tx::Sqlite(sqlite) => {
            let mut rows = sqlite.repeated(FIND)?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(rows.query_one(&[Value::Int(id.to_stored())], read)?);
            }
            // One after the other, with no statement between them: so the processor waits for its memory once for several.
            for stored in &mut found {
                catch_up(sqlite, stored)?;
            }
            Ok(found)
        }
        // Sorted before it locks, so that two transactions never wait for each other. The locks are written to the log, so
        // that an answer that is only given again waits for the standby too, as `Tx::confirm` says.
        Tx::Postgres(_) => {
            let ids: Vec<_> = ids.iter().map(|id| id.to_stored()).collect();
            tx.query(
                "SELECT id, state, stop_reason, stopped_by, algorithm, digits, period, sealed, key_version, last_step,
                        last_accepted_at, drift, provisioned_at
                 FROM credentials WHERE id = ANY(?1) ORDER BY id FOR UPDATE",
                &[Value::Ints(&ids)],
                read,
            )
        }
    }
}

/// One credential, not locked; on SQLite by the writer, who knows the newest steps.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, id: CredentialId) -> Result<Option<Stored>, DatabaseError> {
    let mut found = tx.query_one(FIND, &[Value::Int(id.to_stored())], read)?;
    if let (Some(stored), Tx::Sqlite(sqlite)) = (&mut found, tx) {
        catch_up(sqlite, stored)?;
    }
    Ok(found)
}

/// On SQLite a row may not show the newest steps yet, which wait for the sweep (docs/decisions/0023 and 0035).
fn catch_up(sqlite: &mut SqliteTx<'_>, stored: &mut Stored) -> Result<(), DatabaseError> {
    let id = stored.id.to_stored();
    if let Some(spent) = sqlite.spent(id)?
        && spent.step > stored.last_step.0
    {
        stored.last_step = TimeStep(spent.step);
        stored.drift = spent.drift;
        stored.last_accepted_at = Some(read_time(id, spent.at, "last_accepted_at")?);
    }
    Ok(())
}

/// Spends the steps of right codes; each must be newer than what is spent, of a credential in use (rule S3). The caller
/// locked the credentials, and inserts an audit row for each that holds the step: on SQLite that row is the durable
/// record, and the credential's own row follows with the sweep (docs/decisions/0023 and 0035).
///
/// # Errors
/// [`DatabaseError::Count`] when one of them is not.
pub fn accept(
    tx: &mut Tx<'_>,
    accepted: &[(CredentialId, Acceptance)],
) -> Result<(), DatabaseError> {
    if accepted.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Sqlite(sqlite) => accepted.iter().try_for_each(|(id, acceptance)| {
            let spent = Spent {
                step: acceptance.step.0,
                drift: acceptance.drift,
                at: acceptance.at.as_microsecond(),
            };
            let newer = sqlite.spend(id.to_stored(), spent)?;
            newer.map_err(|Older| DatabaseError::Count {
                statement: "an acceptance",
                expected: 1,
                found: 0,
            })
        }),
        Tx::Postgres(_) => {
            let column = |value: fn(&(CredentialId, Acceptance)) -> i64| {
                accepted.iter().map(value).collect::<Vec<_>>()
            };
            tx.execute_exactly(
                accepted.len(),
                "acceptances",
                "UPDATE credentials SET last_step = new.step, last_accepted_at = new.at, drift = new.drift
                 FROM unnest(?1::BIGINT[], ?2::BIGINT[], ?3::BIGINT[], ?4::BIGINT[]) AS new (id, step, at, drift)
                 WHERE credentials.id = new.id AND credentials.last_step < new.step AND credentials.state = 0",
                &[
                    Value::Ints(&column(|(id, _)| id.to_stored())),
                    Value::Ints(&column(|(_, acceptance)| acceptance.step.0)),
                    Value::Ints(&column(|(_, acceptance)| acceptance.at.as_microsecond())),
                    Value::Ints(&column(|(_, acceptance)| i64::from(acceptance.drift))),
                ],
            )
        }
    }
}

/// Spends the step of a locked credential's second code of a resync (rule S4), in its row at once.
///
/// # Errors
/// [`DatabaseError::Count`] when it is not newer than what is spent, or the credential is not in use.
pub fn resynchronise(
    tx: &mut Tx<'_>,
    id: CredentialId,
    acceptance: &Acceptance,
) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a resync",
        "UPDATE credentials SET last_step = ?2, last_accepted_at = ?3, drift = ?4
         WHERE id = ?1 AND last_step < ?2 AND state = 0",
        &[
            Value::Int(id.to_stored()),
            Value::Int(acceptance.step.0),
            Value::Int(acceptance.at.as_microsecond()),
            Value::Int(i64::from(acceptance.drift)),
        ],
    )
}

/// Takes a credential out of use.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn stop(
    tx: &mut Tx<'_>,
    id: CredentialId,
    state: State,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let State::Stopped { reason, by } = state else {
        return Ok(());
    };
    tx.execute_exactly(
        1,
        "a stop",
        "UPDATE credentials SET state = ?2, stop_reason = ?3, stopped_by = ?4, stopped_at = ?5 WHERE id = ?1",
        &[
            Value::Int(id.to_stored()),
            Value::Int(STOPPED),
            Value::Int(reason_to_stored(reason)),
            Value::Int(by.0),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// Takes a credential back into use, unless it was stolen (rule S6).
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn enable(tx: &mut Tx<'_>, id: CredentialId) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "an enabling",
        "UPDATE credentials SET state = ?2, stop_reason = NULL, stopped_by = NULL, stopped_at = NULL
         WHERE id = ?1 AND state = ?3 AND stop_reason <> ?4",
        &[
            Value::Int(id.to_stored()),
            Value::Int(ENABLED),
            Value::Int(STOPPED),
            Value::Int(reason_to_stored(warifu_wire::StopReason::Stolen)),
        ],
    )
}

/// At most `limit` credentials after an ID whose secrets are sealed under another version than `version`.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn sealed_otherwise(
    tx: &mut Tx<'_>,
    version: KeyVersion,
    after: i64,
    limit: i64,
) -> Result<Vec<(CredentialId, Vec<u8>, KeyVersion)>, DatabaseError> {
    tx.query(
        "SELECT id, sealed, key_version FROM credentials WHERE id > ?1 AND key_version <> ?2 ORDER BY id LIMIT ?3",
        &[Value::Int(after), Value::Int(i64::from(version.0)), Value::Int(limit)],
        |row| {
            let id = row.int(0)?;
            Ok((read_id(id)?, row.bytes(1)?, read_key_version(id, row.int(2)?)?))
        },
    )
}

/// Puts a secret that was sealed again in the place of the old one; `false` when it is no longer there.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn reseal(
    tx: &mut Tx<'_>,
    id: CredentialId,
    from: KeyVersion,
    to: KeyVersion,
    sealed: &Sealed,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE credentials SET sealed = ?4, key_version = ?3 WHERE id = ?1 AND key_version = ?2",
        &[
            Value::Int(id.to_stored()),
            Value::Int(i64::from(from.0)),
            Value::Int(i64::from(to.0)),
            Value::Bytes(sealed.as_bytes()),
        ],
    )?;
    Ok(count == 1)
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let id = row.int(0)?;
    let stored = |column| DatabaseError::Stored {
        table: "credentials",
        column,
        row: id,
    };
    let time = |micros, column| read_time(id, micros, column);
    let state = match (
        row.int(1)?,
        row.maybe_int(2)?.and_then(reason_from_stored),
        row.maybe_int(3)?,
    ) {
        (ENABLED, None, None) => State::Enabled,
        (STOPPED, Some(reason), Some(by)) => State::Stopped {
            reason,
            by: PartyId(by),
        },
        _ => return Err(stored("state")),
    };
    let small = |number: i64, column| u8::try_from(number).map_err(|_| stored(column));
    Ok(Stored {
        id: read_id(id)?,
        state,
        algorithm: algorithm_from_stored(row.int(4)?).ok_or_else(|| stored("algorithm"))?,
        digits: Digits::new(small(row.int(5)?, "digits")?).map_err(|_| stored("digits"))?,
        period: u32::try_from(row.int(6)?)
            .ok()
            .and_then(|seconds| Period::from_seconds(seconds).ok())
            .ok_or_else(|| stored("period"))?,
        sealed: row.bytes(7)?,
        key_version: read_key_version(id, row.int(8)?)?,
        last_step: TimeStep(row.int(9)?),
        last_accepted_at: row
            .maybe_int(10)?
            .map(|micros| time(micros, "last_accepted_at"))
            .transpose()?,
        drift: i16::try_from(row.int(11)?).map_err(|_| stored("drift"))?,
        provisioned_at: time(row.int(12)?, "provisioned_at")?,
    })
}

fn read_time(id: i64, micros: i64, column: &'static str) -> Result<Timestamp, DatabaseError> {
    Timestamp::from_microsecond(micros).map_err(|_| DatabaseError::Stored {
        table: "credentials",
        column,
        row: id,
    })
}

fn read_id(id: i64) -> Result<CredentialId, DatabaseError> {
    CredentialId::from_stored(id).ok_or(DatabaseError::Stored {
        table: "credentials",
        column: "id",
        row: id,
    })
}

fn read_key_version(id: i64, version: i64) -> Result<KeyVersion, DatabaseError> {
    u32::try_from(version)
        .map(KeyVersion)
        .map_err(|_| DatabaseError::Stored {
            table: "credentials",
            column: "key_version",
            row: id,
        })
}

fn algorithm_to_stored(algorithm: Algorithm) -> i64 {
    match algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => 3,
    }
}

fn algorithm_from_stored(stored: i64) -> Option<Algorithm> {
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm_to_stored(*algorithm) == stored)
}
