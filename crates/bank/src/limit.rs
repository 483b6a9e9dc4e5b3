//! 振込限度額: how much a contract may transfer a day (rules B9, B18, M4).

use jiff::Timestamp;
use jiff::civil::Date;

use crate::jst;
use crate::yen::Yen;

/// The bank's settings, yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// The most that any contract may choose.
    pub ceiling: Yen,
    /// What a new contract has.
    pub initial: Yen,
    /// The cap of a day for 24 hours after a registration or change of token.
    pub caution: Yen,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            ceiling: Yen(10_000_000),
            initial: Yen(1_000_000),
            caution: Yen(100_000),
        }
    }
}

/// A change of the limit, as it is kept: none is ever removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitChange {
    /// The new limit.
    pub amount: Yen,
    /// The first day in Japan on which it holds.
    pub effective_on: Date,
    /// When it was asked for.
    pub requested_at: Timestamp,
}

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitDecision {
    /// It holds from this day on; whatever was to come before it falls.
    From(Date),
    /// Above the bank's ceiling.
    AboveCeiling(Yen),
    /// The limit is this already, and nothing else is to come.
    Unchanged,
}

/// From when a new limit holds: lowering at once, raising from the next day in Japan.
#[must_use]
pub fn decide(
    current: Yen,
    pending: Option<Yen>,
    wanted: Yen,
    now: Timestamp,
    settings: &LimitSettings,
) -> LimitDecision {
    if wanted > settings.ceiling {
        return LimitDecision::AboveCeiling(settings.ceiling);
    }
    if wanted == pending.unwrap_or(current) {
        return LimitDecision::Unchanged;
    }
    let today = jst::day(now);
    if wanted > current {
        LimitDecision::From(jst::next_day(today).unwrap_or(today))
    } else {
        LimitDecision::From(today)
    }
}

/// The most that may leave on `day`, the day's limit with the caution of B18.
#[must_use]
pub fn cap(limit: Yen, in_caution: bool, settings: &LimitSettings) -> Yen {
    if in_caution {
        limit.min(settings.caution)
    } else {
        limit
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const SETTINGS: LimitSettings = LimitSettings {
        ceiling: Yen(5_000_000),
        initial: Yen(1_000_000),
        caution: Yen(100_000),
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lowering_holds_at_once_and_raising_from_the_next_day_in_japan() {
        let evening = at("2026-04-01T14:59:59.999999Z");
        let midnight = at("2026-04-01T15:00:00Z");
        let decide = |wanted, now| decide(Yen(1_000_000), None, Yen(wanted), now, &SETTINGS);
        assert_eq!(
            decide(999_999, evening),
            LimitDecision::From(date(2026, 4, 1))
        );
        assert_eq!(
            decide(1_000_001, evening),
            LimitDecision::From(date(2026, 4, 2))
        );
        assert_eq!(
            decide(1_000_001, midnight),
            LimitDecision::From(date(2026, 4, 3))
        );
        assert_eq!(decide(1_000_000, midnight), LimitDecision::Unchanged);
        assert_eq!(
            decide(5_000_001, midnight),
            LimitDecision::AboveCeiling(Yen(5_000_000))
        );
    }

    #[test]
    fn taking_back_a_raise_that_is_to_come_is_a_change() {
        let now = at("2026-04-01T00:00:00Z");
        let decision = decide(Yen(100), Some(Yen(200)), Yen(100), now, &SETTINGS);
        assert_eq!(decision, LimitDecision::From(date(2026, 4, 1)));
        let again = decide(Yen(100), Some(Yen(200)), Yen(200), now, &SETTINGS);
        assert_eq!(again, LimitDecision::Unchanged);
    }

    #[test]
    fn caution_only_ever_lowers() {
        assert_eq!(cap(Yen(500_000), true, &SETTINGS), Yen(100_000));
        assert_eq!(cap(Yen(50_000), true, &SETTINGS), Yen(50_000));
        assert_eq!(cap(Yen(500_000), false, &SETTINGS), Yen(500_000));
    }
}
