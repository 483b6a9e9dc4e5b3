//! Whether the machine's clock is moved. What follows from its time stays safe either way: codes of spent steps are refused,
//! what was done is not done again. But codes of now may be, and somebody has to know why.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::ambient::{Clock, stopwatch};
use crate::metrics::Metrics;

/// A clock that is moved by less is kept right by its daemon.
const NOTABLE: SignedDuration = SignedDuration::from_secs(2);

/// How much older than the newest audit row the clock may be: copies of the service have clocks of their own.
const BEHIND: SignedDuration = SignedDuration::from_secs(60);

/// What a clock showed, and when by a stopwatch, which nobody moves.
pub(super) struct ClockWatch {
    shown: Timestamp,
    at: Instant,
}

impl ClockWatch {
    pub(super) fn begin(clock: &dyn Clock) -> Self {
        Self {
            shown: clock.now(),
            at: stopwatch(),
        }
    }

    /// Looks again, and tells the log and the metrics when the clock was moved meanwhile.
    pub(super) fn look(&mut self, clock: &dyn Clock, metrics: &Metrics) {
        let (shown, at) = (clock.now(), stopwatch());
        let passed = SignedDuration::try_from(at.duration_since(self.at)).unwrap_or_default();
        let moved = shown.duration_since(self.shown) - passed;
        (self.shown, self.at) = (shown, at);
        if moved.abs() >= NOTABLE {
            metrics.clock_steps.inc();
            tracing::error!(
                seconds = moved.as_secs(),
                "the machine's clock was moved: codes are right or wrong by it; see to its time service"
            );
        }
    }
}

/// Tells the log when the clock shows an earlier time than the newest row of the audit trail: one of the two is wrong.
pub(super) fn compare_with_trail(now: Timestamp, newest: Option<Timestamp>) {
    if let Some(newest) = newest
        && newest.duration_since(now) > BEHIND
    {
        tracing::error!(
            seconds = newest.duration_since(now).as_secs(),
            "the machine's clock is behind the newest row of the audit trail: it is wrong now, or was wrong then"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// The machine's clock, moved by so many seconds.
    struct Moved(AtomicI64);

    impl Clock for Moved {
        fn now(&self) -> Timestamp {
            let moved = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
            crate::ambient::SystemClock.now() + moved
        }
    }

    #[test]
    fn a_clock_that_is_moved_by_hours_either_way_is_noticed_once_each() {
        let (clock, metrics) = (Moved(AtomicI64::new(0)), Metrics::default());
        let mut watch = ClockWatch::begin(&clock);
        for (moved, steps) in [
            (0, 0),
            (3 * 3600, 1),
            (3 * 3600, 1),
            (-5 * 3600, 2),
            (-5 * 3600, 2),
        ] {
            clock.0.store(moved, Ordering::SeqCst);
            watch.look(&clock, &metrics);
            assert_eq!(metrics.clock_steps.get(), steps, "moved by {moved} s");
        }
    }
}
