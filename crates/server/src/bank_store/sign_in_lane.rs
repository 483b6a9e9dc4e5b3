//! Lanes of sign-ins (rule B17): a try is counted before its password is looked at, so that of any number at once no
//! more are let through than one after the other.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use warifu_bank::sign_in::{FORGOTTEN_AFTER, Lane, closed_until};

use crate::database::{DatabaseError, Tx, Value};

/// How much clocks of several copies may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// The name of a lane: a hash, so that typed IDs are not kept.
#[must_use]
pub fn name(lane: Lane, id: &str, address: &str) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"warifu lane 1");
    hash.update([lane.tag()]);
    for part in [id, address] {
        hash.update(u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A lane and its name.
pub type Named = (Lane, [u8; 32]);

/// Counts a try in each of its lanes; when one is closed in none, and the seconds until it opens are told: what is not
/// looked at is no failure, so asking again closes no lane of one's own.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn enter(
    tx: &mut Tx<'_>,
    lanes: &[Named],
    now: Timestamp,
) -> Result<Option<i64>, DatabaseError> {
    for (place, (lane, name)) in lanes.iter().enumerate() {
        if let Some(until) = count(tx, *lane, name, now)? {
            for (_, name) in lanes.iter().take(place) {
                give_back(tx, name)?;
            }
            return Ok(Some(until.duration_since(now).as_secs().max(1)));
        }
    }
    Ok(None)
}

/// Takes a try back out of its lanes: it was right, which begins them anew but for an address's, or was not looked at.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn leave(tx: &mut Tx<'_>, lanes: &[Named], right: bool) -> Result<(), DatabaseError> {
    lanes.iter().try_for_each(|(lane, name)| {
        if right && *lane != Lane::Address {
            clear(tx, name)
        } else {
            give_back(tx, name)
        }
    })
}

/// Counts a try in a lane; when it is closed, the time until which.
fn count(
    tx: &mut Tx<'_>,
    lane: Lane,
    name: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Timestamp>, DatabaseError> {
    let micros = Value::Int(now.as_microsecond());
    tx.execute(
        "INSERT INTO sign_in_lanes (lane, failures, closed_until, used_at) VALUES (?1, 0, 0, ?2)
         ON CONFLICT DO NOTHING",
        &[Value::Bytes(name), micros],
    )?;
    let fresh_since = now.checked_sub(FORGOTTEN_AFTER).unwrap_or(now);
    tx.execute(
        "UPDATE sign_in_lanes SET failures = 0 WHERE lane = ?1 AND used_at < ?2",
        &[Value::Bytes(name), Value::Int(fresh_since.as_microsecond())],
    )?;
    // Closed for longer than a lane is, and by more than clocks of several copies differ: by a clock that was ahead.
    let longest = now
        .checked_add(lane.longest() + SKEW)
        .unwrap_or(Timestamp::MAX);
    let counted = tx.execute(
        "UPDATE sign_in_lanes SET failures = failures + 1, used_at = ?2
         WHERE lane = ?1 AND (closed_until <= ?2 OR closed_until > ?3)",
        &[
            Value::Bytes(name),
            micros,
            Value::Int(longest.as_microsecond()),
        ],
    )?;
    let state = tx.query_one(
        "SELECT failures, closed_until FROM sign_in_lanes WHERE lane = ?1",
        &[Value::Bytes(name)],
        |row| Ok((row.int(0)?, row.int(1)?)),
    )?;
    let (failures, closed) = state.ok_or(DatabaseError::Gone)?;
    if counted == 0 {
        return super::time(closed, "sign_in_lanes", "closed_until").map(Some);
    }
    let until = closed_until(lane, failures, now);
    if until > now {
        tx.execute(
            "UPDATE sign_in_lanes SET closed_until = ?2 WHERE lane = ?1",
            &[Value::Bytes(name), Value::Int(until.as_microsecond())],
        )?;
    }
    Ok(None)
}

/// Notes that a lane was used, one microsecond later than it was: a write in any case.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn touch(tx: &mut Tx<'_>, name: &[u8; 32], now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE sign_in_lanes SET used_at = ?2 WHERE lane = ?1",
        &[Value::Bytes(name), Value::Int(now.as_microsecond() + 1)],
    )
    .map(drop)
}

/// Begins a lane anew.
fn clear(tx: &mut Tx<'_>, name: &[u8; 32]) -> Result<(), DatabaseError> {
    tx.execute(
        "DELETE FROM sign_in_lanes WHERE lane = ?1",
        &[Value::Bytes(name)],
    )
    .map(drop)
}

/// Takes one try back: it was no failure.
fn give_back(tx: &mut Tx<'_>, name: &[u8; 32]) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE sign_in_lanes SET failures = failures - 1, closed_until = 0 WHERE lane = ?1 AND failures > 0",
        &[Value::Bytes(name)],
    )
    .map(drop)
}

/// Forgets lanes that were not used for a day.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn forget_old(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, DatabaseError> {
    let before = now.checked_sub(FORGOTTEN_AFTER).unwrap_or(now);
    tx.execute(
        "DELETE FROM sign_in_lanes WHERE used_at < ?1",
        &[Value::Int(before.as_microsecond())],
    )
}
