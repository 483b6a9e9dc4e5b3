//! What the bank still has to tell the token service after a loss: kept with the event, told until it is answered.

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::token_id::TokenId;
use warifu_bank::uid::Uid;

use super::{strange, uid};
use crate::database::{DatabaseError, Tx, Value};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Out of use: lost, or the device broke.
    StopLost,
    /// Out of use for ever: stolen.
    StopStolen,
    /// Back into use: found again, and released by two persons.
    Enable,
    /// Wrong codes forgotten, by two persons.
    Unlock,
}

impl Command {
    const ALL: [Self; 4] = [Self::StopLost, Self::StopStolen, Self::Enable, Self::Unlock];

    /// The word that is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::StopLost => "stop-lost",
            Self::StopStolen => "stop-stolen",
            Self::Enable => "enable",
            Self::Unlock => "unlock",
        }
    }
}

/// A command as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key, which is its request's name at the token service.
    pub id: Uid,
    /// Which token.
    pub token: TokenId,
    /// What is told.
    pub command: Command,
    /// How often it was tried.
    pub attempts: i64,
}

/// Keeps a command.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn insert(
    tx: &mut Tx<'_>,
    id: Uid,
    contract: ContractId,
    token: &TokenId,
    command: Command,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    // In the order of their writing, also when the clock stepped back: which token was stopped last is told by it. The
    // contract's row is locked.
    let newest = tx.query_one(
        "SELECT id FROM token_commands WHERE contract = ?1 ORDER BY id DESC LIMIT 1",
        &[Value::Int(contract.to_stored())],
        |row| uid(&row.bytes(0)?, "token_commands", "id"),
    )?;
    let id = id.after(newest);
    tx.execute_exactly(
        1,
        "a token command",
        "INSERT INTO token_commands (id, contract, token, command, created_at, attempts, next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5)",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(contract.to_stored()),
            Value::Text(token.as_str()),
            Value::Text(command.word()),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// The last token that was stopped for a contract after a loss.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn last_stopped(
    tx: &mut Tx<'_>,
    contract: ContractId,
) -> Result<Option<TokenId>, DatabaseError> {
    let found = tx.query_one(
        "SELECT token FROM token_commands
         WHERE contract = ?1 AND command IN ('stop-lost', 'stop-stolen') ORDER BY id DESC LIMIT 1",
        &[Value::Int(contract.to_stored())],
        |row| row.text(0),
    )?;
    found
        .map(|token| {
            token
                .parse()
                .map_err(|_| strange("token_commands", "token", 0))
        })
        .transpose()
}

/// Commands that are due, oldest first; one that was never told is due at once, whatever clock wrote it. Telling one twice does no harm: its key is its request's name.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<Stored>, DatabaseError> {
    tx.query(
        "SELECT id, token, command, attempts FROM token_commands
         WHERE done_at IS NULL AND (attempts = 0 OR next_at <= ?1) ORDER BY id LIMIT ?2",
        &[Value::Int(now.as_microsecond()), Value::Int(limit)],
        |row| {
            let word = row.text(2)?;
            let bad = |column| strange("token_commands", column, 0);
            Ok(Stored {
                id: uid(&row.bytes(0)?, "token_commands", "id")?,
                token: row.text(1)?.parse().map_err(|_| bad("token"))?,
                command: Command::ALL
                    .into_iter()
                    .find(|command| command.word() == word)
                    .ok_or_else(|| bad("command"))?,
                attempts: row.int(3)?,
            })
        },
    )
}

/// A command was answered.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn done(tx: &mut Tx<'_>, id: Uid, answer: &str, now: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE token_commands SET done_at = ?2, answer = ?3, attempts = attempts + 1
         WHERE id = ?1 AND done_at IS NULL",
        &[
            Value::Bytes(id.as_bytes()),
            Value::Int(now.as_microsecond()),
            Value::Text(answer),
        ],
    )
    .map(drop)
}

/// A command found no answer: it is told again at `next_at`.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn postpone(tx: &mut Tx<'_>, id: Uid, next_at: Timestamp) -> Result<(), DatabaseError> {
    tx.execute(
        "UPDATE token_commands SET next_at = ?2, attempts = attempts + 1 WHERE id = ?1 AND done_at IS NULL",
        &[Value::Bytes(id.as_bytes()), Value::Int(next_at.as_microsecond())],
    )
    .map(drop)
}
