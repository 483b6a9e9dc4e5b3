//! The ledger: double entry, only ever added to (rules M1, M2).

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::account::{AccountId, CASH, FEES, OTHER_BANKS};
use crate::uid::Uid;
use crate::yen::Yen;

/// What a journal records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalKind {
    /// 入金 at the counter, an opening deposit among them.
    Deposit,
    /// 振込
    Transfer,
    /// 振替
    InternalTransfer,
    /// 口座振替: a bill that was debited.
    DirectDebit,
    /// A correction: the opposite of another journal (rule M1).
    Reversal,
}

impl JournalKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::DirectDebit,
        Self::Deposit,
        Self::Transfer,
        Self::InternalTransfer,
        Self::Reversal,
    ];

    /// The number that is stored.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        match self {
            Self::Deposit => 1,
            Self::Transfer => 2,
            Self::InternalTransfer => 3,
            Self::Reversal => 4,
            Self::DirectDebit => 5,
        }
    }

    /// From the number that is stored.
    #[must_use]
    pub fn from_stored(stored: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_stored() == stored)
    }
}

/// One account's part of a journal: money that comes is above zero, money that goes below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Whose.
    pub account: AccountId,
    /// How much, never zero.
    pub amount: Yen,
    /// 摘要: what the statement says, at most 48 characters.
    pub summary: String,
}

/// Postings that sum to zero, one an account, by ascending account: the order in which accounts are locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postings(Vec<Posting>);

/// What cannot be a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostingsError {
    /// Fewer than two postings.
    #[error("a journal has at least two postings")]
    TooFew,
    /// A posting of nothing.
    #[error("a posting moves at least one yen")]
    Nothing,
    /// More than twelve digits.
    #[error("an amount is beyond what one entry may move")]
    TooMuch,
    /// The sum is not zero.
    #[error("the postings do not sum to zero")]
    Unbalanced,
}

impl Postings {
    /// Checks and orders postings; two of one account become one.
    ///
    /// # Errors
    /// [`PostingsError`].
    pub fn new(mut postings: Vec<Posting>) -> Result<Self, PostingsError> {
        postings.sort_by_key(|posting| posting.account);
        let mut merged: Vec<Posting> = Vec::with_capacity(postings.len());
        for posting in postings {
            match merged
                .last_mut()
                .filter(|last| last.account == posting.account)
            {
                Some(last) => {
                    last.amount = last
                        .amount
                        .plus(posting.amount)
                        .ok_or(PostingsError::TooMuch)?
                }
                None => merged.push(posting),
            }
        }
        if merged.len() < 2 {
            return Err(PostingsError::TooFew);
        }
        let mut sum = Yen::ZERO;
        for posting in &merged {
            if posting.amount == Yen::ZERO {
                return Err(PostingsError::Nothing);
            }
            if posting.amount > Yen::MOST || posting.amount < Yen(-Yen::MOST.0) {
                return Err(PostingsError::TooMuch);
            }
            sum = sum.plus(posting.amount).ok_or(PostingsError::TooMuch)?;
        }
        if sum == Yen::ZERO {
            Ok(Self(merged))
        } else {
            Err(PostingsError::Unbalanced)
        }
    }

    /// The postings, by ascending account.
    #[must_use]
    pub fn as_slice(&self) -> &[Posting] {
        &self.0
    }

