//! Is this code good, here and now? (rules S2 to S5)

use warifu_oath::{Code, Generator, TimeStep};

use crate::credential::{LEARNED_DRIFT_LIMIT, RESYNC_REACH, Standing, State, WINDOW};

/// What a code is worth at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Right and unused: spend `step` and keep `drift`.
    Accepted {
        /// The step to spend.
        step: TimeStep,
        /// The drift from now on, in steps.
        drift: i16,
    },
    /// Wrong: count it.
    Rejected,
    /// Right, but its step or a newer one is spent; not counted.
    Replayed,
    /// Too many wrong codes in a row; the code was not looked at.
    Locked,
    /// The credential is stopped; the code was not looked at.
    Stopped,
    /// Right for a step outside the window and inside the resync's reach; not counted.
    ResyncNeeded,
}

/// Whether a code can be looked at at all: the verdict where it cannot, before any secret is opened.
#[must_use]
pub fn closed(standing: &Standing) -> Option<Verdict> {
    match standing.state {
        State::Stopped { .. } => Some(Verdict::Stopped),
        State::Enabled if standing.locked() => Some(Verdict::Locked),
        State::Enabled => None,
    }
}

/// Judges `code` at the service's step `now`, for a standing that is not [`closed`].
#[must_use]
pub fn judge(standing: &Standing, generator: &Generator, code: &Code, now: TimeStep) -> Verdict {
    let center = now.offset(i64::from(standing.drift));
    let window = center.offset(-WINDOW).0..=center.offset(WINDOW).0;
    // The newest matching step counts: should the same digits stand for two steps, the older is then spent as well.
    if let Some(step) = newest_match(generator, code, window.clone()) {
        return if step > standing.last_step {
            Verdict::Accepted {
                step,
                drift: learned(standing.drift, step, now),
            }
        } else {
            Verdict::Replayed
        };
    }
    let reach = now.offset(-RESYNC_REACH).0..=now.offset(RESYNC_REACH).0;
    match newest_match(generator, code, reach) {
        Some(step) if step > standing.last_step => Verdict::ResyncNeeded,
        Some(_) => Verdict::Replayed,
        None => Verdict::Rejected,
    }
}

fn newest_match(
    generator: &Generator,
    code: &Code,
    steps: std::ops::RangeInclusive<i64>,
) -> Option<TimeStep> {
    generator.find_step(code, steps.rev().map(TimeStep))
}

/// The drift after an acceptance: where the token was seen, but never moved beyond the limit of what validations
/// may teach; a larger drift comes from a resync alone.
fn learned(before: i16, step: TimeStep, now: TimeStep) -> i16 {
    let seen = step.0.saturating_sub(now.0);
    let limit = LEARNED_DRIFT_LIMIT.max(i64::from(before).abs());
    i16::try_from(seen.clamp(-limit, limit)).unwrap_or(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warifu_oath::{Algorithm, Digits};
    use warifu_wire::StopReason;

    use super::*;
    use crate::credential::FAILURE_LIMIT;
    use crate::party::PartyId;

    const NOW: TimeStep = TimeStep(60_000_000);

    fn generator() -> Generator {
        Generator::from_bytes(
            b"thirty-two bytes of the secret..",
            Algorithm::Sha256,
            Digits::SIX,
        )
        .unwrap()
    }

    fn standing(drift: i16) -> Standing {
        Standing {
            state: State::Enabled,
            last_step: TimeStep(0),
            drift,
            failures: 0,
        }
    }

    fn judge_offset(standing: &Standing, offset: i64) -> Verdict {
        judge(
            standing,
            &generator(),
            &generator().totp(NOW.offset(offset)),
            NOW,
        )
    }

    #[test]
    fn the_window_is_one_step_around_the_drifted_clock() {
        for drift in [-10_i16, -3, 0, 7, 10] {
            for offset in -25..=25_i64 {
                let verdict = judge_offset(&standing(drift), offset);
                let expected_in_window = (offset - i64::from(drift)).abs() <= WINDOW;
                assert_eq!(
                    matches!(verdict, Verdict::Accepted { .. }),
                    expected_in_window,
                    "{drift} {offset}"
                );
                if !expected_in_window {
                    let far = if offset.abs() <= RESYNC_REACH {
                        Verdict::ResyncNeeded
                    } else {
                        Verdict::Rejected
                    };
                    assert_eq!(verdict, far, "{drift} {offset}");
                }
            }
        }
    }

    #[test]
    fn a_spent_or_overtaken_code_is_replayed_and_not_counted() {
        let spent = Standing {
            last_step: NOW,
            ..standing(0)
        };
        assert_eq!(judge_offset(&spent, 0), Verdict::Replayed);
        assert_eq!(judge_offset(&spent, -1), Verdict::Replayed);
        assert_eq!(judge_offset(&spent, -15), Verdict::Replayed);
        assert_eq!(
            judge_offset(&spent, 1),
            Verdict::Accepted {
                step: NOW.offset(1),
                drift: 1
            }
        );
    }

    #[test]
    fn validations_teach_a_drift_of_ten_steps_at_most_and_keep_a_larger_one_from_a_resync() {
        assert_eq!(
            judge_offset(&standing(10), 11),
            Verdict::Accepted {
                step: NOW.offset(11),
                drift: 10
            }
        );
        assert_eq!(
            judge_offset(&standing(-10), -11),
            Verdict::Accepted {
                step: NOW.offset(-11),
                drift: -10
            }
        );
        assert_eq!(
            judge_offset(&standing(15), 16),
            Verdict::Accepted {
                step: NOW.offset(16),
                drift: 15
            }
        );
        assert_eq!(
            judge_offset(&standing(15), 14),
            Verdict::Accepted {
                step: NOW.offset(14),
                drift: 14
            }
        );
        assert_eq!(
            judge_offset(&standing(1), 0),
            Verdict::Accepted {
                step: NOW,
                drift: 0
            }
        );
    }

    #[test]
    fn a_stopped_or_locked_credential_is_closed_before_any_code_is_looked_at() {
        let stopped = State::Stopped {
            reason: StopReason::Lost,
            by: PartyId(1),
        };
        assert_eq!(
            closed(&Standing {
                state: stopped,
                ..standing(0)
            }),
            Some(Verdict::Stopped)
        );
        assert_eq!(
            closed(&Standing {
                failures: FAILURE_LIMIT,
                ..standing(0)
            }),
            Some(Verdict::Locked)
        );
        assert_eq!(
            closed(&Standing {
                failures: FAILURE_LIMIT - 1,
                ..standing(0)
            }),
            None
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_codes_is_accepted_twice_or_backwards(offsets in proptest::collection::vec(-25..25_i64, 1..60)) {
            let mut standing = standing(0);
            let mut now = NOW;
            for (turn, offset) in offsets.into_iter().enumerate() {
                if turn % 7 == 0 {
                    now = now.offset(1);
                }
                let code = generator().totp(now.offset(offset));
                if let Verdict::Accepted { step, drift } = judge(&standing, &generator(), &code, now) {
                    prop_assert!(step > standing.last_step);
                    prop_assert!(i64::from(drift).abs() <= LEARNED_DRIFT_LIMIT);
                    standing.last_step = step;
                    standing.drift = drift;
                    prop_assert_eq!(judge(&standing, &generator(), &code, now), Verdict::Replayed);
                }
            }
        }
    }
}
