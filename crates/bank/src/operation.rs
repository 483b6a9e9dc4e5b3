//! Operations: what a customer orders, and what becomes of it (rules B10, M3).
//!
//! An operation has a key that the server made when its page was shown. Whatever is re-sent, it is settled once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use warifu_wire::Base64Url;

use crate::account::AccountId;
use crate::transfer::TransferOrder;
use crate::uid::Uid;

/// How long a page with an operation may stay open.
pub const OPEN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Wrong codes after which an operation is void and begins anew.
pub const TRIES: i64 = 5;

/// What a customer orders. Its stored text is what the code is bound to: one yen more is another order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// ログイン: from the half session to the full one.
    Login,
    /// 利用登録 of a token.
    Registration {
        /// トークンID
        token: String,
    },
    /// 利用停止
    StopUse,
    /// トークンの変更, first half: the old token's code.
    TokenChangeBegin,
    /// トークンの変更, second half: the new token and its code.
    TokenChange {
        /// The new トークンID.
        token: String,
        /// The operation that proved the old one.
        begun: String,
    },
    /// ログイン時認証設定
    LoginSetting {
        /// 認証する
        asks: bool,
    },
    /// 振込
    Transfer(TransferOrder),
    /// 予約振込取消
    TransferCancel {
        /// The transfer's key.
        transfer: String,
    },
    /// 振替
    InternalTransfer {
        /// Where the money comes from.
        from: AccountId,
        /// Where it goes.
        to: AccountId,
        /// How much, yen.
        amount: i64,
    },
    /// 振込限度額変更
    LimitChange {
        /// The new limit, yen.
        to: i64,
    },
    /// ログインパスワード変更. The password itself is in no order.
    PasswordChange,
    /// Eメールアドレス変更
    MailChange {
        /// The new address; none takes the old one away.
        to: Option<String>,
    },
    /// トークンの紛失・盗難: the customer's own stop.
    LossStop {
        /// 盗難, not 紛失.
        stolen: bool,
    },
    /// IB取引中止
    EmergencyStop,
}

/// The kind of an [`Order`], without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderKind {
    /// See [`Order::Login`].
    Login,
    /// See [`Order::Registration`].
    Registration,
    /// See [`Order::StopUse`].
    StopUse,
    /// See [`Order::TokenChangeBegin`].
    TokenChangeBegin,
    /// See [`Order::TokenChange`].
    TokenChange,
    /// See [`Order::LoginSetting`].
    LoginSetting,
    /// See [`Order::Transfer`].
    Transfer,
    /// See [`Order::TransferCancel`].
    TransferCancel,
    /// See [`Order::InternalTransfer`].
    InternalTransfer,
    /// See [`Order::LimitChange`].
    LimitChange,
    /// See [`Order::PasswordChange`].
    PasswordChange,
    /// See [`Order::MailChange`].
    MailChange,
    /// See [`Order::LossStop`].
    LossStop,
    /// See [`Order::EmergencyStop`].
    EmergencyStop,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Login,
        Self::Registration,
        Self::StopUse,
        Self::TokenChangeBegin,
        Self::TokenChange,
        Self::LoginSetting,
        Self::Transfer,
        Self::TransferCancel,
        Self::InternalTransfer,
        Self::LimitChange,
        Self::PasswordChange,
        Self::MailChange,
        Self::LossStop,
        Self::EmergencyStop,
    ];

    /// The word that is stored, and told to the token service as the code's purpose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Registration => "registration",
            Self::StopUse => "stop-use",
            Self::TokenChangeBegin => "token-change-old",
            Self::TokenChange => "token-change-new",
            Self::LoginSetting => "login-setting",
            Self::Transfer => "transfer",
            Self::TransferCancel => "transfer-cancel",
            Self::InternalTransfer => "internal-transfer",
            Self::LimitChange => "limit-change",
            Self::PasswordChange => "password-change",
            Self::MailChange => "mail-change",
            Self::LossStop => "loss-stop",
            Self::EmergencyStop => "emergency-stop",
        }
    }

    /// From the word that is stored.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// SHA-256 of an order's stored text: what a code is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderDigest(pub [u8; 32]);

