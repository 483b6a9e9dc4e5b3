//! 振込: money to another person's account (rules B8, B12, B18, M4).

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::account::{AccountId, AccountKind, AccountNumber};
use crate::jst;
use crate::yen::Yen;

/// How many days ahead a transfer may be dated.
pub const FURTHEST_DAYS: i32 = 30;

/// To whom: every part of it is bound into the code's request, so that another payee needs another code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payee {
    /// 金融機関コード: four digits.
    pub bank: String,
    /// 支店コード: three digits.
    pub branch: String,
    /// 預金種目
    pub kind: AccountKind,
    /// 口座番号
    pub number: AccountNumber,
    /// 受取人名: half-width kana of the Zengin character set, at most 30 bytes there.
    pub name: String,
}

/// A transfer as the customer saw it on the confirm page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferOrder {
    /// Where the money comes from.
    pub from: AccountId,
    /// To whom.
    pub to: Payee,
    /// How much, yen.
    pub amount: i64,
    /// The fee that was shown, yen.
    pub fee: i64,
    /// The day in Japan on which it is sent.
    pub date: Date,
    /// Whether the payee goes into the payee book.
    pub remember: bool,
}

impl TransferOrder {
    /// Amount and fee, or `None` beyond 64 bits.
    #[must_use]
    pub fn total(&self) -> Option<Yen> {
        Yen(self.amount).plus(Yen(self.fee))
    }
}

/// When a transfer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Today: with the confirmation.
    Now,
    /// At the start of a later day.
    Dated,
    /// A day that has gone, or more than [`FURTHEST_DAYS`] ahead.
    OutOfRange,
}

/// When a transfer dated `date` is sent, asked for at `now`.
#[must_use]
pub fn when(date: Date, now: Timestamp) -> When {
    let today = jst::day(now);
    let last = today.checked_add(FURTHEST_DAYS.days()).unwrap_or(today);
    if date == today {
        When::Now
    } else if date > today && date <= last {
        When::Dated
    } else {
        When::OutOfRange
    }
}

/// Whether a dated transfer may still be cancelled: until the day before (rule B12).
#[must_use]
pub fn may_cancel(date: Date, now: Timestamp) -> bool {
    jst::day(now) < date
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_transfer_is_sent_today_or_up_to_thirty_days_ahead_counted_in_japan() {
        let last_moment: Timestamp = "2026-04-01T14:59:59.999Z".parse().unwrap();
        let midnight: Timestamp = "2026-04-01T15:00:00Z".parse().unwrap();
        assert_eq!(when(date(2026, 4, 1), last_moment), When::Now);
        assert_eq!(when(date(2026, 4, 1), midnight), When::OutOfRange);
        assert_eq!(when(date(2026, 4, 2), last_moment), When::Dated);
        assert_eq!(when(date(2026, 5, 1), last_moment), When::Dated);
        assert_eq!(when(date(2026, 5, 2), last_moment), When::OutOfRange);
        assert_eq!(when(date(2026, 5, 2), midnight), When::Dated);
    }

    #[test]
    fn a_dated_transfer_is_cancelled_until_the_day_before() {
        let last_moment: Timestamp = "2026-04-01T14:59:59.999Z".parse().unwrap();
        let midnight: Timestamp = "2026-04-01T15:00:00Z".parse().unwrap();
        assert!(may_cancel(date(2026, 4, 2), last_moment));
        assert!(!may_cancel(date(2026, 4, 2), midnight));
    }
}
