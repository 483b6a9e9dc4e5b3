//! HOTP and TOTP.

use core::fmt;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::mac::MacKey;
use crate::secret::{self, SecretError};
use crate::{Algorithm, Code, Digits, Secret, TimeStep};

/// Makes and finds the codes of one secret (HOTP of RFC 4226, TOTP of RFC 6238).
///
/// The key schedule of the HMAC is done once, on creation: each code after that costs two
/// compressions of the hash and no heap allocation, so searching a window is cheap.
#[derive(Clone)]
pub struct Generator {
    key: MacKey,
    digits: Digits,
}

impl Generator {
    /// A generator for the secret.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm, digits: Digits) -> Self {
        Self {
            key: MacKey::new(algorithm, secret.expose()),
            digits,
        }
    }

    /// A generator for borrowed secret bytes, without an owned copy of them.
    ///
    /// # Errors
    /// [`SecretError`] when there is no byte or more than [`Secret::MAX_LEN`].
    pub fn from_bytes(
        secret: &[u8],
        algorithm: Algorithm,
        digits: Digits,
    ) -> Result<Self, SecretError> {
        secret::check_len(secret)?;
        Ok(Self {
            key: MacKey::new(algorithm, secret),
            digits,
        })
    }

    /// The code for a counter value (RFC 4226 section 5.3).
    #[must_use]
    pub fn hotp(&self, counter: u64) -> Code {
        let truncated = self.key.tag(&[&counter.to_be_bytes()]).truncate();
        Code::from_truncated(truncated, self.digits)
    }

    /// The code for a time step (RFC 6238 section 4.2).
    #[must_use]
    pub fn totp(&self, step: TimeStep) -> Code {
        self.hotp(step.counter())
    }

    /// The first of `counters` whose code is `code` (the look-ahead of RFC 4226 section 7.4).
    ///
    /// Every counter is computed and compared, also after a hit, so the time tells how many
    /// there were and not which one matched. It is up to the caller to offer only counters that
    /// were not used before.
    #[must_use]
    pub fn find_counter(
        &self,
        code: &Code,
        counters: impl IntoIterator<Item = u64>,
    ) -> Option<u64> {
        let mut found = Choice::from(0);
        let mut at = 0_u64;
        for counter in counters {
            let first_hit = self.hotp(counter).ct_eq(code) & !found;
            at.conditional_assign(&counter, first_hit);
            found |= first_hit;
        }
        bool::from(found).then_some(at)
    }

    /// The first of `steps` whose code is `code` (RFC 6238 section 5.2), searched like
    /// [`Generator::find_counter`]. [`TimeStep::window`] makes the usual steps; drop those not
    /// after the last accepted one, since a code is good only once.
    #[must_use]
    pub fn find_step(
        &self,
        code: &Code,
        steps: impl IntoIterator<Item = TimeStep>,
    ) -> Option<TimeStep> {
        let counters = steps.into_iter().map(TimeStep::counter);
        self.find_counter(code, counters)
            .map(|counter| TimeStep(counter.cast_signed()))
    }

    /// The hash under the HMAC.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// How many digits the codes have.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.get();
        write!(
            f,
            "Generator({}, {digits} digits, redacted)",
            self.algorithm()
        )
    }
}
