//! A mail as it travels: RFC 5322, the subject by RFC 2047, the text as UTF-8 (RFC 6532's is asked of no server).

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use warifu_bank::mail_address::MailAddress;
use warifu_bank::uid::Uid;

use super::Composed;
use crate::token_api::Language;

/// A mail's outside.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// The key of the outbox: sent again, it is the same mail to every server on the way.
    pub id: Uid,
    /// Who writes: the bank's name.
    pub name: &'a str,
    /// Who writes: the bank's address.
    pub from: &'a MailAddress,
    /// Who reads.
    pub to: &'a MailAddress,
    /// The language of the text.
    pub language: Language,
    /// When that happened which it tells of.
    pub at: Timestamp,
}

/// A mail cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The customer's address, or the bank's, is none that a server takes.
    #[error("the mail address is refused: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// A header is missing; not with what [`write()`] gives.
    #[error("the mail cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Writes a mail.
///
/// # Errors
/// [`MessageError`] when an address is none.
pub fn write(envelope: &Envelope<'_>, words: &Composed) -> Result<Message, MessageError> {
    let from = Address::new(envelope.from.local(), envelope.from.domain())?;
    let to = Address::new(envelope.to.local(), envelope.to.domain())?;
    let language = match envelope.language {
        Language::Japanese => "ja",
        Language::English => "en",
    };
    let message_id = format!("<{}@{}>", envelope.id, envelope.from.domain());
    Ok(Message::builder()
        .from(Mailbox::new(Some(envelope.name.to_owned()), from))
        .to(Mailbox::new(None, to))
        .subject(words.subject.as_str())
        .date(system_time(envelope.at))
        .message_id(Some(message_id))
        // RFC 3834: no answering machine answers, and none answers back.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", language))
        .singlepart(
            SinglePart::builder()
                .header(ContentType::TEXT_PLAIN)
                .body(words.body.clone()),
        )?)
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Times before 1970 are 1970: the header's writer takes no other.
fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_microsecond()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
