//! How an answer stands in the audit trail, so that the same request gets the same answer again (rules S7 and S9).

use warifu_wire::{
    EnableAnswer, RefusalReason, ResyncAnswer, StopAnswer, StopReason, UnlockAnswer, ValidateAnswer,
};

use warifu_oath::TimeStep;

use crate::audit::{Kind, Outcome};

/// An answer to a relying party that its audit row holds whole.
pub trait Recorded: Sized {
    /// The kind of its audit row.
    const KIND: Kind;

    /// The outcome and the detail of its audit row.
    fn record(&self) -> (Outcome, i64);

    /// The answer that a row of this kind holds; `None` for a row that no version of this program wrote.
    fn recall(outcome: Outcome, detail: i64) -> Option<Self>;
}

impl Recorded for ValidateAnswer {
    const KIND: Kind = Kind::Validated;

    fn record(&self) -> (Outcome, i64) {
        match self {
            Self::Accepted => (Outcome::Accepted, 0),
            Self::Rejected { tries_left } => (Outcome::Rejected, i64::from(*tries_left)),
            Self::Replayed => (Outcome::Replayed, 0),
            Self::Locked => (Outcome::Locked, 0),
            Self::Stopped => (Outcome::Stopped, 0),
            Self::ResyncNeeded => (Outcome::ResyncNeeded, 0),
        }
    }

    fn recall(outcome: Outcome, detail: i64) -> Option<Self> {
        Some(match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::Rejected => Self::Rejected {
                tries_left: u8::try_from(detail).ok()?,
            },
            Outcome::Replayed => Self::Replayed,
            Outcome::Locked => Self::Locked,
            Outcome::Stopped => Self::Stopped,
            Outcome::ResyncNeeded => Self::ResyncNeeded,
            Outcome::Done | Outcome::Refused => return None,
        })
    }
}

/// The detail of an accepted code's row: which step it spent, and the token's drift from then on, in steps. The answer
/// does not need it; whoever has only the trail can tell from it what is spent (rules S3 and S9).
#[must_use]
pub fn spent_to_stored(step: TimeStep, drift: i16) -> i64 {
    step.0 * STEPS_OF_DRIFT + i64::from(drift) - i64::from(i16::MIN)
}

/// The step and the drift that an accepted code's row holds; `None` for a row without, as versions before wrote them.
#[must_use]
pub fn spent_from_stored(detail: i64) -> Option<(TimeStep, i16)> {
    let drift = detail.rem_euclid(STEPS_OF_DRIFT) + i64::from(i16::MIN);
    let step = TimeStep(detail.div_euclid(STEPS_OF_DRIFT));
    (step.0 > 0).then_some((step, i16::try_from(drift).ok()?))
}

/// How many drifts there are.
const STEPS_OF_DRIFT: i64 = 1 << i16::BITS;

impl Recorded for ResyncAnswer {
    const KIND: Kind = Kind::Resynchronised;

    fn record(&self) -> (Outcome, i64) {
        match self {
            Self::Resynchronised { drift } => (Outcome::Accepted, i64::from(*drift)),
            Self::Rejected { tries_left } => (Outcome::Rejected, i64::from(*tries_left)),
            Self::Replayed => (Outcome::Replayed, 0),
            Self::Locked => (Outcome::Locked, 0),
            Self::Stopped => (Outcome::Stopped, 0),
        }
    }

    fn recall(outcome: Outcome, detail: i64) -> Option<Self> {
        Some(match outcome {
            Outcome::Accepted => Self::Resynchronised {
                drift: i16::try_from(detail).ok()?,
            },
            Outcome::Rejected => Self::Rejected {
                tries_left: u8::try_from(detail).ok()?,
            },
            Outcome::Replayed => Self::Replayed,
            Outcome::Locked => Self::Locked,
            Outcome::Stopped => Self::Stopped,
            Outcome::Done | Outcome::Refused | Outcome::ResyncNeeded => return None,
        })
    }
}

impl Recorded for StopAnswer {
    const KIND: Kind = Kind::Stopped;

    fn record(&self) -> (Outcome, i64) {
        let Self::Stopped { reason } = self;
        (Outcome::Done, reason_to_stored(*reason))
    }

    fn recall(outcome: Outcome, detail: i64) -> Option<Self> {
        (outcome == Outcome::Done).then_some(Self::Stopped {
            reason: reason_from_stored(detail)?,
        })
    }
}

impl Recorded for EnableAnswer {
    const KIND: Kind = Kind::Enabled;

