//! Contracts.

use jiff::Timestamp;
use warifu_bank::contract::{Contract, ContractId, LossReason, Service, TokenStanding};
use warifu_bank::token_id::TokenId;

use super::{strange, time};
use crate::database::{DatabaseError, Row, Tx, Value};

const TABLE: &str = "contracts";

/// A contract as it is stored: what rules see, and what pages show beside it.
#[derive(Clone)]
pub struct Stored {
    /// What rules see.
    pub contract: Contract,
    /// 契約者名
    pub name: String,
    /// The name in half-width kana of the Zengin character set.
    pub kana: String,
    /// `ja` or `en`: the language of his mails.
    pub language: String,
    /// His mail address.
    pub mail: Option<String>,
    /// The Argon2id hash of his password (a PHC string).
    pub password: String,
    /// How many characters the password has, for the rule on logins without a code.
    pub password_length: i64,
    /// When the contract was opened.
    pub opened_at: Timestamp,
    /// When a code was last spent: the next operation needs the next code (B10).
    pub code_used_at: Option<Timestamp>,
}

/// A new contract.
#[derive(Clone)]
pub struct New<'a> {
    /// Which.
    pub id: ContractId,
    /// 契約者名
    pub name: &'a str,
    /// The name in half-width kana.
    pub kana: &'a str,
    /// `ja` or `en`.
    pub language: &'a str,
    /// His mail address.
    pub mail: Option<&'a str>,
    /// The hash of the first password.
    pub password: &'a str,
    /// Its length in characters.
    pub password_length: i64,
    /// Until when the first password holds.
    pub password_expires_at: Timestamp,
}

/// The number of a service state.
#[must_use]
pub fn service_to_stored(service: Service) -> i64 {
    match service {
        Service::Open => 0,
        Service::EmergencyStopped => 1,
        Service::Closed => 2,
    }
}

/// The number of a reason.
#[must_use]
pub fn reason_to_stored(reason: LossReason) -> i64 {
    match reason {
        LossReason::Lost => 1,
        LossReason::Stolen => 2,
        LossReason::Broken => 3,
    }
}

/// Adds a contract; `false` when the ID is taken.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(tx: &mut Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "INSERT INTO contracts (id, name, kana, language, mail, service, login_asks_code, password, password_set_at,
                                password_length, password_change_due, password_expires_at, opened_at, revision,
                                event_count, event_mark)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, ?6, ?9, ?7, 1, ?8, ?9, 0, 0, ?10) ON CONFLICT DO NOTHING",
        &[
            Value::Int(new.id.to_stored()),
            Value::Text(new.name),
            Value::Text(new.kana),
            Value::Text(new.language),
            Value::MaybeText(new.mail),
            Value::Text(new.password),
            Value::Int(new.password_length),
            Value::Int(new.password_expires_at.as_microsecond()),
            Value::Int(now.as_microsecond()),
            Value::Bytes(&[]),
        ],
    )?;
    Ok(count == 1)
}

/// One contract, not locked.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, id: ContractId) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT id, service, token, token_since, loss_reason, login_asks_code, password_change_due,
                password_expires_at, name, kana, language, mail, password, password_length, opened_at, code_used_at
         FROM contracts WHERE id = ?1",
        &[Value::Int(id.to_stored())],
        read,
    )
}

/// Contracts whose name or kana holds a text, by name.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn named(tx: &mut Tx<'_>, text: &str, limit: i64) -> Result<Vec<Stored>, DatabaseError> {
    let pattern = super::containing(text);
    tx.query(
        "SELECT id, service, token, token_since, loss_reason, login_asks_code, password_change_due,
                password_expires_at, name, kana, language, mail, password, password_length, opened_at, code_used_at
         FROM contracts WHERE name LIKE ?1 ESCAPE '!' OR kana LIKE ?1 ESCAPE '!' ORDER BY name, id LIMIT ?2",
        &[Value::Text(&pattern), Value::Int(limit)],
        read,
    )
}

/// One contract, locked until the transaction ends: whatever changes a contract, or moves its money, comes through here
/// first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn lock(tx: &mut Tx<'_>, id: ContractId) -> Result<Option<Stored>, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET revision = revision + 1 WHERE id = ?1",
        &[Value::Int(id.to_stored())],
    )?;
    if count == 0 { Ok(None) } else { find(tx, id) }
}

