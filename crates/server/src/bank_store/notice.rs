//! What customers are told: on the top page, and by mail. Both rows are written with the event itself (rule B14).

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::notice::Event;
use warifu_bank::uid::Uid;

use super::{outbox, strange, time};
use crate::database::{DatabaseError, Tx, Value};

/// A notice on the top page.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What happened.
    pub event: Event,
    /// When.
    pub at: Timestamp,
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
        let mail = outbox::New {
            id: uid(),
            contract,
            address,
            language,
            event,
            at: now,
        };
        outbox::insert(tx, &mail)?;
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
