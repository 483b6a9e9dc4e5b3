use jiff::Timestamp;
use zeroize::Zeroizing;

/// Where the core touches the world: the clock and the source of randomness. Everything else takes
/// what it needs as an argument, so that tests choose the hour and the bytes.
pub trait Edge: Send + Sync {
    /// What this device's clock shows, uncorrected.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` from a source fit for keys.
    ///
    /// # Errors
    /// When the system has no randomness to give; nothing may then be made.
    fn random(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The system has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of randomness gave nothing")]
pub struct NoEntropy;

/// The running machine's own clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEdge;

impl Edge for SystemEdge {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge: the one place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge: the one place that draws randomness"
    )]
    fn random(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}

/// `N` fresh random bytes, wiped when dropped.
pub(crate) fn random_bytes<const N: usize>(
    edge: &dyn Edge,
) -> Result<Zeroizing<[u8; N]>, NoEntropy> {
    let mut bytes = Zeroizing::new([0; N]);
    edge.random(bytes.as_mut_slice())?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// A clock that stands still, and bytes that differ from call to call.
    pub(crate) struct StillEdge {
        pub(crate) now: Timestamp,
        drawn: AtomicU8,
    }

    impl StillEdge {
        pub(crate) fn at(seconds: i64) -> Self {
            Self {
                now: Timestamp::from_second(seconds).unwrap(),
                drawn: AtomicU8::new(1),
            }
        }
    }

    impl Edge for StillEdge {
        fn now(&self) -> Timestamp {
            self.now
        }

        fn random(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(self.drawn.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }
}
