//! From enabled to stopped and back (rule S6).

use warifu_wire::{RefusalReason, StopReason};

use crate::credential::State;
use crate::party::PartyId;

/// What a request to stop comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The state from now on.
    pub state: State,
    /// The reason that holds.
    pub reason: StopReason,
    /// Whether anything changes.
    pub changes: bool,
}

/// What a request to enable comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enable {
    /// In use from now on.
    Enabled {
        /// Whether anything changes.
        changes: bool,
    },
    /// It stays stopped.
    Refused(RefusalReason),
}

/// Stopping takes power away, so any relying party may, at any time. A second stop changes nothing, except that
/// `stolen` overrules every other reason: it is the one without a way back.
#[must_use]
pub fn stop(state: State, reason: StopReason, by: PartyId) -> Stop {
    match state {
        State::Stopped { reason: held, .. }
            if held == StopReason::Stolen || reason != StopReason::Stolen =>
        {
            Stop {
                state,
                reason: held,
                changes: false,
            }
        }
        _ => Stop {
            state: State::Stopped { reason, by },
            reason,
            changes: true,
        },
    }
}

/// Enabling gives power back: only the relying party that stopped may, and never after a theft.
#[must_use]
pub fn enable(state: State, by: PartyId) -> Enable {
    match state {
        State::Enabled => Enable::Enabled { changes: false },
        State::Stopped {
            reason: StopReason::Stolen,
            ..
        } => Enable::Refused(RefusalReason::Stolen),
        State::Stopped { by: stopped_by, .. } if stopped_by != by => {
            Enable::Refused(RefusalReason::StoppedByAnother)
        }
        State::Stopped { .. } => Enable::Enabled { changes: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANK: PartyId = PartyId(1);
    const OTHER: PartyId = PartyId(2);
    const REASONS: [StopReason; 5] = [
        StopReason::Lost,
        StopReason::Stolen,
        StopReason::Replaced,
        StopReason::Left,
        StopReason::Other,
    ];

    fn stopped(reason: StopReason) -> State {
        State::Stopped { reason, by: BANK }
    }

    #[test]
    fn a_stolen_token_never_comes_back() {
        assert_eq!(
            enable(stopped(StopReason::Stolen), BANK),
            Enable::Refused(RefusalReason::Stolen)
        );
    }

    #[test]
    fn every_other_stop_is_taken_back_by_whom_it_came_from_and_by_nobody_else() {
        for reason in REASONS
            .into_iter()
            .filter(|reason| *reason != StopReason::Stolen)
        {
            assert_eq!(
                enable(stopped(reason), BANK),
                Enable::Enabled { changes: true }
            );
            assert_eq!(
                enable(stopped(reason), OTHER),
                Enable::Refused(RefusalReason::StoppedByAnother)
            );
        }
        assert_eq!(
            enable(State::Enabled, OTHER),
            Enable::Enabled { changes: false }
        );
    }

    #[test]
    fn the_first_reason_holds_unless_a_later_one_says_stolen() {
        for first in REASONS {
            assert_eq!(stop(State::Enabled, first, BANK).state, stopped(first));
            for second in REASONS {
                let decision = stop(stopped(first), second, OTHER);
                let held = if second == StopReason::Stolen {
                    second
                } else {
                    first
                };
                assert_eq!(decision.reason, held);
                assert_eq!(decision.changes, held != first);
            }
        }
    }
}
