//! What the service knows of one token.

use jiff::Timestamp;
use warifu_oath::TimeStep;
use warifu_wire::StopReason;

use crate::party::PartyId;

/// Wrong codes in a row at one relying party that lock a credential there (rule S5).
pub const FAILURE_LIMIT: u8 = 5;

/// Steps around the drifted service clock in which a code is looked for (rule S4).
pub const WINDOW: i64 = 1;

/// How far, in steps, validations alone may teach a drift (rule S4).
pub const LEARNED_DRIFT_LIMIT: i64 = 10;

/// How far, in steps around the service clock, a resync looks (rule S4).
pub const RESYNC_REACH: i64 = 20;

/// Whether a credential is in use (rule S6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Codes are checked.
    Enabled,
    /// Codes are refused unseen.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Who stopped it.
        by: PartyId,
    },
}

/// Where a credential stands with one relying party, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is in use.
    pub state: State,
    /// The newest accepted time step; no code of it or of an older one is ever accepted again (rule S3).
    pub last_step: TimeStep,
    /// The token's clock against the service's, in steps.
    pub drift: i16,
    /// Wrong codes in a row at this relying party; [`FAILURE_LIMIT`] means locked there.
    pub failures: u8,
}

/// An acceptance: what a right code changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// The step that is spent; newer than [`Standing::last_step`].
    pub step: TimeStep,
    /// The drift from now on, in steps.
    pub drift: i16,
    /// When.
    pub at: Timestamp,
}

impl Standing {
    /// Whether the credential is locked at this relying party (rule S5).
    #[must_use]
    pub fn locked(&self) -> bool {
        self.failures >= FAILURE_LIMIT
    }

    /// Wrong codes left until it locks.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        FAILURE_LIMIT.saturating_sub(self.failures)
    }
}
