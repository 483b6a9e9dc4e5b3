//! Steps of time: the moving factor of TOTP and of time-bound OCRA.

use core::num::NonZeroU32;

use thiserror::Error;

/// The length of one time step in seconds, never zero (`X` in RFC 6238 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period(NonZeroU32);

impl Period {
    /// 30 seconds, the default of RFC 6238 section 4.1 and of the key URI.
    pub const DEFAULT: Self = match NonZeroU32::new(30) {
        Some(seconds) => Self(seconds),
        None => Self(NonZeroU32::MIN),
    };

    /// A step of `seconds` seconds.
    ///
    /// # Errors
    /// [`PeriodError`] for zero.
    pub const fn from_seconds(seconds: u32) -> Result<Self, PeriodError> {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Ok(Self(seconds)),
            None => Err(PeriodError),
        }
    }

    /// The length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0.get()
    }
}

impl Default for Period {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A time step would be zero seconds long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a time step of zero seconds: expected 1 to 4294967295 seconds")]
pub struct PeriodError;

/// A count of whole periods since the unix epoch (`T` in RFC 6238 section 4.2, with T0 = 0).
///
/// The unit is one [`Period`], not one second: step 1 of a 30-second period covers the unix
/// seconds 30 to 59. Seconds before 1970 give negative steps; RFC 6238 does not define codes
/// for these, and this crate feeds them to the HMAC as their two's complement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeStep(pub i64);

impl TimeStep {
    /// The step that contains the given unix time in seconds, rounding towards the past.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64, period: Period) -> Self {
        // A u32 widens losslessly and is at least 1, so this cannot overflow.
        Self(seconds.div_euclid(period.seconds() as i64))
    }

    /// The unix time in seconds at which this step begins; saturates at the ends of `i64`.
    #[must_use]
    pub const fn start_unix_seconds(self, period: Period) -> i64 {
        self.0.saturating_mul(period.seconds() as i64)
    }

    /// The step `steps` later (earlier when negative); saturates at the ends of `i64`.
    #[must_use]
    pub const fn offset(self, steps: i64) -> Self {
        Self(self.0.saturating_add(steps))
    }

    /// The steps from `past` before this one to `future` after it, oldest first, this one included.
    ///
    /// This is the window a verifier tolerates for transmission delay and clock drift (RFC 6238
    /// sections 5.2 and 6); `window(1, 1)` is three steps. Near the ends of `i64` it is shorter.
    pub fn window(self, past: u32, future: u32) -> impl Iterator<Item = Self> + Clone + use<> {
        let first = self.offset(-i64::from(past));
        let last = self.offset(i64::from(future));
        (first.0..=last.0).map(Self)
    }

    /// The eight bytes of the moving factor as a number, which RFC 4226 calls the counter.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0.cast_unsigned()
    }
}
