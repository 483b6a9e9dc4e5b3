//! Where the command line touches the process around it: environment, monotonic clock.

use std::time::{Duration, Instant};

/// An environment variable that is set, not empty, and text.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge: the environment is read here, once"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A clock that nobody can set, for waiting and for noticing that the other one was set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge: it measures, no rule depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
