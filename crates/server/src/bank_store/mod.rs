//! What the bank keeps, and the only place that says so in SQL.
//!
//! Every function takes an open transaction. Locks are taken in one order: the contract's row, the day's usage, accounts
//! by ascending ID.

pub mod account;
pub mod approval;
pub mod contract;
pub mod entry;
pub mod event;
pub mod journal;
pub mod known_browser;
pub mod limit;
pub mod notice;
pub mod operation;
pub mod outbox;
pub mod payee;
pub mod session;
pub mod sign_in;
pub mod sign_in_lane;
pub mod staff;
pub mod token_command;
pub mod transfer;

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::uid::Uid;

use crate::database::{DatabaseError, Migration};

/// The schema of the bank.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "bank",
        sqlite: include_str!("../../migrations/bank/sqlite/0001_bank.sql"),
        postgres: include_str!("../../migrations/bank/postgres/0001_bank.sql"),
    },
    Migration {
        number: 2,
        name: "known browsers",
        sqlite: include_str!("../../migrations/bank/sqlite/0002_known_browsers.sql"),
        postgres: include_str!("../../migrations/bank/postgres/0002_known_browsers.sql"),
    },
    Migration {
        number: 3,
        name: "attempts begun",
        sqlite: include_str!("../../migrations/bank/sqlite/0003_attempts_begun.sql"),
        postgres: include_str!("../../migrations/bank/postgres/0003_attempts_begun.sql"),
    },
];

/// A stored value that no version of this program wrote.
pub(crate) fn strange(table: &'static str, column: &'static str, row: i64) -> DatabaseError {
    DatabaseError::Stored { table, column, row }
}

/// The pattern of `LIKE … ESCAPE '!'` for whatever contains a text: signs that it would take for patterns are themselves.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A stored time.
pub(crate) fn time(
    micros: i64,
    table: &'static str,
    column: &'static str,
) -> Result<Timestamp, DatabaseError> {
    Timestamp::from_microsecond(micros).map_err(|_| strange(table, column, micros))
}

/// A stored key.
pub(crate) fn uid(
    bytes: &[u8],
    table: &'static str,
    column: &'static str,
) -> Result<Uid, DatabaseError> {
    Uid::from_bytes(bytes).ok_or_else(|| strange(table, column, 0))
}

/// A day as it is stored: the number yyyymmdd.
#[must_use]
pub fn day_to_stored(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// A stored day.
pub(crate) fn day(
    stored: i64,
    table: &'static str,
    column: &'static str,
) -> Result<Date, DatabaseError> {
    let parts = (
        i16::try_from(stored / 10_000),
        i8::try_from(stored / 100 % 100),
        i8::try_from(stored % 100),
    );
    match parts {
        (Ok(year), Ok(month), Ok(day)) => {
            Date::new(year, month, day).map_err(|_| strange(table, column, stored))
        }
        _ => Err(strange(table, column, stored)),
    }
}
