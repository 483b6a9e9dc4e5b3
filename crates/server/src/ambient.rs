//! The only place that asks the machine for the time, for random bytes or for its environment.

use jiff::Timestamp;
use zeroize::Zeroizing;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with what nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The operating system's random bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    fn now(&self) -> Timestamp {
        // Whole microseconds: what is stored is what was told.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "this is the edge; without randomness there is no safe way on"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// `N` random bytes that wipe themselves.
#[must_use]
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy.fill(bytes.as_mut_slice());
    bytes
}

/// An environment variable, if it is set and is text.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a stopwatch shows; for metrics only, never for a rule.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}
