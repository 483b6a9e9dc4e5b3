//! Which code a token shows next, so that the server must accept it by the wall clock.
//!
//! A token whose clock runs ahead is followed step by step: a code of the step after the last accepted one is accepted
//! as long as it is within one step of the drift that the server learned, up to ten steps (rule S4). So a credential
//! gives some ten codes at once and one more every 30 seconds, all of them right and none of them twice.

use warifu_credentials::credential::{LEARNED_DRIFT_LIMIT, WINDOW};
use warifu_credentials::{Code, Generator, TimeStep};

/// The code that was given last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Its step.
    pub step: TimeStep,
    /// The server's step just before; it may have been one later when the code came.
    pub at: TimeStep,
    /// Whether it is known that the code was taken.
    pub taken: bool,
}

impl Given {
    fn drift(self) -> i64 {
        (self.step.0 - self.at.0).clamp(-LEARNED_DRIFT_LIMIT, LEARNED_DRIFT_LIMIT)
    }
}

/// A step that is accepted now and also one step later, whichever of both the server finds on its clock; none while there
/// is no new code.
#[must_use]
pub fn next(last: Option<Given>, now: TimeStep) -> Option<TimeStep> {
    let Some(last) = last else {
        return Some(now);
    };
    let center = now.offset(last.drift());
    if !last.taken {
        // Taken or not, the server's drift is within one step of this: only time leads on from here.
        return (center > last.step).then_some(center);
    }
    let step = center.max(last.step.offset(1));
    (step <= center.offset(WINDOW)).then_some(step)
}

/// The code of a step, unless it is also that of a later step that the server may find in its window: which of them it
/// spent could not be told.
#[must_use]
pub fn clear_code(generator: &Generator, step: TimeStep) -> Option<Code> {
    let code = generator.totp(step);
    (1..=2 * WINDOW + 1)
        .all(|later| generator.totp(step.offset(later)) != code)
        .then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(step: i64, at: i64, taken: bool) -> Option<Given> {
        let (step, at) = (TimeStep(step), TimeStep(at));
        Some(Given { step, at, taken })
    }

    #[test]
    fn a_token_gives_some_ten_codes_at_once_and_none_twice() {
        let now = TimeStep(1_000);
        let (mut last, mut steps) = (None, Vec::new());
        while let Some(step) = next(last, now) {
            steps.push(step.0);
            last = given(step.0, now.0, true);
        }
        let expected: Vec<_> = (1_000..=1_000 + LEARNED_DRIFT_LIMIT + WINDOW).collect();
        assert_eq!(steps, expected);
        assert_eq!(
            next(last, TimeStep(1_001)),
            Some(TimeStep(1_001 + LEARNED_DRIFT_LIMIT + WINDOW))
        );
    }

    #[test]
    fn after_a_code_whose_fate_is_unknown_only_time_brings_the_next() {
        let last = given(1_003, 1_000, false);
        assert_eq!(next(last, TimeStep(1_000)), None);
        assert_eq!(next(last, TimeStep(1_001)), Some(TimeStep(1_004)));
    }
}
