//! Mails to customers (rules B12, B14, B18): what they say, how they are written, and how they leave the house.
//!
//! A mail is a row of `bank_store/outbox.rs`, written in the transaction of the event that it tells of. [`Worker`] takes
//! what is due, has [`compose`] say it in the customer's language, and gives it to the [`Courier`]: a mail server, or, in
//! the default start, a folder.

mod compose;
mod config;
mod courier;
mod message;
mod texts;
mod worker;

pub use compose::{Composed, Told, compose, tell};
pub use config::{MailConfig, SmtpConfig, SmtpTls};
pub use courier::{Courier, CourierError};
pub use message::{Envelope, MessageError, write};
pub use worker::{INTERVAL, Round, Worker};

use crate::token_api::Language;

/// The language of a mail, as it is stored: `ja` or `en`. Another word is Japanese, the bank's own.
#[must_use]
pub fn language(stored: &str) -> Language {
    match stored {
        "en" => Language::English,
        _ => Language::Japanese,
    }
}
