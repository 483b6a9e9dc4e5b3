//! The letter that brings a customer his first password, or a new one, on paper (rule F2): a PDF of one A4 page.
//!
//! In Japanese, with a summary in English. The page is tagged for screen readers (PDF/UA-1), and says nothing that is not
//! in [`Letter`]: no time of the clock, no name of a program's user.

mod face;
mod page;
mod pdf;
mod sheet;
mod texts;
mod wrap;

use std::fmt;

use jiff::civil::Date;
use warifu_bank::contract::ContractId;
use zeroize::Zeroizing;

use crate::bank::BankSettings;

/// The bank as its letters name it.
#[derive(Debug, Clone, Copy)]
pub struct BankOnPaper<'a> {
    /// Its name in Japanese.
    pub name: &'a str,
    /// Its name in English.
    pub name_en: &'a str,
    /// Where it is, a line each; none is fine.
    pub address: &'a [&'a str],
    /// Its phone for customers.
    pub phone: &'a str,
    /// When the phone is answered, in Japanese.
    pub hours: &'a str,
    /// When the phone is answered, in English.
    pub hours_en: &'a str,
}

/// As the configuration names it, without an address.
impl<'a> From<&'a BankSettings> for BankOnPaper<'a> {
    fn from(bank: &'a BankSettings) -> Self {
        Self {
            name: &bank.name.ja,
            name_en: &bank.name.en,
            address: &[],
            phone: &bank.phone,
            hours: &bank.hours.ja,
            hours_en: &bank.hours.en,
        }
    }
}

/// Why the letter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The contract was opened: its first password.
    Opened,
    /// The password was forgotten: a new one instead of the old.
    Reissued,
}

/// What a letter says.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// Who sends it.
    pub bank: BankOnPaper<'a>,
    /// To whom: the customer's name in kanji, without 様.
    pub customer_name: &'a str,
    /// His contract.
    pub contract_id: ContractId,
    /// The password to log in with once, as `warifu_bank::first_password` makes it: ASCII.
    pub password: &'a Zeroizing<String>,
    /// The day on the letter (JST).
    pub issued_on: Date,
    /// The last day on which the password opens anything (JST): `warifu_bank::first_password::last_day`.
    pub expires_on: Date,
    /// Why it is written.
    pub kind: Kind,
}

/// Without the password and the name.
impl fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("contract_id", &self.contract_id)
            .field("issued_on", &self.issued_on)
            .field("expires_on", &self.expires_on)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A letter that was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The letter's font lacks a character of the name or of the bank's particulars. Staff write it another way.
    #[error("the letter's font has no {0:?} (U+{code:04X})", code = u32::from(*.0))]
    Unprintable(char),
    /// A text is too long for its line, or all texts together are too long for the page.
    #[error("the letter has no room for {0}")]
    NoRoom(Part),
    /// The password is not one that the bank makes: printable ASCII without spaces.
    #[error("the password on a letter must be printable ASCII")]
    Password,
    /// A font in the program cannot be read.
    #[error("a font of the letter cannot be read")]
    Font,
    /// The PDF could not be written.
    #[error("the letter's PDF could not be written: {0}")]
    Pdf(String),
}

/// A part of a letter that can be too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The customer's name.
    CustomerName,
    /// The bank's name, address, phone or hours.
    Bank,
    /// The password.
    Password,
    /// Everything together.
    Page,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CustomerName => "the customer's name",
            Self::Bank => "the bank's name, address or hours",
            Self::Password => "the password",
            Self::Page => "everything on one page",
        })
    }
}

/// The letter as a PDF of exactly one A4 page; the same letter is the same bytes.
///
/// The bytes are wiped when they are dropped. The PDF library's own copies while it writes are not; the caller keeps and
/// logs none of them.
///
/// # Errors
/// [`LetterError`]: a character that cannot be printed, a text without room, or a PDF that could not be written.
pub fn render(letter: &Letter<'_>) -> Result<Zeroizing<Vec<u8>>, LetterError> {
    if letter.password.is_empty() || !letter.password.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(LetterError::Password);
    }
    pdf::write(letter)
}
