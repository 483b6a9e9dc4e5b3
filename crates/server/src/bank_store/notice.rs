//! What customers are told: on the top page, and by mail. Both rows are written with the event itself (rule B14).

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::notice::Event;
use warifu_bank::uid::Uid;

use super::{strange, time};
use crate::database::{DatabaseError, Tx, Value};

/// A notice on the top page.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What happened.
    pub event: Event,
    /// When.
    pub at: Timestamp,
}

/// A mail that waits to be sent, or was.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its key; its `Message-ID` is made of it.
    pub id: Uid,
    /// To whom.
    pub address: String,
    /// `ja` or `en`.
    pub language: String,
    /// About what.
    pub event: Event,
    /// When that happened.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
}

/// Tells a customer: a notice always, and a mail to each address.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn tell(
    tx: &mut Tx<'_>,
    contract: ContractId,
    event: &Event,
    language: &str,
    addresses: &[&str],
    now: Timestamp,
    mut uid: impl FnMut() -> Uid,
) -> Result<(), DatabaseError> {
    let stored = event.to_stored();
    tx.execute_exactly(
        1,
        "a notice",
        "INSERT INTO notices (id, contract, event, created_at) VALUES (?1, ?2, ?3, ?4)",
        &[
            Value::Bytes(uid().as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Text(&stored),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    for address in addresses {
        tx.execute_exactly(
            1,
            "a mail",
            "INSERT INTO mail_outbox (id, contract, address, language, event, created_at, attempts, next_at, leased_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?6, 0)",
            &[
                Value::Bytes(uid().as_bytes()),
                Value::Int(contract.to_stored()),
                Value::Text(address),
                Value::Text(language),
                Value::Text(&stored),
                Value::Int(now.as_microsecond()),
            ],
        )?;
    }
    Ok(())
}

/// The newest notices of a contract, newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest(
    tx: &mut Tx<'_>,
    contract: ContractId,
    limit: i64,
) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT event, created_at FROM notices WHERE contract = ?1 ORDER BY id DESC LIMIT ?2",
        &[Value::Int(contract.to_stored()), Value::Int(limit)],
        |row| {
            let event =
                Event::from_stored(&row.text(0)?).ok_or_else(|| strange("notices", "event", 0))?;
            Ok(Stored {
                event,
                at: time(row.int(1)?, "notices", "created_at")?,
            })
        },
    )
}

/// Takes mails that are due for a while: no other copy of the program takes them until `lease_until`.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<Mail>, DatabaseError> {
    let due = tx.query(
        "SELECT id, address, language, event, created_at, attempts FROM mail_outbox
         WHERE next_at <= ?1 AND leased_until <= ?1 AND sent_at IS NULL AND given_up_at IS NULL
         ORDER BY next_at LIMIT ?2",
        &[Value::Int(now.as_microsecond()), Value::Int(limit)],
        read,
    )?;
    let mut taken = Vec::with_capacity(due.len());
    for mail in due {
        let count = tx.execute(
            "UPDATE mail_outbox SET leased_until = ?2
             WHERE id = ?1 AND leased_until <= ?3 AND sent_at IS NULL AND given_up_at IS NULL",
            &[
                Value::Bytes(mail.id.as_bytes()),
                Value::Int(lease_until.as_microsecond()),
                Value::Int(now.as_microsecond()),
            ],
        )?;
        if count == 1 {
            taken.push(mail);
        }
    }
    Ok(taken)
}

/// A mail was sent.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn sent(tx: &mut Tx<'_>, id: Uid, now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE mail_outbox SET sent_at = ?2, attempts = attempts + 1 WHERE id = ?1 AND sent_at IS NULL",
        &[Value::Bytes(id.as_bytes()), Value::Int(now.as_microsecond())],
    )
    .map(drop)
}

/// A mail could not be sent: it is tried again at `next_at`, or given up.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn failed(
    tx: &mut Tx<'_>,
    id: Uid,
    next_at: Option<Timestamp>,
    error: &str,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE mail_outbox SET attempts = attempts + 1, leased_until = 0, last_error = ?4,
                next_at = COALESCE(?2, next_at), given_up_at = CASE WHEN ?2 IS NULL THEN ?3 ELSE NULL END
         WHERE id = ?1 AND sent_at IS NULL",
        &[
            Value::Bytes(id.as_bytes()),
            Value::MaybeInt(next_at.map(Timestamp::as_microsecond)),
            Value::Int(now.as_microsecond()),
            Value::Text(error),
        ],
    )
    .map(drop)
}

/// The newest mails, for staff.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest_mails(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(Mail, bool)>, DatabaseError> {
    tx.query(
        "SELECT id, address, language, event, created_at, attempts, sent_at FROM mail_outbox ORDER BY id DESC LIMIT ?1",
        &[Value::Int(limit)],
        |row| Ok((read(row)?, row.maybe_int(6)?.is_some())),
    )
}

fn read(row: &crate::database::Row<'_>) -> Result<Mail, DatabaseError> {
    Ok(Mail {
        id: super::uid(&row.bytes(0)?, "mail_outbox", "id")?,
        address: row.text(1)?,
        language: row.text(2)?,
        event: Event::from_stored(&row.text(3)?)
            .ok_or_else(|| strange("mail_outbox", "event", 0))?,
        at: time(row.int(4)?, "mail_outbox", "created_at")?,
        attempts: row.int(5)?,
    })
}
