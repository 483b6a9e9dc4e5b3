use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::ambient::stopwatch;

/// Lets the log be told of what happens often once a second at most.
#[derive(Debug)]
pub(super) struct Seldom {
    since: Instant,
    /// The second, counted from `since`, in which the log was last told.
    told: AtomicU64,
}

impl Seldom {
    pub(super) fn new() -> Self {
        Self {
            since: stopwatch(),
            told: AtomicU64::new(u64::MAX),
        }
    }

    /// Whether this is the first time in its second.
    pub(super) fn is_due(&self) -> bool {
        let second = self.since.elapsed().as_secs();
        self.told.swap(second, Ordering::Relaxed) != second
    }
}