    fn record(&self) -> (Outcome, i64) {
        match self {
            Self::Enabled => (Outcome::Done, 0),
            Self::Refused {
                reason: RefusalReason::Stolen,
            } => (Outcome::Refused, 1),
            Self::Refused {
                reason: RefusalReason::StoppedByAnother,
            } => (Outcome::Refused, 2),
        }
    }

    fn recall(outcome: Outcome, detail: i64) -> Option<Self> {
        match (outcome, detail) {
            (Outcome::Done, _) => Some(Self::Enabled),
            (Outcome::Refused, 1) => Some(Self::Refused {
                reason: RefusalReason::Stolen,
            }),
            (Outcome::Refused, 2) => Some(Self::Refused {
                reason: RefusalReason::StoppedByAnother,
            }),
            _ => None,
        }
    }
}

impl Recorded for UnlockAnswer {
    const KIND: Kind = Kind::Unlocked;

    fn record(&self) -> (Outcome, i64) {
        (Outcome::Done, 0)
    }

    fn recall(outcome: Outcome, _: i64) -> Option<Self> {
        (outcome == Outcome::Done).then_some(Self::Unlocked)
    }
}

/// The number of a reason in storage.
#[must_use]
pub fn reason_to_stored(reason: StopReason) -> i64 {
    match reason {
        StopReason::Lost => 1,
        StopReason::Stolen => 2,
        StopReason::Replaced => 3,
        StopReason::Left => 4,
        StopReason::Other => 5,
    }
}

/// The reason of a stored number.
#[must_use]
pub fn reason_from_stored(stored: i64) -> Option<StopReason> {
    [
        StopReason::Lost,
        StopReason::Stolen,
        StopReason::Replaced,
        StopReason::Left,
        StopReason::Other,
    ]
    .into_iter()
    .find(|reason| reason_to_stored(*reason) == stored)
}

/// The word of a reason, as the wire says it.
#[must_use]
pub fn reason_word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Lost => "lost",
        StopReason::Stolen => "stolen",
        StopReason::Replaced => "replaced",
        StopReason::Left => "left",
        StopReason::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<T: Recorded + PartialEq + std::fmt::Debug>(answer: T) {
        let (outcome, detail) = answer.record();
        assert_eq!(T::recall(outcome, detail), Some(answer));
    }

    #[test]
    fn every_answer_is_told_again_from_its_audit_row() {
        let validate = [
            ValidateAnswer::Accepted,
            ValidateAnswer::Rejected { tries_left: 4 },
            ValidateAnswer::Replayed,
            ValidateAnswer::Locked,
            ValidateAnswer::Stopped,
            ValidateAnswer::ResyncNeeded,
        ];
        validate.into_iter().for_each(survives);
        let resync = [
            ResyncAnswer::Resynchronised { drift: -17 },
            ResyncAnswer::Rejected { tries_left: 0 },
            ResyncAnswer::Replayed,
            ResyncAnswer::Locked,
            ResyncAnswer::Stopped,
        ];
        resync.into_iter().for_each(survives);
        for reason in (1..=5).filter_map(reason_from_stored) {
            survives(StopAnswer::Stopped { reason });
            assert_eq!(
                serde_json::to_string(&reason).unwrap(),
                format!("\"{}\"", reason_word(reason))
            );
        }
        survives(EnableAnswer::Enabled);
        survives(EnableAnswer::Refused {
            reason: RefusalReason::Stolen,
        });
        survives(EnableAnswer::Refused {
            reason: RefusalReason::StoppedByAnother,
        });
        survives(UnlockAnswer::Unlocked);
    }

    #[test]
    fn what_an_accepted_code_spent_is_told_from_its_audit_row() {
        for step in [1, 59_667_000, i64::from(u32::MAX)] {
            for drift in [i16::MIN, -10, 0, 3, i16::MAX] {
                let stored = spent_to_stored(TimeStep(step), drift);
                assert_eq!(spent_from_stored(stored), Some((TimeStep(step), drift)));
            }
        }
        assert_eq!(spent_from_stored(0), None);
    }

    #[test]
    fn a_row_that_nobody_wrote_is_no_answer() {
        assert_eq!(ValidateAnswer::recall(Outcome::Done, 0), None);
        assert_eq!(ValidateAnswer::recall(Outcome::Rejected, -1), None);
        assert_eq!(StopAnswer::recall(Outcome::Done, 6), None);
    }
}
