//! 入出金明細: the entries of an account, a page at a time (rule B11). A page begins where the one before ended, by the
//! entry's number, so that what is booked meanwhile moves no line.

use jiff::Timestamp;
use warifu_bank::account::AccountId;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{time, uid};
use crate::database::{DatabaseError, Tx, Value};

/// Which lines are asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Lines whose 摘要 holds this text; an empty one is in every line.
    pub text: String,
    /// Lines before this number; `i64::MAX` for the newest.
    pub before: i64,
    /// At most so many.
    pub limit: i64,
}

/// A line of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the account, from 1.
    pub sequence: i64,
    /// Its journal.
    pub journal: Uid,
    /// Above zero: money that came.
    pub amount: Yen,
    /// The balance after it.
    pub balance: Yen,
    /// When.
    pub at: Timestamp,
    /// 摘要
    pub summary: String,
}

/// A page, newest first.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    asked: &Asked,
) -> Result<Vec<Line>, DatabaseError> {
    let pattern = super::containing(&asked.text);
    tx.query(
        "SELECT sequence, journal, amount, balance, at, summary FROM entries
         WHERE account = ?1 AND sequence < ?2 AND at >= ?3 AND at < ?4 AND summary LIKE ?5 ESCAPE '!'
         ORDER BY sequence DESC LIMIT ?6",
        &[
            Value::Int(account.to_stored()),
            Value::Int(asked.before),
            Value::Int(asked.from.as_microsecond()),
            Value::Int(asked.until.as_microsecond()),
            Value::Text(&pattern),
            Value::Int(asked.limit),
        ],
        |row| {
            Ok(Line {
                sequence: row.int(0)?,
                journal: uid(&row.bytes(1)?, "entries", "journal")?,
                amount: Yen(row.int(2)?),
                balance: Yen(row.int(3)?),
                at: time(row.int(4)?, "entries", "at")?,
                summary: row.text(5)?,
            })
        },
    )
}
