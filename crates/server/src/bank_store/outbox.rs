//! Mails that wait, were sent or were given up (rule B14). Written in the event's own transaction; sent by whoever holds
//! the lease, so that of several copies of the program one at a time has a mail in its hands.

use jiff::{SignedDuration, Timestamp};
use warifu_bank::contract::ContractId;
use warifu_bank::notice::Event;
use warifu_bank::uid::Uid;

use super::{strange, time};
use crate::database::{DatabaseError, Row, Tx, Value};

/// How long nobody else sends what was claimed. A talk with a mail server has at most ten steps of 15 seconds.
pub const LEASE: SignedDuration = SignedDuration::from_mins(3);

/// The most of an error that is kept, characters.
const LONGEST_ERROR: usize = 500;

/// A mail to be.
#[derive(Debug)]
pub struct New<'a> {
    /// Its key; its `Message-ID` is made of it, so that a mail that is sent again is known as the same.
    pub id: Uid,
    /// Whose it is.
    pub contract: ContractId,
    /// To whom.
    pub address: &'a str,
    /// `ja` or `en`.
    pub language: &'a str,
    /// About what.
    pub event: &'a Event,
    /// When that happened.
    pub at: Timestamp,
}

/// A mail that waits to be sent, or was.
#[derive(Clone)]
pub struct Mail {
    /// Its key.
    pub id: Uid,
    /// Whose it is.
    pub contract: ContractId,
    /// To whom.
    pub address: String,
    /// `ja` or `en`.
    pub language: String,
    /// About what; `None` for what only a newer copy of the program knows how to tell.
    pub event: Option<Event>,
    /// When that happened.
    pub at: Timestamp,
    /// How often it was tried in vain.
    pub failures: u32,
}

/// No address: a log may show it.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("event", &self.event.as_ref().map(Event::word))
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// The right to send some mails until a time. It is the time itself: a lease that another one took over fits no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease(pub Timestamp);

/// How a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It will be tried then.
    Waiting {
        /// Not before.
        next_at: Timestamp,
    },
    /// It was handed over.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It will not be tried again.
    GivenUp {
        /// When that was decided.
        at: Timestamp,
    },
}

/// A mail as staff see it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The mail.
    pub mail: Mail,
    /// How it stands.
    pub state: State,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

/// Puts a mail in, due at once.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(tx: &mut Tx<'_>, new: &New<'_>) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a mail",
        "INSERT INTO mail_outbox (id, contract, address, language, event, created_at, attempts, next_at, leased_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?6, 0)",
        &[
            Value::Bytes(new.id.as_bytes()),
            Value::Int(new.contract.to_stored()),
            Value::Text(new.address),
            Value::Text(new.language),
            Value::Text(&new.event.to_stored()),
            Value::Int(new.at.as_microsecond()),
        ],
    )
}

/// No lease that was given by a clock that is right ends later than this.
fn longest_lease(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE.saturating_mul(2)).unwrap_or(now)
}

/// How many mails wait, and how many of those were tried in vain.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn waiting(tx: &mut Tx<'_>) -> Result<(i64, i64), DatabaseError> {
    let counts = tx.query_one(
        "SELECT COUNT(*), COUNT(CASE WHEN attempts > 0 THEN 1 END) FROM mail_outbox
         WHERE sent_at IS NULL AND given_up_at IS NULL",
        &[],
        |row| Ok((row.int(0)?, row.int(1)?)),
    )?;
    Ok(counts.unwrap_or_default())
}

/// Whether any mail is due. One that was never tried is due at once, whatever clock wrote it. It may be gone when one comes to claim it.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn any_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, DatabaseError> {
    let found = tx.query_one(
        "SELECT created_at FROM mail_outbox
         WHERE (attempts = 0 OR next_at <= ?1) AND (leased_until <= ?1 OR leased_until > ?2)
           AND sent_at IS NULL AND given_up_at IS NULL
         LIMIT 1",
        &[
            Value::Int(now.as_microsecond()),
            Value::Int(longest_lease(now).as_microsecond()),
        ],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}

