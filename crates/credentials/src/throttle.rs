//! How often one address may provision (rule S1): the generic cell rate algorithm, one instant of state an address.

use jiff::{SignedDuration, Timestamp};

/// `burst` at once, and one more every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once, at least 1.
    pub burst: u32,
    /// How long one takes to be forgotten.
    pub interval: SignedDuration,
}

/// What [`Rate::admit`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go on, and keep this instant for the next time.
    Admitted {
        /// When the address has nothing counted against it any more.
        clear_at: Timestamp,
    },
    /// Too many.
    Refused {
        /// How long to wait at least.
        retry_after: SignedDuration,
    },
}

impl Rate {
    /// Whether one more may come `now`, when the address was to be clear at `clear_at` (the past for a new one).
    ///
    /// An instant later than a whole burst makes is from before the clock stepped back: it counts as a whole burst, so
    /// that nobody waits for as long as the clock was wrong.
    #[must_use]
    pub fn admit(self, clear_at: Timestamp, now: Timestamp) -> Admission {
        let tolerated = self
            .interval
            .saturating_mul(i32::try_from(self.burst.max(1)).unwrap_or(i32::MAX));
        let latest = now.saturating_add(tolerated).unwrap_or(Timestamp::MAX);
        let next = clear_at
            .clamp(now, latest)
            .saturating_add(self.interval)
            .unwrap_or(Timestamp::MAX);
        let over = next.duration_since(now) - tolerated;
        if over.is_positive() {
            Admission::Refused { retry_after: over }
        } else {
            Admission::Admitted { clear_at: next }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        interval: SignedDuration::from_secs(10),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn admitted(clear_at: Timestamp, now: Timestamp) -> Timestamp {
        match RATE.admit(clear_at, now) {
            Admission::Admitted { clear_at } => clear_at,
            Admission::Refused { .. } => panic!("should be admitted"),
        }
    }

    #[test]
    fn after_the_clock_stepped_back_an_address_waits_no_longer_than_after_a_burst() {
        let clear_at = at(3_600);
        assert_eq!(
            RATE.admit(clear_at, at(0)),
            Admission::Refused {
                retry_after: RATE.interval
            }
        );
    }

    #[test]
    fn a_burst_goes_through_and_the_next_one_is_told_when_to_come_back() {
        let mut clear_at = Timestamp::UNIX_EPOCH;
        for _ in 0..3 {
            clear_at = admitted(clear_at, at(0));
        }
        assert_eq!(
            RATE.admit(clear_at, at(0)),
            Admission::Refused {
                retry_after: SignedDuration::from_secs(10)
            }
        );
        assert_eq!(
            RATE.admit(clear_at, at(9)),
            Admission::Refused {
                retry_after: SignedDuration::from_secs(1)
            }
        );
        clear_at = admitted(clear_at, at(10));
        assert!(matches!(
            RATE.admit(clear_at, at(10)),
            Admission::Refused { .. }
        ));
    }

    #[test]
    fn after_a_pause_the_whole_burst_is_back_and_not_more() {
        let mut clear_at = at(0);
        for _ in 0..3 {
            clear_at = admitted(clear_at, at(1000));
        }
        assert!(matches!(
            RATE.admit(clear_at, at(1000)),
            Admission::Refused { .. }
        ));
    }
}