/// Whose token this is.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn holder(tx: &mut Tx<'_>, token: &TokenId) -> Result<Option<ContractId>, DatabaseError> {
    let found = tx.query_one(
        "SELECT id FROM contracts WHERE token = ?1",
        &[Value::Text(token.as_str())],
        |row| row.int(0),
    )?;
    found
        .map(|id| ContractId::from_stored(id).ok_or_else(|| strange(TABLE, "id", id)))
        .transpose()
}

/// Ties a token to a contract that has none and awaits no release; from then on login asks for its code (B2, B3).
/// `false` when it is not so.
///
/// # Errors
/// [`DatabaseError`] of the engine; a token that another contract has breaks its unique key.
pub fn register(
    tx: &mut Tx<'_>,
    id: ContractId,
    token: &TokenId,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET token = ?2, token_since = ?3, login_asks_code = 1
         WHERE id = ?1 AND token IS NULL AND loss_reason IS NULL AND service = 0",
        &[
            Value::Int(id.to_stored()),
            Value::Text(token.as_str()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// Puts a token in the place of another: one moment, one row (B6). `false` when the old one is not in use.
///
/// # Errors
/// As for [`register`].
pub fn swap_token(
    tx: &mut Tx<'_>,
    id: ContractId,
    old: &TokenId,
    new: &TokenId,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET token = ?3, token_since = ?4
         WHERE id = ?1 AND token = ?2 AND service = 0",
        &[
            Value::Int(id.to_stored()),
            Value::Text(old.as_str()),
            Value::Text(new.as_str()),
            Value::Int(now.as_microsecond()),
        ],
    )?;
    Ok(count == 1)
}

/// Takes the token from a contract (B5); `false` when it is not in use.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn stop_use(tx: &mut Tx<'_>, id: ContractId, token: &TokenId) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET token = NULL, token_since = NULL WHERE id = ?1 AND token = ?2",
        &[Value::Int(id.to_stored()), Value::Text(token.as_str())],
    )?;
    Ok(count == 1)
}

/// Takes the token from a contract after a loss: from now until a release no token is registered (B7, F4). A theft
/// overrules a loss. `false` when nothing changed.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn stop_lost(
    tx: &mut Tx<'_>,
    id: ContractId,
    reason: LossReason,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET token = NULL, token_since = NULL, loss_reason = ?2
         WHERE id = ?1 AND (loss_reason IS NULL OR (loss_reason <> ?3 AND ?2 = ?3))",
        &[
            Value::Int(id.to_stored()),
            Value::Int(reason_to_stored(reason)),
            Value::Int(reason_to_stored(LossReason::Stolen)),
        ],
    )?;
    Ok(count == 1)
}

/// Lets a contract register a token again after a loss (F5); `false` when it awaits no release.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn release(tx: &mut Tx<'_>, id: ContractId) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET loss_reason = NULL WHERE id = ?1 AND loss_reason IS NOT NULL",
        &[Value::Int(id.to_stored())],
    )?;
    Ok(count == 1)
}

/// Changes whether login asks for the code (B4); `false` when it is so already or no token is in use.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_login_asks_code(
    tx: &mut Tx<'_>,
    id: ContractId,
    asks: bool,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET login_asks_code = ?2
         WHERE id = ?1 AND login_asks_code <> ?2 AND token IS NOT NULL",
        &[Value::Int(id.to_stored()), Value::Int(i64::from(asks))],
    )?;
    Ok(count == 1)
}

/// Opens or stops the service for a contract (B13, F5); `false` when it was not `from`.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_service(
    tx: &mut Tx<'_>,
    id: ContractId,
    from: Service,
    to: Service,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET service = ?3 WHERE id = ?1 AND service = ?2",
        &[
            Value::Int(id.to_stored()),
            Value::Int(service_to_stored(from)),
            Value::Int(service_to_stored(to)),
        ],
    )?;
    Ok(count == 1)
}

