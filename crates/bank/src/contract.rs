//! A contract (契約者): who uses the internet bank, and how his token stands.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::password::{MINIMUM_ALONE, MINIMUM_WITH_CODE};
use crate::token_id::{TokenId, half_width};

/// 契約者ID: eleven digits, the first not zero; the customer's login name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractId(i64);

/// The text is no [`ContractId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected eleven digits")]
pub struct ContractIdError;

const FIRST: i64 = 10_000_000_000;
const LAST: i64 = 99_999_999_999;

impl ContractId {
    /// The ID that stands at a place chosen by eight random bytes; nobody can count contracts by it.
    #[must_use]
    pub fn from_random(random: &[u8; 8]) -> Self {
        let span = (LAST - FIRST + 1).unsigned_abs();
        let place = u64::from_be_bytes(*random) % span;
        Self(FIRST + place.cast_signed())
    }

    /// The number that is stored.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        self.0
    }

    /// From the number that is stored.
    #[must_use]
    pub fn from_stored(stored: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&stored).then_some(Self(stored))
    }

    /// As letters print it: `1234 5678 901`.
    #[must_use]
    pub fn grouped(self) -> String {
        let text = self.to_string();
        let (first, rest) = text.split_at(4);
        let (second, third) = rest.split_at(4);
        format!("{first} {second} {third}")
    }
}

impl FromStr for ContractId {
    type Err = ContractIdError;

    fn from_str(text: &str) -> Result<Self, ContractIdError> {
        let mut digits = String::with_capacity(11);
        for letter in text.trim().chars() {
            match half_width(letter) {
                ' ' | '\u{3000}' | '-' => {}
                digit if digit.is_ascii_digit() && digits.len() < 11 => digits.push(digit),
                _ => return Err(ContractIdError),
            }
        }
        let number = digits.parse().map_err(|_| ContractIdError)?;
        Self::from_stored(number).ok_or(ContractIdError)
    }
}

impl fmt::Display for ContractId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Whether the service is open to the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// In use.
    Open,
    /// The customer stopped everything (IB取引中止, rule B13); only staff lift it.
    EmergencyStopped,
    /// The contract has ended.
    Closed,
}

/// Why a token was taken from a contract without its code (rules B7, F4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossReason {
    /// 紛失
    Lost,
    /// 盗難
    Stolen,
    /// The device no longer starts.
    Broken,
}

/// How the token of a contract stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenStanding {
    /// None is registered; one may be.
    None,
    /// One is registered.
    InUse {
        /// Which.
        token: TokenId,
        /// When it was registered or changed to.
        since: Timestamp,
    },
    /// It was lost or stolen: a new one is registered only after two of the staff released the contract (B7, F5).
    AwaitingRelease {
        /// Why.
        reason: LossReason,
    },
}

/// A contract as rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Which.
    pub id: ContractId,
    /// Whether it is open.
    pub service: Service,
    /// Its token.
    pub token: TokenStanding,
    /// Whether login asks for the code (ログイン時認証設定); holds only while a token is in use.
    pub login_asks_code: bool,
    /// The password was printed by the bank and must be changed at the next login (F2).
    pub password_change_due: bool,
    /// Such a password holds until then.
    pub password_expires_at: Option<Timestamp>,
}

/// How long after a registration or a change of token a day's transfers are capped low (rule B18).
pub const CAUTION: SignedDuration = SignedDuration::from_hours(24);

impl Contract {
    /// The token in use.
    #[must_use]
    pub fn token_in_use(&self) -> Option<&TokenId> {
        match &self.token {
            TokenStanding::InUse { token, .. } => Some(token),
            TokenStanding::None | TokenStanding::AwaitingRelease { .. } => None,
        }
    }

    /// Until when a day's transfers are capped low, if they are now (rule B18).
    #[must_use]
    pub fn caution_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.token {
            TokenStanding::InUse { since, .. } => {
                since.checked_add(CAUTION).ok().filter(|until| now < *until)
            }
            TokenStanding::None | TokenStanding::AwaitingRelease { .. } => None,
        }
    }

    /// Characters of a new password, at least (B13): where login asks for the code as well, it need not stand alone.
    #[must_use]
    pub fn password_minimum(&self) -> i64 {
        let beside_a_code = self.login_asks_code && self.token_in_use().is_some();
        if beside_a_code && !self.password_change_due {
            MINIMUM_WITH_CODE
        } else {
            MINIMUM_ALONE
        }
    }

    /// Whether the password that the bank printed has run out.
    #[must_use]
    pub fn password_expired(&self, now: Timestamp) -> bool {
        self.password_expires_at.is_some_and(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_eleven_digits_however_they_are_typed() {
        let id: ContractId = "1234 5678 901".parse().unwrap();
        assert_eq!(id.to_string(), "12345678901");
        assert_eq!("１２３４５６７８９０１".parse(), Ok(id));
        assert_eq!(id.grouped(), "1234 5678 901");
        for text in [
            "",
            "1234567890",
            "123456789012",
            "01234567890",
            "1234567890a",
            "-12345678901a",
        ] {
            assert!(text.parse::<ContractId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_from_random_bytes_has_eleven_digits() {
        for random in [[0; 8], [0xff; 8], [7; 8]] {
            assert_eq!(ContractId::from_random(&random).to_string().len(), 11);
        }
    }

    #[test]
    fn caution_ends_a_day_after_the_registration() {
        let since = Timestamp::from_second(1_800_000_000).unwrap();
        let contract = Contract {
            id: "12345678901".parse().unwrap(),
            service: Service::Open,
            token: TokenStanding::InUse {
                token: "WRMA12345678".parse().unwrap(),
                since,
            },
            login_asks_code: true,
            password_change_due: false,
            password_expires_at: None,
        };
        let until = since.checked_add(CAUTION).unwrap();
        assert_eq!(contract.caution_until(since), Some(until));
        let last = until.checked_sub(SignedDuration::from_micros(1)).unwrap();
        assert_eq!(contract.caution_until(last), Some(until));
        assert_eq!(contract.caution_until(until), None);
    }
}
