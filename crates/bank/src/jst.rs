//! Days as the bank counts them: Japan Standard Time, nine hours ahead of UTC all year (rules B9, B12, M4).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

/// Japan Standard Time. Fixed: Japan has had no summer time since 1951.
pub const OFFSET: Offset = Offset::constant(9);

/// A moment as clocks in Japan show it.
#[must_use]
pub fn local(at: Timestamp) -> DateTime {
    OFFSET.to_datetime(at)
}

/// The day of a moment in Japan.
#[must_use]
pub fn day(at: Timestamp) -> Date {
    local(at).date()
}

/// When a day begins in Japan: 00:00:00.000 JST. `None` only at the end of time.
#[must_use]
pub fn start_of(day: Date) -> Option<Timestamp> {
    OFFSET.to_timestamp(day.to_datetime(Time::midnight())).ok()
}

/// The day after. `None` only at the end of time.
#[must_use]
pub fn next_day(day: Date) -> Option<Date> {
    day.checked_add(1.day()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_japan() {
        let midnight = start_of(date(2026, 4, 1)).unwrap();
        assert_eq!(midnight.to_string(), "2026-03-31T15:00:00Z");
        assert_eq!(day(midnight), date(2026, 4, 1));
        let before = midnight.checked_sub(1.millisecond()).unwrap();
        assert_eq!(day(before), date(2026, 3, 31));
        assert_eq!(next_day(date(2026, 12, 31)), Some(date(2027, 1, 1)));
    }
}
