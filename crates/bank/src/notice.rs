//! What a customer is told, by mail and on the top page (rules B12, B14, B18). No mail holds a link.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One thing that happened. Its fields are all that a text about it may hold: no payee's name, no account's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// 利用登録 (B2); until then transfers of a day are capped low (B18).
    Registered {
        /// µs UTC.
        caution_until: i64,
        /// Yen.
        cap: i64,
    },
    /// 利用停止 by the customer (B5).
    UseStopped,
    /// トークンの変更 (B6).
    TokenChanged {
        /// µs UTC.
        caution_until: i64,
        /// Yen.
        cap: i64,
    },
    /// The token was stopped after a loss (B7, F4).
    LossStopped {
        /// By the bank's staff, not the customer himself.
        by_bank: bool,
    },
    /// Staff released the contract after a loss (F5).
    Released,
    /// ログイン時認証設定 (B4).
    LoginSettingChanged {
        /// 認証する
        asks: bool,
    },
    /// 振込 was sent (B8).
    TransferSent {
        /// 受付番号
        receipt: String,
        /// Yen, without the fee.
        amount: i64,
    },
    /// A dated 振込 was taken (B12).
    TransferReserved {
        /// 受付番号
        receipt: String,
        /// Yen, without the fee.
        amount: i64,
        /// The day on which it will be sent.
        date: Date,
    },
    /// A dated 振込 was cancelled (B12, B7).
    TransferCancelled {
        /// 受付番号
        receipt: String,
    },
    /// A dated 振込 was not sent (B12).
    TransferNotSent {
        /// 受付番号
        receipt: String,
        /// Why.
        reason: NotSent,
    },
    /// 振替 between own accounts.
    InternalTransferDone {
        /// 受付番号
        receipt: String,
        /// Yen.
        amount: i64,
    },
    /// 振込限度額変更 (B9).
    LimitChanged {
        /// The new limit, yen.
        to: i64,
        /// The first day on which it holds.
        effective_on: Date,
    },
    /// ログインパスワード変更 (B13).
    PasswordChanged,
    /// The bank printed a new first password (F2).
    PasswordReissued,
    /// Eメールアドレス変更 (B13): told to the old and the new one.
    MailAddressChanged,
    /// Five wrong codes locked the token (S5).
    TokenLocked,
    /// Staff unlocked it (F5).
    TokenUnlocked,
    /// IB取引中止 (B13).
    EmergencyStopped,
    /// Staff lifted it (F5).
    EmergencyLifted,
    /// Staff reversed a booking (F5).
    Reversed {
        /// 受付番号 of the reversal.
        receipt: String,
    },
}

/// Why a dated transfer was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// The balance was too low.
    ShortOfFunds,
    /// The day's limit would have been passed.
    OverLimit,
    /// The payee's account is not there.
    NoSuchPayee,
    /// The contract, or its token, was stopped.
    Stopped,
}

impl Event {
    /// The text that is stored.
    #[must_use]
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the text that is stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The key of its texts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "registered",
            Self::UseStopped => "use-stopped",
            Self::TokenChanged { .. } => "token-changed",
            Self::LossStopped { .. } => "loss-stopped",
            Self::Released => "released",
            Self::LoginSettingChanged { .. } => "login-setting-changed",
            Self::TransferSent { .. } => "transfer-sent",
            Self::TransferReserved { .. } => "transfer-reserved",
            Self::TransferCancelled { .. } => "transfer-cancelled",
            Self::TransferNotSent { .. } => "transfer-not-sent",
            Self::InternalTransferDone { .. } => "internal-transfer-done",
            Self::LimitChanged { .. } => "limit-changed",
            Self::PasswordChanged => "password-changed",
            Self::PasswordReissued => "password-reissued",
            Self::MailAddressChanged => "mail-address-changed",
            Self::TokenLocked => "token-locked",
            Self::TokenUnlocked => "token-unlocked",
            Self::EmergencyStopped => "emergency-stopped",
            Self::EmergencyLifted => "emergency-lifted",
            Self::Reversed { .. } => "reversed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_back_as_it_was_stored() {
        for event in [
            Event::UseStopped,
            Event::Registered {
                caution_until: 1,
                cap: 100_000,
            },
            Event::TransferNotSent {
                receipt: "a".into(),
                reason: NotSent::ShortOfFunds,
            },
            Event::LimitChanged {
                to: 1,
                effective_on: jiff::civil::date(2026, 11, 25),
            },
        ] {
            assert_eq!(Event::from_stored(&event.to_stored()), Some(event));
        }
    }
}
