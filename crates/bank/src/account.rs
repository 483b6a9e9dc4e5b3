//! Accounts: the customers' and the bank's own.

use std::fmt;

/// What an account is, with its number in Zengin records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// 普通
    Ordinary,
    /// 当座
    Current,
    /// 貯蓄
    Savings,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Current, Self::Savings];

    /// 預金種目: its digit in a Zengin record.
    #[must_use]
    pub fn zengin(self) -> u8 {
        match self {
            Self::Ordinary => 1,
            Self::Current => 2,
            Self::Savings => 4,
        }
    }

    /// From the digit of a Zengin record.
    #[must_use]
    pub fn from_zengin(digit: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.zengin() == digit)
    }
}

/// 口座番号: seven digits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct AccountNumber(u32);

/// The text or number is no [`AccountNumber`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected at most seven digits")]
pub struct AccountNumberError;

impl AccountNumber {
    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for AccountNumber {
    type Error = AccountNumberError;

    fn try_from(number: u32) -> Result<Self, AccountNumberError> {
        (number <= 9_999_999)
            .then_some(Self(number))
            .ok_or(AccountNumberError)
    }
}

impl From<AccountNumber> for u32 {
    fn from(number: AccountNumber) -> Self {
        number.0
    }
}

/// What people type: one to seven digits of either width; missing zeros stand in front.
impl std::str::FromStr for AccountNumber {
    type Err = AccountNumberError;

    fn from_str(text: &str) -> Result<Self, AccountNumberError> {
        let digits: String = text
            .trim()
            .chars()
            .map(crate::token_id::half_width)
            .collect();
        if digits.is_empty()
            || digits.len() > 7
            || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(AccountNumberError);
        }
        digits
            .parse::<u32>()
            .map_err(|_| AccountNumberError)?
            .try_into()
    }
}

impl fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}", self.0)
    }
}

/// The key of an account: of a customer's, its branch, kind and number; of the bank's own, a small number. Locks are
/// taken by ascending key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct AccountId(i64);

/// 現金: where opening deposits come from.
pub const CASH: AccountId = AccountId(1);
/// 他行為替: what is on its way to other banks.
pub const OTHER_BANKS: AccountId = AccountId(2);
/// 受入手数料: fees received.
pub const FEES: AccountId = AccountId(3);

/// The bank's own accounts.
pub const INNER: [AccountId; 3] = [CASH, OTHER_BANKS, FEES];

const FIRST_CUSTOMER: i64 = 100_000_000;

impl AccountId {
    /// The key of a customer's account at a branch (001–999).
    #[must_use]
    pub fn of(branch: u16, kind: AccountKind, number: AccountNumber) -> Self {
        let branch = i64::from(branch.clamp(1, 999));
        Self(branch * FIRST_CUSTOMER + i64::from(kind.zengin()) * 10_000_000 + i64::from(number.0))
    }

    /// Whether it is a customer's.
    #[must_use]
    pub fn is_customers(self) -> bool {
        self.0 >= FIRST_CUSTOMER
    }

    /// The branch of a customer's account; 0 of the bank's own.
    #[must_use]
    pub fn branch(self) -> u16 {
        u16::try_from(self.0 / FIRST_CUSTOMER).unwrap_or(0)
    }

    /// The kind of a customer's account.
    #[must_use]
    pub fn kind(self) -> Option<AccountKind> {
        let digit = self.0 / 10_000_000 % 10;
        AccountKind::from_zengin(u8::try_from(digit).ok()?)
    }

    /// The number of a customer's account.
    #[must_use]
    pub fn number(self) -> AccountNumber {
        AccountNumber(u32::try_from(self.0 % 10_000_000).unwrap_or(0))
    }

    /// The number that is stored.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        self.0
    }

    /// From the number that is stored.
    #[must_use]
    pub fn from_stored(stored: i64) -> Option<Self> {
        let id = Self(stored);
        (INNER.contains(&id) || (id.is_customers() && id.branch() <= 999 && id.kind().is_some()))
            .then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_branch_kind_and_number() {
        let number: AccountNumber = "１２３".parse().unwrap();
        let id = AccountId::of(101, AccountKind::Savings, number);
        assert_eq!(id.to_stored(), 10_140_000_123);
        assert_eq!(
            (id.branch(), id.kind(), id.number()),
            (101, Some(AccountKind::Savings), number)
        );
        assert_eq!(AccountId::from_stored(id.to_stored()), Some(id));
        assert_eq!(number.to_string(), "0000123");
        for stored in [0, 4, 99_999_999, 10_150_000_123, -1, i64::MAX] {
            assert_eq!(AccountId::from_stored(stored), None, "{stored}");
        }
    }

    #[test]
    fn a_number_has_at_most_seven_digits() {
        for text in ["", "12345678", "12a", "-1", "1 2"] {
            assert!(text.parse::<AccountNumber>().is_err(), "{text}");
        }
    }
}
