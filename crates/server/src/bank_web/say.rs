//! Words for what rules say.

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::account::{AccountId, AccountKind};
use warifu_bank::jst;
use warifu_bank::operation::{Order, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::yen::Yen;

use super::ask::Ask;
use crate::token_api::Language;
use crate::web::texts::Texts;

/// A moment as the reader writes it, in Japan's time.
pub(crate) fn moment(language: Language, at: Timestamp) -> String {
    let local = jst::local(at);
    let (date, hour, minute) = (day(language, local.date()), local.hour(), local.minute());
    format!("{date} {hour:02}:{minute:02}")
}

/// A day as the reader writes it.
pub(crate) fn day(language: Language, date: Date) -> String {
    match language {
        Language::Japanese => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Language::English => format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
    }
}

/// An amount with its unit.
pub(crate) fn yen(language: Language, amount: Yen) -> String {
    match language {
        Language::Japanese => format!("{amount}円"),
        Language::English => format!("¥{amount}"),
    }
}

/// µs UTC as a moment.
pub(crate) fn micros(language: Language, micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| moment(language, at))
}

/// The name of a kind of account.
pub(crate) fn kind(texts: &Texts, kind: AccountKind) -> String {
    texts.say(match kind {
        AccountKind::Ordinary => "kind-ordinary",
        AccountKind::Current => "kind-current",
        AccountKind::Savings => "kind-savings",
    })
}

/// An own account: kind, branch, number.
pub(crate) fn account(texts: &Texts, id: AccountId) -> String {
    let kind = id.kind().map(|it| kind(texts, it)).unwrap_or_default();
    let (branch, number) = (format!("{:03}", id.branch()), id.number().to_string());
    texts.with(
        "account",
        &[("kind", &kind), ("branch", &branch), ("number", &number)],
    )
}

impl Ask {
    /// A moment.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        moment(self.language, at)
    }

    /// A day.
    pub(crate) fn day(&self, date: Date) -> String {
        day(self.language, date)
    }

    /// An amount.
    pub(crate) fn yen(&self, amount: Yen) -> String {
        yen(self.language, amount)
    }

    /// An own account.
    pub(crate) fn account(&self, id: AccountId) -> String {
        account(self.texts(), id)
    }

    /// Why an order was refused.
    pub(crate) fn refusal(&self, refusal: &Refusal) -> String {
        let texts = self.texts();
        match refusal {
            Refusal::NeedsRegistration => texts.say("needs-registration"),
            Refusal::NeedsRelease => texts.say("needs-release"),
            Refusal::AlreadyRegistered => texts.say("already-registered"),
            Refusal::TokenTaken => texts.say("token-taken"),
            Refusal::UnknownToken => texts.say("unknown-token"),
            Refusal::SameToken => texts.say("same-token"),
            Refusal::ChangeNotBegun => texts.say("change-not-begun"),
            Refusal::ServiceStopped => texts.say("service-stopped"),
            Refusal::NoSuchAccount => texts.say("no-such-account"),
            Refusal::NoSuchPayee => texts.say("no-such-payee"),
            Refusal::SameAccount => texts.say("same-account"),
            Refusal::BadAmount => texts.say("bad-amount"),
            Refusal::FeeChanged => texts.say("fee-changed"),
            Refusal::DateOutOfRange => texts.say("date-out-of-range"),
            Refusal::ShortOfFunds => texts.say("short-of-funds"),
            Refusal::OverLimit { left, caution } => {
                let left = self.yen(Yen(*left));
                let key = if *caution {
                    "over-caution"
                } else {
                    "over-limit"
                };
                texts.with(key, &[("left", &left)])
            }
            Refusal::AboveCeiling { ceiling } => {
                texts.with("above-ceiling", &[("ceiling", &self.yen(Yen(*ceiling)))])
            }
            Refusal::Unchanged => texts.say("unchanged"),
            Refusal::NotCancellable => texts.say("not-cancellable"),
            Refusal::PasswordTooShort => texts.say("password-too-short-alone"),
            Refusal::BookFull => texts.say("book-full"),
            Refusal::TooManyTries => texts.say("too-many-tries"),
            Refusal::Expired => texts.say("page-expired"),
        }
    }

    /// Why a code was not taken.
    pub(crate) fn code_refusal(&self, refusal: CodeRefusal) -> String {
        let texts = self.texts();
        match refusal {
            CodeRefusal::NotACode => texts.say("code-not-six"),
            CodeRefusal::Wrong { tries_left } => {
                texts.with("code-wrong", &[("left", &tries_left.to_string())])
            }
            CodeRefusal::Used { wait_seconds } => {
                texts.with("code-used", &[("seconds", &wait_seconds.to_string())])
            }
            CodeRefusal::Locked => texts.say("code-locked"),
            CodeRefusal::Stopped => texts.say("code-stopped"),
            CodeRefusal::ClockOff => texts.say("code-clock"),
            CodeRefusal::Unknown => texts.say("unknown-token"),
            CodeRefusal::Wait { seconds } => {
                texts.with("code-wait", &[("seconds", &seconds.to_string())])
            }
        }
    }

    /// What an order is called.
    pub(crate) fn order_title(&self, order: &Order) -> String {
        self.say(match order {
            Order::Login => "title-login",
            Order::Registration { .. } => "title-registration",
            Order::StopUse => "title-stop-use",
            Order::TokenChangeBegin | Order::TokenChange { .. } => "title-token-change",
            Order::LoginSetting { .. } => "title-login-setting",
            Order::Transfer(_) => "title-transfer",
            Order::TransferCancel { .. } => "title-transfer-cancel",
            Order::InternalTransfer { .. } => "title-internal",
            Order::LimitChange { .. } => "title-limit",
            Order::PasswordChange => "title-password",
            Order::MailChange { .. } => "title-mail",
            Order::LossStop { .. } => "title-loss",
            Order::EmergencyStop => "title-emergency",
        })
    }
}
