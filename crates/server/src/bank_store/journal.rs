//! The ledger: journals and their entries (rules M1–M3). Nothing here changes or removes one.

use jiff::Timestamp;
use warifu_bank::account::AccountId;
use warifu_bank::jst;
use warifu_bank::ledger::{JournalKind, Posting, Postings, mark};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{day_to_stored, strange, time, uid};
use crate::database::{DatabaseError, Row, Tx, Value};

/// A journal to be booked.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// The key of the operation that books it: the same key books once (M3).
    pub id: Uid,
    /// What it records.
    pub kind: JournalKind,
    /// What it reverses.
    pub reverses: Option<Uid>,
    /// 受付番号
    pub receipt: &'a str,
    /// Its postings.
    pub postings: &'a Postings,
}

/// What booking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    /// It is in the ledger.
    Done,
    /// This key has booked already; nothing was done now.
    Already,
    /// The journal that it reverses was reversed already; nothing was done now.
    ReversedAlready,
    /// The account would go below its floor. The caller must undo the transaction.
    ShortOfFunds(AccountId),
    /// There is no such account. The caller must undo the transaction.
    NoSuchAccount(AccountId),
}

/// Books a journal: the journal's row first, then each account by ascending ID with one conditional statement.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn book(tx: &mut Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<Booked, DatabaseError> {
    let inserted = tx.execute(
        "INSERT INTO journals (id, kind, day, created_at, reverses, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        &[
            Value::Bytes(new.id.as_bytes()),
            Value::Int(new.kind.to_stored()),
            Value::Int(day_to_stored(jst::day(now))),
            Value::Int(now.as_microsecond()),
            Value::MaybeBytes(new.reverses.as_ref().map(|id| id.as_bytes().as_slice())),
            Value::Text(new.receipt),
        ],
    )?;
    if inserted == 0 {
        let own = find(tx, new.id)?;
        return Ok(if own.is_some() {
            Booked::Already
        } else {
            Booked::ReversedAlready
        });
    }
    for posting in new.postings.as_slice() {
        if let Some(refused) = enter(tx, new.id, posting, now)? {
            return Ok(refused);
        }
    }
    Ok(Booked::Done)
}

/// One account's entry; `None` when it is written.
fn enter(
    tx: &mut Tx<'_>,
    journal: Uid,
    posting: &Posting,
    now: Timestamp,
) -> Result<Option<Booked>, DatabaseError> {
    let account = Value::Int(posting.account.to_stored());
    let amount = Value::Int(posting.amount.0);
    // Money that comes is never refused for a floor: an account that stands below one may be filled.
    let moved = tx.execute(
        "UPDATE accounts SET balance = balance + ?2, entries = entries + 1
         WHERE id = ?1 AND (lowest IS NULL OR balance + ?2 > balance OR balance + ?2 >= lowest)",
        &[account, amount],
    )?;
    // The row is locked by the update: what is read now is what it made.
    let head = tx.query_one(
        "SELECT balance, entries, mark FROM accounts WHERE id = ?1",
        &[account],
        |row| Ok((Yen(row.int(0)?), row.int(1)?, row.bytes(2)?)),
    )?;
    let Some((balance, sequence, before)) = head else {
        return Ok(Some(Booked::NoSuchAccount(posting.account)));
    };
    if moved == 0 {
        return Ok(Some(Booked::ShortOfFunds(posting.account)));
    }
    let mark = mark(
        &before,
        journal,
        sequence,
        posting.amount,
        balance,
        now,
        &posting.summary,
    );
    tx.execute_exactly(
        1,
        "an entry",
        "INSERT INTO entries (account, sequence, journal, amount, balance, at, summary, mark)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            account,
            Value::Int(sequence),
            Value::Bytes(journal.as_bytes()),
            amount,
            Value::Int(balance.0),
            Value::Int(now.as_microsecond()),
            Value::Text(&posting.summary),
            Value::Bytes(&mark),
        ],
    )?;
    tx.execute_exactly(
        1,
        "an account's mark",
        "UPDATE accounts SET mark = ?2 WHERE id = ?1 AND entries = ?3",
        &[account, Value::Bytes(&mark), Value::Int(sequence)],
    )?;
    Ok(None)
}

/// A journal as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its key.
    pub id: Uid,
    /// What it records.
    pub kind: JournalKind,
    /// When.
    pub created_at: Timestamp,
    /// What it reverses.
    pub reverses: Option<Uid>,
    /// 受付番号
    pub receipt: String,
}

/// A journal by its key.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn find(tx: &mut Tx<'_>, id: Uid) -> Result<Option<Stored>, DatabaseError> {
    tx.query_one(
        "SELECT id, kind, created_at, reverses, receipt FROM journals WHERE id = ?1",
        &[Value::Bytes(id.as_bytes())],
        read,
    )
}

/// The postings of a journal, by ascending account.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn postings(tx: &mut Tx<'_>, id: Uid) -> Result<Vec<Posting>, DatabaseError> {
    tx.query(
        "SELECT account, amount, summary FROM entries WHERE journal = ?1 ORDER BY account",
        &[Value::Bytes(id.as_bytes())],
        |row| {
            let account = row.int(0)?;
            Ok(Posting {
                account: AccountId::from_stored(account)
                    .ok_or_else(|| strange("entries", "account", account))?,
                amount: Yen(row.int(1)?),
                summary: row.text(2)?,
            })
        },
    )
}

fn read(row: &Row<'_>) -> Result<Stored, DatabaseError> {
    let kind = row.int(1)?;
    Ok(Stored {
        id: uid(&row.bytes(0)?, "journals", "id")?,
        kind: JournalKind::from_stored(kind).ok_or_else(|| strange("journals", "kind", kind))?,
        created_at: time(row.int(2)?, "journals", "created_at")?,
        reverses: row
            .maybe_bytes(3)?
            .map(|bytes| uid(&bytes, "journals", "reverses"))
            .transpose()?,
        receipt: row.text(4)?,
    })
}
