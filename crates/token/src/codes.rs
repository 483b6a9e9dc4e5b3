use jiff::{SignedDuration, Timestamp};
use warifu_oath::{Algorithm, Code, Digits, Generator, Period, TimeStep};

use crate::Secret;

/// What a token shows at one moment (rules T2 and T3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The number of the running time step (RFC 6238 §4.2).
    pub step: i64,
    /// The code of the running time step.
    pub code: Code,
    /// The code of the next one.
    pub next: Code,
    /// How long the code is still good: more than zero, at most 30 s.
    pub valid_for: SignedDuration,
}

/// No code can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodesError {
    /// The clock stands before 1970, where RFC 6238 has no time steps.
    #[error("the clock stands before 1970")]
    BeforeEpoch,
    /// The generator refused the secret.
    #[error("the code could not be computed")]
    Generator,
}

impl Codes {
    /// The codes at `now`, which is already corrected (rule T6).
    ///
    /// # Errors
    /// When `now` is before 1970.
    pub fn at(secret: &Secret, now: Timestamp) -> Result<Self, CodesError> {
        if now < Timestamp::UNIX_EPOCH {
            return Err(CodesError::BeforeEpoch);
        }
        let generator = Generator::from_bytes(secret.bytes(), Algorithm::Sha256, Digits::SIX)
            .map_err(|_| CodesError::Generator)?;
        let step = TimeStep::from_unix_seconds(now.as_second(), Period::DEFAULT);
        let next = step.offset(1);
        let ends = SignedDuration::from_secs(next.start_unix_seconds(Period::DEFAULT));
        Ok(Self {
            step: step.0,
            code: generator.totp(step),
            next: generator.totp(next),
            valid_for: ends - now.as_duration(),
        })
    }

    /// [`Codes::valid_for`] in whole seconds, rounded up: 30 to 1, never 0.
    #[must_use]
    pub fn seconds_left(&self) -> u8 {
        u8::try_from((self.valid_for.as_millis() + 999) / 1000).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn secret() -> Secret {
        Secret::from_bytes(Zeroizing::new(*b"12345678901234567890123456789012"))
    }

    fn codes_at(time: &str) -> Codes {
        Codes::at(&secret(), time.parse().unwrap()).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238 appendix B, SHA-256, the last six of the eight digits.
        for (time, code) in [
            ("1970-01-01T00:00:59Z", "119246"),
            ("2005-03-18T01:58:29Z", "084774"),
            ("2005-03-18T01:58:31Z", "062674"),
            ("2009-02-13T23:31:30Z", "819424"),
            ("2033-05-18T03:33:20Z", "698825"),
            ("2603-10-11T11:33:20Z", "737706"),
        ] {
            assert_eq!(codes_at(time).code.to_string(), code, "{time}");
        }
    }

    #[test]
    fn the_next_code_is_the_code_of_the_next_step() {
        assert_eq!(
            codes_at("2005-03-18T01:58:29Z").next,
            codes_at("2005-03-18T01:58:31Z").code
        );
    }

    #[test]
    fn the_seconds_run_from_thirty_to_one_and_never_show_zero() {
        for (time, seconds) in [
            ("2026-04-01T00:00:00Z", 30),
            ("2026-04-01T00:00:00.001Z", 30),
            ("2026-04-01T00:00:20Z", 10),
            ("2026-04-01T00:00:29Z", 1),
            ("2026-04-01T00:00:29.999Z", 1),
            ("2026-04-01T00:00:30Z", 30),
        ] {
            assert_eq!(codes_at(time).seconds_left(), seconds, "{time}");
        }
    }

    #[test]
    fn before_1970_there_is_no_code() {
        let before: Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(Codes::at(&secret(), before), Err(CodesError::BeforeEpoch));
    }

    #[test]
    fn a_code_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", codes_at("1970-01-01T00:00:59Z")).contains("119246"));
    }
}
