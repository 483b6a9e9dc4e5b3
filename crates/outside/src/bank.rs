//! The bank's pages: forms, queries and what people type into them.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use warifu::web::form::Form;
use warifu_bank::account::AccountNumber;
use warifu_bank::contract::ContractId;
use warifu_bank::directory::Directory;
use warifu_bank::jst;
use warifu_bank::kana::{LONGEST, fold_name, fold_search};
use warifu_bank::mail_address::MailAddress;
use warifu_bank::operation::OrderKind;
use warifu_bank::password::{self, Typed};
use warifu_bank::token_id::TokenId;
use warifu_bank::transfer;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

static DIRECTORY: LazyLock<Directory<'static>> =
    LazyLock::new(|| Directory::parse(include_str!("directory.tsv")).unwrap_or_default());

/// Fields that pages ask for.
const NAMES: [&str; 12] = [
    "id", "password", "code", "token", "key", "bank", "branch", "number", "name", "amount", "date",
    "mail",
];

/// A form or a query: refused, or fields of one line each; and each field as every kind of thing that a page may ask for.
pub(crate) fn form(bytes: &[u8]) {
    let Ok(form) = Form::parse(bytes) else {
        return;
    };
    for name in NAMES {
        let raw = form.raw(name);
        assert!(!raw.chars().any(char::is_control), "{name}");
        assert_eq!(form.text(name), raw.trim());
        assert_eq!(form.secret(name).as_str(), raw);
        everything(form.text(name));
    }
}

/// What was typed, as every kind of thing that a page may ask for.
pub(crate) fn typed(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        everything(text);
    }
}

fn everything(text: &str) {
    names(text);
    numbers(text);
    mail(text);
    date(text);
    new_password(text);
    directory(text);
    if let Ok(uid) = text.parse::<Uid>() {
        assert_eq!(uid.to_string(), text.to_ascii_lowercase());
    }
    if let Some(kind) = OrderKind::from_word(text) {
        assert_eq!(kind.word(), text);
    }
}

/// A name is one line of half-width kana that a Zengin record holds, and folding it again changes nothing.
fn names(text: &str) {
    if let Ok(name) = fold_name(text) {
        assert!((1..=LONGEST).contains(&name.chars().count()));
        let fits = |letter: char| {
            letter.is_ascii_graphic() || letter == ' ' || ('｡'..='ﾟ').contains(&letter)
        };
        assert!(name.chars().all(fits), "{name}");
        assert_eq!(fold_name(&name).as_ref(), Ok(&name));
    }
    if let Some(folded) = fold_search(text) {
        assert_eq!(fold_search(&folded), Some(folded));
    }
}

fn numbers(text: &str) {
    if let Some(yen) = Yen::typed(text) {
        assert!(yen >= Yen(1) && yen <= Yen::MOST);
        assert_eq!(Yen::typed(&yen.to_string()), Some(yen));
    }
    if let Ok(number) = text.parse::<AccountNumber>() {
        assert_eq!(number.to_string().parse(), Ok(number));
    }
    if let Ok(contract) = text.parse::<ContractId>() {
        assert_eq!(contract.to_string().parse(), Ok(contract));
        assert_eq!(contract.grouped().parse(), Ok(contract));
    }
    if let Ok(token) = text.parse::<TokenId>() {
        assert_eq!(token.as_str().len(), 12);
        assert_eq!(token.grouped().parse(), Ok(token));
    }
}

fn mail(text: &str) {
    if let Ok(address) = text.parse::<MailAddress>() {
        let written = address.as_str();
        assert!(written.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(written.matches('@').count(), 1);
        assert_eq!(written.parse(), Ok(address.clone()));
        let _ = address.to_string();
    }
}

fn date(text: &str) {
    let Ok(date) = text.parse::<Date>() else {
        return;
    };
    let _ = (jst::start_of(date), jst::next_day(date));
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        let when = transfer::when(date, now);
        assert_eq!(when == transfer::When::Now, date == jst::day(now));
        assert!(!(transfer::may_cancel(date, now) && date <= jst::day(now)));
    }
}

fn new_password(text: &str) {
    let typed = Typed {
        old: "the old one of before",
        new: text,
        again: text,
    };
    let taken = password::check(
        typed,
        password::MINIMUM_WITH_CODE,
        "12345678901",
        &["割符銀行"],
    );
    if let Ok(length) = taken {
        assert!((password::MINIMUM_WITH_CODE..=password::MAXIMUM).contains(&length));
    }
}

/// What a search for a bank or branch finds is in the directory, and never more than asked for.
fn directory(text: &str) {
    let directory = &*DIRECTORY;
    assert!(directory.size().0 > 0, "the file beside this one is read");
    let found = directory.banks(text, 3);
    assert!(found.len() <= 3);
    for bank in found {
        assert_eq!(directory.bank(bank.code), Some(bank));
        let branches = directory.branches(bank.code, text, 2);
        assert!(branches.len() <= 2);
    }
    if let Ok(own) = Directory::parse(text) {
        let (banks, _) = own.size();
        assert!(own.banks("", usize::MAX).len() <= banks);
    }
}
