//! When a mail that could not be sent is tried again (rule B14).

use jiff::SignedDuration;

/// After the first failure.
const FIRST: SignedDuration = SignedDuration::from_mins(1);

/// The longest pause between two tries.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// The sum of the pauses after which a mail is given up. Pauses are summed, not the time that passed: a mail that waited
/// while the program was off gets all its tries.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);

/// How long to wait after so many failures (at least one): 1, 2, 4 … minutes, at most six hours; `None` when the mail is
/// given up, after three days of tries.
#[must_use]
pub fn pause(failures: u32) -> Option<SignedDuration> {
    let mut pause = FIRST;
    let mut waited = SignedDuration::ZERO;
    for _ in 1..failures {
        waited = waited.checked_add(pause)?;
        if waited >= PATIENCE {
            return None;
        }
        pause = pause.checked_mul(2)?.min(LONGEST);
    }
    // The last try is at the end of the three days.
    Some(pause.min(PATIENCE.checked_sub(waited)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_end_after_three_days() {
        let pauses: Vec<i64> = (1..)
            .map_while(pause)
            .map(|pause| pause.as_mins())
            .collect();
        let doubled = [1, 2, 4, 8, 16, 32, 64, 128, 256];
        assert_eq!(pauses[..9], doubled);
        assert_eq!(pauses[9..19], [360; 10]);
        assert_eq!(pauses[19..], [3 * 24 * 60 - 511 - 3_600]);
        assert_eq!(pauses.iter().sum::<i64>(), 3 * 24 * 60);
        assert_eq!(pause(u32::MAX), None);
    }
}
