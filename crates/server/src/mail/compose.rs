//! What a mail says (rules B12, B14, B18): when, what, the receipt number, how to stop it, and that no mail of the bank
//! holds a link. No payee's name and no account's number is in it: mails are read by others.

use fluent_bundle::{FluentArgs, FluentValue};
use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::jst;
use warifu_bank::notice::{Event, NotSent};
use warifu_bank::yen::Yen;

use super::texts::Texts;
use crate::bank::BankSettings;
use crate::token_api::Language;

/// A mail's words, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// One line.
    pub subject: String,
    /// Lines that end in `\n`.
    pub body: String,
}

/// What happened, in a headline and some lines, without a mail's frame: for the top page (rules B11, B12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// One line.
    pub headline: String,
    /// Lines between which stands `\n`.
    pub text: String,
    /// 受付番号, where the event has one.
    pub receipt: Option<String>,
}

/// Says what happened, for the top page.
#[must_use]
pub fn tell(event: &Event, language: Language) -> Told {
    let values = Words(language).of(event);
    told(event, &Texts::new(language), &values)
}

fn told(event: &Event, texts: &Texts, values: &FluentArgs<'_>) -> Told {
    let word = event.word();
    let receipt = match values.get("receipt") {
        Some(FluentValue::String(receipt)) => Some(receipt.clone().into_owned()),
        _ => None,
    };
    Told {
        headline: texts.say(&format!("{word}-subject"), values),
        text: texts.say(&format!("{word}-body"), values),
        receipt,
    }
}

/// Says what happened, as a mail in the customer's language.
#[must_use]
pub fn compose(event: &Event, language: Language, bank: &BankSettings, at: Timestamp) -> Composed {
    let texts = Texts::new(language);
    let words = Words(language);
    let mut values = words.of(event);
    let (name, hours) = match language {
        Language::Japanese => (&bank.name.ja, &bank.hours.ja),
        Language::English => (&bank.name.en, &bank.hours.en),
    };
    values.set("bank", name.as_str());
    values.set("phone", bank.phone.as_str());
    values.set("hours", hours.as_str());
    values.set("at", words.moment(at));
    let told = told(event, &texts, &values);
    values.set("subject", told.headline);
    let mut facts = vec![texts.say("mail-at", &values)];
    if told.receipt.is_some() {
        facts.push(texts.say("mail-receipt", &values));
    }
    let parts = [
        texts.say("mail-opening", &values),
        told.text,
        facts.join("\n"),
        texts.say("mail-stop", &values),
        texts.say("mail-no-links", &values),
        format!("--\n{}", texts.say("mail-signature", &values)),
    ];
    Composed {
        subject: texts.say("mail-subject", &values),
        body: format!("{}\n", parts.join("\n\n")),
    }
}

/// Figures and days as a language writes them.
struct Words(Language);

impl Words {
    /// The values of an event's own texts.
    fn of(&self, event: &Event) -> FluentArgs<'static> {
        let mut values = FluentArgs::new();
        match event {
            Event::Registered { caution_until, cap }
            | Event::TokenChanged { caution_until, cap } => {
                values.set("until", self.micros(*caution_until));
                values.set("cap", yen(*cap));
            }
            Event::LossStopped { by_bank } => {
                values.set("by", if *by_bank { "bank" } else { "customer" });
            }
            Event::LoginSettingChanged { asks } => {
                values.set("asks", if *asks { "yes" } else { "no" });
            }
            Event::TransferSent { receipt, amount }
            | Event::InternalTransferDone { receipt, amount } => {
                values.set("receipt", receipt.clone());
                values.set("amount", yen(*amount));
            }
            Event::TransferReserved {
                receipt,
                amount,
                date,
            } => {
                values.set("receipt", receipt.clone());
                values.set("amount", yen(*amount));
                values.set("date", self.day(*date));
            }
            Event::TransferCancelled { receipt } | Event::Reversed { receipt } => {
                values.set("receipt", receipt.clone());
            }
            Event::TransferNotSent { receipt, reason } => {
                values.set("receipt", receipt.clone());
                values.set("reason", not_sent(*reason));
            }
            Event::LimitChanged { to, effective_on } => {
                values.set("to", yen(*to));
                values.set("date", self.day(*effective_on));
            }
            Event::UseStopped
            | Event::Released
            | Event::PasswordChanged
            | Event::PasswordReissued
            | Event::MailAddressChanged
            | Event::TokenLocked
            | Event::TokenUnlocked
            | Event::EmergencyStopped
            | Event::EmergencyLifted => {}
        }
        values
    }

    fn day(&self, day: Date) -> String {
        match self.0 {
            Language::Japanese => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
            Language::English => format!("{} {} {}", day.day(), month(day.month()), day.year()),
        }
    }

    /// To the second, in Japan.
    fn moment(&self, at: Timestamp) -> String {
        let local = jst::local(at);
        let (hour, minute, second) = (local.hour(), local.minute(), local.second());
        match self.0 {
            Language::Japanese => format!(
                "{} {hour}時{minute:02}分{second:02}秒",
                self.day(local.date())
            ),
            Language::English => format!(
                "{}, {hour:02}:{minute:02}:{second:02}",
                self.day(local.date())
            ),
        }
    }

    /// A moment that is stored as µs; the end of time for what no event holds.
    fn micros(&self, micros: i64) -> String {
        self.moment(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX))
    }
}

fn yen(amount: i64) -> String {
    Yen(amount).to_string()
}

fn not_sent(reason: NotSent) -> &'static str {
    match reason {
        NotSent::ShortOfFunds => "short-of-funds",
        NotSent::OverLimit => "over-limit",
        NotSent::NoSuchPayee => "no-such-payee",
        NotSent::Stopped => "stopped",
    }
}

fn month(number: i8) -> &'static str {
    match number {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

#[cfg(test)]
mod tests;