impl Order {
    /// Whether its code is that of a token which is not this contract's yet (B2, B6).
    #[must_use]
    pub fn brings_a_token(&self) -> bool {
        matches!(self, Self::Registration { .. } | Self::TokenChange { .. })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> OrderKind {
        match self {
            Self::Login => OrderKind::Login,
            Self::Registration { .. } => OrderKind::Registration,
            Self::StopUse => OrderKind::StopUse,
            Self::TokenChangeBegin => OrderKind::TokenChangeBegin,
            Self::TokenChange { .. } => OrderKind::TokenChange,
            Self::LoginSetting { .. } => OrderKind::LoginSetting,
            Self::Transfer(_) => OrderKind::Transfer,
            Self::TransferCancel { .. } => OrderKind::TransferCancel,
            Self::InternalTransfer { .. } => OrderKind::InternalTransfer,
            Self::LimitChange { .. } => OrderKind::LimitChange,
            Self::PasswordChange => OrderKind::PasswordChange,
            Self::MailChange { .. } => OrderKind::MailChange,
            Self::LossStop { .. } => OrderKind::LossStop,
            Self::EmergencyStop => OrderKind::EmergencyStop,
        }
    }

    /// The text that is stored.
    #[must_use]
    pub fn to_stored(&self) -> String {
        // Plain structs with text keys: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the text that is stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What a code is bound to.
    #[must_use]
    pub fn digest(&self) -> OrderDigest {
        OrderDigest(Sha256::digest(self.to_stored()).into())
    }
}

/// The name under which the token service is asked to check a code (its `Idempotency-Key`): the operation, the order as
/// it stands, and how often a code was refused. Asked again it gives the same answer; for another order, or another
/// amount, it is another request, to which a spent code is no good.
///
/// It is a UUID of version 7 with the operation's time, which keeps the token service's index of requests in order, and
/// then the digest itself, 192 bits: the UUID's 74 would be few enough to find two orders of one name. Nothing of
/// the operation's key is told but its time.
#[must_use]
pub fn request_id(key: Uid, digest: &OrderDigest, attempt: i64) -> String {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"warifu request 2")
        .chain_update(key.as_bytes())
        .chain_update(digest.0)
        .chain_update(attempt.to_be_bytes())
        .finalize()
        .into();
    let [digest @ .., _, _, _, _, _, _, _, _] = &hash;
    let [.., a, b, c, d, e, f, g, h, i, j] = hash;
    let name = key.of_the_same_time(&[a, b, c, d, e, f, g, h, i, j]);
    format!("{name}{}", Base64Url(*digest))
}

/// Whether an operation's page was open too long.
#[must_use]
pub fn expired(shown_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(shown_at) >= OPEN_FOR
}

/// Why an order was not carried out. Final: the same operation answers so again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case", deny_unknown_fields)]
pub enum Refusal {
    /// No token is registered: 利用登録 comes first.
    NeedsRegistration,
    /// After a loss staff must release the contract first (B7).
    NeedsRelease,
    /// A token is registered already: it is the change of token that is wanted (B2).
    AlreadyRegistered,
    /// The token is registered to another contract (B2).
    TokenTaken,
    /// The token service knows no such token.
    UnknownToken,
    /// The new token is the old one.
    SameToken,
    /// The old token's proof is too old or was used: the change begins anew.
    ChangeNotBegun,
    /// The service is stopped for this contract.
    ServiceStopped,
    /// Not the customer's account.
    NoSuchAccount,
    /// This bank has no such account, or its holder has another name: one answer, so that nobody learns names by trying.
    NoSuchPayee,
    /// From and to are one account.
    SameAccount,
    /// The amount is no amount.
    BadAmount,
    /// The fee is another one than was shown: the page is shown anew.
    FeeChanged,
    /// A day that has gone, or too far ahead.
    DateOutOfRange,
    /// The balance is too low.
    ShortOfFunds,
    /// The day's limit would be passed.
    OverLimit {
        /// What may still leave on that day, yen.
        left: i64,
        /// Whether it is the low cap of the first 24 hours (B18).
        caution: bool,
    },
    /// Above the bank's ceiling.
    AboveCeiling {
        /// The ceiling, yen.
        ceiling: i64,
    },
    /// It is so already.
    Unchanged,
    /// No such dated transfer, or it can be cancelled no longer.
    NotCancellable,
    /// Login without a code needs a longer password (15 characters, NIST SP 800-63B-4).
    PasswordTooShort,
    /// The payee book is full.
    BookFull,
    /// Five wrong codes: the operation is void.
    TooManyTries,
    /// The page was open too long.
    Expired,
}

/// What a settled operation left, for its result page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// 受付番号 or 処理結果番号.
    pub receipt: String,
    /// When, µs UTC.
    pub at: i64,
    /// For a limit: the first day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<jiff::civil::Date>,
    /// For a registration or change of token: until when transfers are capped low, µs UTC (B18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution_until: Option<i64>,
    /// For a change of mail address: the address before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Payee;

    fn transfer(amount: i64, name: &str) -> Order {
        Order::Transfer(TransferOrder {
            from: AccountId::from_stored(10_110_000_001).unwrap(),
            to: Payee {
                bank: "0001".into(),
                branch: "001".into(),
                kind: crate::account::AccountKind::Ordinary,
                number: "1234567".parse().unwrap(),
                name: name.into(),
            },
            amount,
            fee: 165,
            date: jiff::civil::date(2026, 11, 24),
            remember: false,
        })
    }

    #[test]
    fn an_order_is_read_back_as_it_was_stored() {
        for order in [
            Order::Login,
            Order::LoginSetting { asks: false },
            Order::MailChange { to: None },
            transfer(1_000, "ﾐﾎﾝ ﾀﾛｳ"),
        ] {
            assert_eq!(Order::from_stored(&order.to_stored()), Some(order));
        }
        assert_eq!(
            Order::from_stored(r#"{"order":"limit_change","to":1,"from":2}"#),
            None
        );
    }

    #[test]
    fn one_yen_or_one_letter_more_is_another_request_of_the_code() {
        let key = Uid::from_bytes(&[1; 16]).unwrap();
        let ids: Vec<_> = [
            (transfer(1_000, "ﾐﾎﾝ"), 0),
            (transfer(1_001, "ﾐﾎﾝ"), 0),
            (transfer(1_000, "ﾐﾎ"), 0),
            (transfer(1_000, "ﾐﾎﾝ"), 1),
        ]
        .iter()
        .map(|(order, attempt)| request_id(key, &order.digest(), *attempt))
        .collect();
        for (index, id) in ids.iter().enumerate() {
            assert_eq!(id.len(), 64);
            // Time, version and variant of a UUID of version 7.
            assert!(id.starts_with("0101010101017"), "{id}");
            assert!(
                matches!(id.as_bytes()[16], b'8' | b'9' | b'a' | b'b'),
                "{id}"
            );
            assert!(!ids.iter().skip(index + 1).any(|other| other == id));
        }
    }

    #[test]
    fn every_word_is_a_purpose_that_the_token_service_takes_and_is_read_back() {
        for kind in OrderKind::ALL {
            let word = kind.word();
            assert!(word.len() <= 32 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert_eq!(OrderKind::from_word(word), Some(kind));
        }
    }
}