/// Puts a new password in place. `due_until`: it was printed by the bank, holds until then and must be changed (F2).
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_password(
    tx: &mut Tx<'_>,
    id: ContractId,
    hash: &str,
    length: i64,
    due_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a password",
        "UPDATE contracts SET password = ?2, password_length = ?3, password_set_at = ?4, password_change_due = ?5,
                              password_expires_at = ?6 WHERE id = ?1",
        &[
            Value::Int(id.to_stored()),
            Value::Text(hash),
            Value::Int(length),
            Value::Int(now.as_microsecond()),
            Value::Int(i64::from(due_until.is_some())),
            Value::MaybeInt(due_until.map(Timestamp::as_microsecond)),
        ],
    )
}

/// Asks for a new password at the next login: the one in place is too short to stand alone. `false` when it is not.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn require_longer_password(
    tx: &mut Tx<'_>,
    id: ContractId,
    shortest: i64,
) -> Result<bool, DatabaseError> {
    let count = tx.execute(
        "UPDATE contracts SET password_change_due = 1
         WHERE id = ?1 AND password_length < ?2 AND password_change_due = 0",
        &[Value::Int(id.to_stored()), Value::Int(shortest)],
    )?;
    Ok(count == 1)
}

/// The same password under newer parameters; nothing when it was changed meanwhile.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn rehash(tx: &mut Tx<'_>, id: ContractId, old: &str, new: &str) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE contracts SET password = ?3 WHERE id = ?1 AND password = ?2",
        &[
            Value::Int(id.to_stored()),
            Value::Text(old),
            Value::Text(new),
        ],
    )
    .map(drop)
}

/// Puts a mail address in place, or takes it away.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_mail(tx: &mut Tx<'_>, id: ContractId, mail: Option<&str>) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a mail address",
        "UPDATE contracts SET mail = ?2 WHERE id = ?1",
        &[Value::Int(id.to_stored()), Value::MaybeText(mail)],
    )
}

/// Notes that a code was spent now.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn note_code(tx: &mut Tx<'_>, id: ContractId, now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute_exactly(
        1,
        "a spent code",
        "UPDATE contracts SET code_used_at = ?2 WHERE id = ?1",
        &[Value::Int(id.to_stored()), Value::Int(now.as_microsecond())],
    )
}

/// The language of his mails.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn set_language(tx: &mut Tx<'_>, id: ContractId, language: &str) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE contracts SET language = ?2 WHERE id = ?1 AND language <> ?2",
        &[Value::Int(id.to_stored()), Value::Text(language)],
    )
    .map(drop)
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let stored_id = row.int(0)?;
    let bad = |column| strange(TABLE, column, stored_id);
    let id = ContractId::from_stored(stored_id).ok_or_else(|| bad("id"))?;
    let service = match row.int(1)? {
        0 => Service::Open,
        1 => Service::EmergencyStopped,
        2 => Service::Closed,
        _ => return Err(bad("service")),
    };
    let token = match (row.maybe_text(2)?, row.maybe_int(3)?, row.maybe_int(4)?) {
        (Some(token), Some(since), None) => TokenStanding::InUse {
            token: token.parse().map_err(|_| bad("token"))?,
            since: time(since, TABLE, "token_since")?,
        },
        (None, None, None) => TokenStanding::None,
        (None, None, Some(reason)) => TokenStanding::AwaitingRelease {
            reason: match reason {
                1 => LossReason::Lost,
                2 => LossReason::Stolen,
                3 => LossReason::Broken,
                _ => return Err(bad("loss_reason")),
            },
        },
        _ => return Err(bad("token")),
    };
    Ok(Stored {
        contract: Contract {
            id,
            service,
            token,
            login_asks_code: row.int(5)? != 0,
            password_change_due: row.int(6)? != 0,
            password_expires_at: row
                .maybe_int(7)?
                .map(|at| time(at, TABLE, "password_expires_at"))
                .transpose()?,
        },
        name: row.text(8)?,
        kana: row.text(9)?,
        language: row.text(10)?,
        mail: row.maybe_text(11)?,
        password: row.text(12)?,
        password_length: row.int(13)?,
        opened_at: time(row.int(14)?, TABLE, "opened_at")?,
        code_used_at: row
            .maybe_int(15)?
            .map(|at| time(at, TABLE, "code_used_at"))
            .transpose()?,
    })
}