    /// The same money the other way.
    ///
    /// # Errors
    /// [`PostingsError`], for postings that no version of this program wrote.
    pub fn reversed(postings: &[Posting], summary: &str) -> Result<Self, PostingsError> {
        postings
            .iter()
            .map(|posting| {
                Ok(Posting {
                    account: posting.account,
                    amount: posting.amount.negated().ok_or(PostingsError::TooMuch)?,
                    summary: summary.to_owned(),
                })
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(Self::new)
    }

    /// A deposit at the counter.
    ///
    /// # Errors
    /// [`PostingsError`] when the amount is none.
    pub fn deposit(to: AccountId, amount: Yen, summary: &str) -> Result<Self, PostingsError> {
        Self::between(CASH, to, amount, summary, summary)
    }

    /// Money from one account to another.
    ///
    /// # Errors
    /// [`PostingsError`] when the amount is none, or both accounts are one.
    pub fn between(
        from: AccountId,
        to: AccountId,
        amount: Yen,
        from_summary: &str,
        to_summary: &str,
    ) -> Result<Self, PostingsError> {
        Self::new(vec![
            Posting {
                account: from,
                amount: amount.negated().ok_or(PostingsError::TooMuch)?,
                summary: from_summary.to_owned(),
            },
            Posting {
                account: to,
                amount,
                summary: to_summary.to_owned(),
            },
        ])
    }

    /// A transfer with its fee; `to` is `None` for an account of another bank.
    ///
    /// # Errors
    /// [`PostingsError`] when the amount is none.
    pub fn transfer(
        from: AccountId,
        to: Option<AccountId>,
        amount: Yen,
        fee: Yen,
        from_summary: &str,
        to_summary: &str,
    ) -> Result<Self, PostingsError> {
        let total = amount
            .plus(fee)
            .and_then(Yen::negated)
            .ok_or(PostingsError::TooMuch)?;
        let mut postings = vec![
            Posting {
                account: from,
                amount: total,
                summary: from_summary.to_owned(),
            },
            Posting {
                account: to.unwrap_or(OTHER_BANKS),
                amount,
                summary: to_summary.to_owned(),
            },
        ];
        if fee > Yen::ZERO {
            postings.push(Posting {
                account: FEES,
                amount: fee,
                summary: "振込手数料".to_owned(),
            });
        }
        Self::new(postings)
    }
}

/// What chains the entries of one account: each mark covers the entry and the mark before it, so that a changed, removed
/// or re-ordered entry is found (rule M5).
#[must_use]
pub fn mark(
    before: &[u8],
    journal: Uid,
    sequence: i64,
    amount: Yen,
    balance: Yen,
    at: Timestamp,
    summary: &str,
) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"warifu entry 1")
        .chain_update(u64::try_from(before.len()).unwrap_or(0).to_be_bytes())
        .chain_update(before)
        .chain_update(journal.as_bytes())
        .chain_update(sequence.to_be_bytes())
        .chain_update(amount.0.to_be_bytes())
        .chain_update(balance.0.to_be_bytes())
        .chain_update(at.as_microsecond().to_be_bytes())
        .chain_update(summary.as_bytes())
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountKind, AccountNumber};

    fn account(number: u32) -> AccountId {
        AccountId::of(
            101,
            AccountKind::Ordinary,
            AccountNumber::try_from(number).unwrap(),
        )
    }

    fn posting(account: AccountId, amount: i64) -> Posting {
        Posting {
            account,
            amount: Yen(amount),
            summary: String::new(),
        }
    }

    #[test]
    fn postings_sum_to_zero_and_stand_by_ascending_account() {
        let transfer =
            Postings::transfer(account(7), Some(account(3)), Yen(1_000), Yen(110), "a", "b")
                .unwrap();
        let order: Vec<_> = transfer
            .as_slice()
            .iter()
            .map(|posting| (posting.account, posting.amount.0))
            .collect();
        assert_eq!(
            order,
            [(FEES, 110), (account(3), 1_000), (account(7), -1_110)]
        );
    }

    #[test]
    fn what_does_not_balance_is_no_journal() {
        for (postings, error) in [
            (vec![posting(CASH, 1)], PostingsError::TooFew),
            (
                vec![posting(CASH, -1), posting(account(1), 2)],
                PostingsError::Unbalanced,
            ),
            (
                vec![posting(CASH, 0), posting(account(1), 0)],
                PostingsError::Nothing,
            ),
            (
                vec![posting(CASH, i64::MIN), posting(account(1), i64::MAX)],
                PostingsError::TooMuch,
            ),
            (
                vec![posting(account(1), -5), posting(account(1), 5)],
                PostingsError::TooFew,
            ),
        ] {
            assert_eq!(Postings::new(postings), Err(error));
        }
    }

    #[test]
    fn a_reversal_is_the_same_money_the_other_way() {
        let transfer = Postings::transfer(account(7), None, Yen(500), Yen::ZERO, "a", "b").unwrap();
        let back = Postings::reversed(transfer.as_slice(), "訂正").unwrap();
        let amounts: Vec<_> = back
            .as_slice()
            .iter()
            .map(|posting| (posting.account, posting.amount.0))
            .collect();
        assert_eq!(amounts, [(OTHER_BANKS, -500), (account(7), 500)]);
    }
}
