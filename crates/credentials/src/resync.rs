//! Two codes in a row tell how far a token's clock is off (rule S4).

use warifu_oath::{Code, Generator, TimeStep};

use crate::credential::{RESYNC_REACH, Standing};

/// What two codes in a row are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both right, in a row and unused: spend `step`, the second one's, and keep `drift`.
    Resynchronised {
        /// The step to spend.
        step: TimeStep,
        /// The drift from now on, in steps; up to [`RESYNC_REACH`] either way.
        drift: i16,
    },
    /// Not two codes in a row within reach: count one failure.
    Rejected,
    /// Right and in a row, but not newer than what is spent; not counted.
    Replayed,
}

/// Judges two codes at the service's step `now`, for a standing that is not [`crate::validate::closed`].
#[must_use]
pub fn judge(
    standing: &Standing,
    generator: &Generator,
    first: &Code,
    second: &Code,
    now: TimeStep,
) -> Verdict {
    let newest = now.offset(RESYNC_REACH);
    let oldest = now.offset(-RESYNC_REACH);
    // Every pair is computed, also after a hit, so that the time does not tell where the token's clock stands.
    let pair = (oldest.0..newest.0)
        .map(TimeStep)
        .filter(|step| {
            (generator.totp(*step) == *first) & (generator.totp(step.offset(1)) == *second)
        })
        .map(|step| step.offset(1))
        .max();
    match pair {
        None => Verdict::Rejected,
        // Both must be unused: the first is the older of the two.
        Some(step) if step.offset(-1) <= standing.last_step => Verdict::Replayed,
        Some(step) => {
            let drift = i16::try_from(step.0.saturating_sub(now.0)).unwrap_or(standing.drift);
            Verdict::Resynchronised { step, drift }
        }
    }
}

#[cfg(test)]
mod tests {
    use warifu_oath::{Algorithm, Digits};

    use super::*;
    use crate::credential::State;

    const NOW: TimeStep = TimeStep(60_000_000);

    fn generator() -> Generator {
        Generator::from_bytes(
            b"thirty-two bytes of the secret..",
            Algorithm::Sha256,
            Digits::SIX,
        )
        .unwrap()
    }

    fn judge_offsets(last: i64, first: i64, second: i64) -> Verdict {
        let standing = Standing {
            state: State::Enabled,
            last_step: NOW.offset(last),
            drift: 0,
            failures: 0,
        };
        let code = |offset| generator().totp(NOW.offset(offset));
        judge(&standing, &generator(), &code(first), &code(second), NOW)
    }

    #[test]
    fn two_codes_in_a_row_inside_twenty_steps_are_learned() {
        for second in -19..=20_i64 {
            let drift = i16::try_from(second).unwrap();
            let expected = Verdict::Resynchronised {
                step: NOW.offset(second),
                drift,
            };
            assert_eq!(judge_offsets(-1000, second - 1, second), expected);
        }
        assert_eq!(judge_offsets(-1000, 20, 21), Verdict::Rejected);
        assert_eq!(judge_offsets(-1000, -21, -20), Verdict::Rejected);
    }

    #[test]
    fn codes_that_are_not_in_a_row_are_one_failure() {
        for (first, second) in [(3, 3), (4, 3), (3, 5), (-3, 4)] {
            assert_eq!(judge_offsets(-1000, first, second), Verdict::Rejected);
        }
    }

    #[test]
    fn codes_of_the_past_are_replayed_so_that_a_resync_reopens_nothing() {
        assert_eq!(judge_offsets(0, -1, 0), Verdict::Replayed);
        assert_eq!(judge_offsets(0, 0, 1), Verdict::Replayed);
        assert_eq!(
            judge_offsets(0, 1, 2),
            Verdict::Resynchronised {
                step: NOW.offset(2),
                drift: 2
            }
        );
    }
}