/// Takes at most `limit` mails that are due, the longest waiting first; nobody else is given them before the lease ends.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease: Lease,
    limit: u32,
) -> Result<Vec<Mail>, DatabaseError> {
    // Who comes second takes others, where the engine lets two come at once.
    let sql = match tx {
        Tx::Sqlite(_) => {
            "SELECT id, contract, address, language, event, created_at, attempts FROM mail_outbox
             WHERE (attempts = 0 OR next_at <= ?1) AND (leased_until <= ?1 OR leased_until > ?3)
               AND sent_at IS NULL AND given_up_at IS NULL
             ORDER BY next_at, id LIMIT ?2"
        }
        Tx::Postgres(_) => {
            "SELECT id, contract, address, language, event, created_at, attempts FROM mail_outbox
             WHERE (attempts = 0 OR next_at <= ?1) AND (leased_until <= ?1 OR leased_until > ?3)
               AND sent_at IS NULL AND given_up_at IS NULL
             ORDER BY next_at, id LIMIT ?2 FOR UPDATE SKIP LOCKED"
        }
    };
    let longest = Value::Int(longest_lease(now).as_microsecond());
    let now = Value::Int(now.as_microsecond());
    let due = tx.query(sql, &[now, Value::Int(i64::from(limit)), longest], read)?;
    for mail in &due {
        tx.execute_exactly(
            1,
            "the lease of a mail",
            "UPDATE mail_outbox SET leased_until = ?2
             WHERE id = ?1 AND (leased_until <= ?3 OR leased_until > ?4) AND sent_at IS NULL AND given_up_at IS NULL",
            &[
                Value::Bytes(mail.id.as_bytes()),
                Value::Int(lease.0.as_microsecond()),
                now,
                longest,
            ],
        )?;
    }
    Ok(due)
}

/// A mail was handed over. That holds whoever has the lease by now; `false` when it was known already.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn sent(tx: &mut Tx<'_>, id: Uid, now: Timestamp) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE mail_outbox SET sent_at = ?2, given_up_at = NULL, last_error = NULL
         WHERE id = ?1 AND sent_at IS NULL",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// A mail could not be handed over: it is tried again at `next_at`, or given up where there is none. `false` when the
/// lease is another one's by now: it is for him to say.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn failed(
    tx: &mut Tx<'_>,
    id: Uid,
    lease: Lease,
    next_at: Option<Timestamp>,
    error: &str,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let given_up_at = match next_at {
        Some(_) => None,
        None => Some(now),
    };
    let error: String = error
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST_ERROR)
        .collect();
    let count = tx.execute(
        "UPDATE mail_outbox SET attempts = attempts + 1, leased_until = 0, last_error = ?5,
                next_at = ?3, given_up_at = ?4
         WHERE id = ?1 AND leased_until = ?2 AND sent_at IS NULL AND given_up_at IS NULL",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(lease.0.as_microsecond()),
            Value::Int(next_at.unwrap_or(now).as_microsecond()),
            Value::MaybeInt(given_up_at.map(Timestamp::as_microsecond)),
            Value::Text(&error),
        ],
    )?;
    Ok(count == 1)
}

/// The newest mails, newest first, for staff.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Listed>, DatabaseError> {
    tx.query(
        "SELECT id, contract, address, language, event, created_at, attempts, next_at, sent_at, given_up_at, last_error
         FROM mail_outbox ORDER BY id DESC LIMIT ?1",
        &[Value::Int(i64::from(limit))],
        |row| {
            let state = match (row.maybe_int(8)?, row.maybe_int(9)?) {
                (Some(at), _) => State::Sent {
                    at: time(at, "mail_outbox", "sent_at")?,
                },
                (None, Some(at)) => State::GivenUp {
                    at: time(at, "mail_outbox", "given_up_at")?,
                },
                (None, None) => State::Waiting {
                    next_at: time(row.int(7)?, "mail_outbox", "next_at")?,
                },
            };
            Ok(Listed {
                mail: read(row)?,
                state,
                last_error: row.maybe_text(10)?,
            })
        },
    )
}

fn read(row: &Row<'_>) -> Result<Mail, DatabaseError> {
    let contract = row.int(1)?;
    Ok(Mail {
        id: super::uid(&row.bytes(0)?, "mail_outbox", "id")?,
        contract: ContractId::from_stored(contract)
            .ok_or_else(|| strange("mail_outbox", "contract", contract))?,
        address: row.text(2)?,
        language: row.text(3)?,
        event: Event::from_stored(&row.text(4)?),
        at: time(row.int(5)?, "mail_outbox", "created_at")?,
        failures: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
    })
}
