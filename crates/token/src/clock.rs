use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A device clock that is off by more than this is told to the customer (rule T6).
pub const WARN_ABOVE: SignedDuration = SignedDuration::from_secs(10);

/// What the last word with the service taught about this device's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The service's clock less the device's, in milliseconds: positive where the device is slow.
    pub offset_ms: i64,
    /// When it was, by the service's clock.
    pub at: Timestamp,
}

/// One measurement of the service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// What to remember.
    pub contact: Contact,
    /// From the question to the answer, by the device's clock.
    pub round_trip: SignedDuration,
}

impl Contact {
    /// [`Contact::offset_ms`] as a duration.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset_ms)
    }

    /// The service's clock, for what the device's clock shows.
    #[must_use]
    pub fn correct(&self, device_now: Timestamp) -> Timestamp {
        device_now.checked_add(self.offset()).unwrap_or(device_now)
    }

    /// Whether the customer should set the clock (rule T6).
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.offset().abs() > WARN_ABOVE
    }

    /// How long ago the contact was; negative when the clock has since been set back.
    #[must_use]
    pub fn age(&self, device_now: Timestamp) -> SignedDuration {
        self.correct(device_now).duration_since(self.at)
    }

    /// Whether the device's clock was set back since: the corrected time lies before the contact by
    /// more than [`WARN_ABOVE`], so the codes shown are surely wrong until the service is asked again.
    #[must_use]
    pub fn was_set_back(&self, device_now: Timestamp) -> bool {
        self.age(device_now) < -WARN_ABOVE
    }
}

/// Learns the offset from one question and answer: the service's clock is taken to have been read
/// half-way between `asked` and `answered` (the estimate of RFC 5905 §8, with one server time).
#[must_use]
pub fn measure(asked: Timestamp, service_time: Timestamp, answered: Timestamp) -> Measured {
    let round_trip = answered.duration_since(asked);
    let midpoint = asked.checked_add(round_trip / 2).unwrap_or(asked);
    let offset = service_time.duration_since(midpoint);
    Measured {
        contact: Contact {
            offset_ms: i64::try_from(offset.as_millis()).unwrap_or(0),
            at: service_time,
        },
        round_trip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_offset_is_taken_half_way_through_the_round_trip() {
        let measured = measure(
            at("2026-04-01T00:00:00Z"),
            at("2026-04-01T00:01:36Z"),
            at("2026-04-01T00:00:02Z"),
        );
        assert_eq!(measured.contact.offset_ms, 95_000);
        assert_eq!(measured.round_trip, SignedDuration::from_secs(2));
    }

    #[test]
    fn a_clock_is_called_off_only_above_ten_seconds_either_way() {
        let contact = |offset_ms| Contact {
            offset_ms,
            at: Timestamp::UNIX_EPOCH,
        };
        assert!(!contact(10_000).is_off());
        assert!(!contact(-10_000).is_off());
        assert!(contact(10_001).is_off());
        assert!(contact(-10_001).is_off());
    }

    #[test]
    fn a_clock_set_back_after_the_contact_is_noticed_with_no_network() {
        let contact = Contact {
            offset_ms: 5_000,
            at: at("2026-04-01T12:00:00Z"),
        };
        assert!(!contact.was_set_back(at("2026-04-01T11:59:50Z")));
        assert!(contact.was_set_back(at("2026-04-01T11:00:00Z")));
        assert_eq!(
            contact.age(at("2026-04-01T12:59:55Z")),
            SignedDuration::from_hours(1)
        );
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let contact = Contact {
            offset_ms: i64::MAX,
            at: Timestamp::MIN,
        };
        assert_eq!(contact.correct(Timestamp::MAX), Timestamp::MAX);
        let measured = measure(Timestamp::MAX, Timestamp::MIN, Timestamp::MAX);
        assert!(measured.contact.is_off());
    }
}
