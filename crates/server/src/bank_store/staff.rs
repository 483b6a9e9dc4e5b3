//! The bank's staff and their sessions (rule F1).

use jiff::Timestamp;
use warifu_bank::session::SessionKey;
use warifu_bank::staff::Role;
use warifu_bank::token_id::TokenId;

use super::{strange, time};
use crate::database::{DatabaseError, Tx, Value};

/// A member of the staff.
#[derive(Clone)]
pub struct Stored {
    /// The login name.
    pub name: String,
    /// The name that pages show.
    pub display_name: String,
    /// What he may do.
    pub role: Role,
    /// The Argon2id hash of his password.
    pub password: String,
    /// His token; none until he has registered one.
    pub token: Option<TokenId>,
    /// Until when he may register one with his password alone.
    pub enrolment_until: Option<Timestamp>,
    /// Whether he still works here.
    pub active: bool,
}

/// A new member.
#[derive(Clone)]
pub struct New<'a> {
    /// The login name.
    pub name: &'a str,
    /// The name that pages show.
    pub display_name: &'a str,
    /// The word of his role.
    pub role: &'a str,
    /// The hash of his first password.
    pub password: &'a str,
    /// Whether it must be changed.
    pub password_due: bool,
    /// Until when he may register a token.
    pub enrolment_until: Timestamp,
}

/// Adds a member; `false` when the name is taken.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(tx: &mut Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "INSERT INTO staff (name, display_name, role, password, password_due, enrolment_until, active, added_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7) ON CONFLICT DO NOTHING",
        &[
            Value::Text(new.name),
            Value::Text(new.display_name),
            Value::Text(new.role),
            Value::Text(new.password),
            Value::Int(i64::from(new.password_due)),
            Value::Int(new.enrolment_until.as_microsecond()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// A member by his login name.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT name, display_name, role, password, token, enrolment_until, active FROM staff WHERE name = ?1",
        &[Value::Text(name)],
        |row| {
            let bad = |column| strange("staff", column, 0);
            Ok(Stored {
                name: row.text(0)?,
                display_name: row.text(1)?,
                role: Role::from_word(&row.text(2)?).ok_or_else(|| bad("role"))?,
                password: row.text(3)?,
                token: row
                    .maybe_text(4)?
                    .map(|token| token.parse().map_err(|_| bad("token")))
                    .transpose()?,
                enrolment_until: row
                    .maybe_int(5)?
                    .map(|at| time(at, "staff", "enrolment_until"))
                    .transpose()?,
                active: row.int(6)? != 0,
            })
        },
    )
}

/// Ties a token to a member who may still register one; `false` when he may not.
///
/// # Errors
/// [`DatabaseError`] of the engine; a token that another member has breaks its unique key.
pub fn enrol(
    tx: &mut Tx<'_>,
    name: &str,
    token: &TokenId,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE staff SET token = ?2, enrolment_until = NULL
         WHERE name = ?1 AND token IS NULL AND enrolment_until > ?3 AND active = 1",
        &[
            Value::Text(name),
            Value::Text(token.as_str()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// A session of the staff.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its key.
    pub key: SessionKey,
    /// Whose.
    pub staff: String,
    /// Whether the code was given.
    pub full: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// How many codes were refused in it.
    pub attempt: i64,
    /// Random bytes of its own that no browser knows.
    pub secret: Vec<u8>,
}

/// Begins a session; a full one ends every other of the same member.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn begin_session(
    tx: &mut Tx<'_>,
    key: SessionKey,
    name: &str,
    full: bool,
    address: &str,
    secret: &[u8],
    now: Timestamp,
) -> Result<(), DatabaseError> {
    if full {
        tx.execute(
            "UPDATE staff_sessions SET ended_at = ?2 WHERE staff = ?1 AND ended_at IS NULL AND stage = 'full'",
            &[Value::Text(name), Value::Int(now.as_microsecond())],
        )?;
    }
    tx.execute_exactly(
        1,
        "a staff session",
        "INSERT INTO staff_sessions (key, staff, stage, created_at, seen_at, address, attempt, secret)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, 0, ?6)",
        &[
            Value::Bytes(&key.0),
            Value::Text(name),
            Value::Text(if full { "full" } else { "code" }),
            Value::Int(now.as_microsecond()),
            Value::Text(address),
            Value::Bytes(secret),
        ],
    )
}

/// A session that has not ended.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find_session(tx: &mut Tx<'_>, key: SessionKey) -> Result<Option<Session>, DatabaseError> {
    tx.query_one(
        "SELECT staff, stage, created_at, seen_at, attempt, secret FROM staff_sessions
         WHERE key = ?1 AND ended_at IS NULL",
        &[Value::Bytes(&key.0)],
        |row| {
            Ok(Session {
                key,
                staff: row.text(0)?,
                full: row.text(1)? == "full",
                created_at: time(row.int(2)?, "staff_sessions", "created_at")?,
                seen_at: time(row.int(3)?, "staff_sessions", "seen_at")?,
                attempt: row.int(4)?,
                secret: row.bytes(5)?,
            })
        },
    )
}

/// Notes that a session was used.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn seen(tx: &mut Tx<'_>, key: SessionKey, now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE staff_sessions SET seen_at = ?2 WHERE key = ?1 AND seen_at < ?2 AND ended_at IS NULL",
        &[Value::Bytes(&key.0), Value::Int(now.as_microsecond())],
    )
    .map(drop)
}

/// Goes on to the next attempt at a code; `false` when somebody did.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn next_attempt(tx: &mut Tx<'_>, key: SessionKey, attempt: i64) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE staff_sessions SET attempt = attempt + 1 WHERE key = ?1 AND attempt = ?2",
        &[Value::Bytes(&key.0), Value::Int(attempt)],
    )?;
    Ok(count == 1)
}

/// Ends a session; `false` when it has ended.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn end_session(
    tx: &mut Tx<'_>,
    key: SessionKey,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE staff_sessions SET ended_at = ?2 WHERE key = ?1 AND ended_at IS NULL",
        &[Value::Bytes(&key.0), Value::Int(now.as_microsecond())],
    )?;
    Ok(count == 1)
}
