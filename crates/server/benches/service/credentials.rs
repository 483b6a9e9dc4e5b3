//! Credentials whose secrets both sides know: the database holds them sealed, the driver makes their codes.

use std::sync::{Arc, OnceLock};

pub(crate) use warifu::bench::sample::{ids, shuffle};

use warifu::bench::sample::Seed;
use warifu::store::settle::Ask;
use warifu::store::validation::Validation;
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::Keyring;
use warifu_credentials::party::PartyId;
use warifu_credentials::purpose::Purpose;
use warifu_credentials::request::{Asked, RequestDigester, RequestKey};
use warifu_credentials::seal::Sealed;
use warifu_credentials::{Code, Period, TimeStep};
use zeroize::Zeroizing;

use crate::Result;

/// The time step of the first codes: in the year 2027.
const FIRST_STEP: TimeStep = TimeStep(60_000_000);

/// From one code of a token to its next. Now and then a code is that of the next step as well, and is accepted as such
/// with a drift of one; a token three steps on is in the window all the same.
const STEPS_A_TURN: i64 = 3;

/// The purpose of every validation.
pub(crate) const PURPOSE: &str = "login";

/// Requests whose keys say the same second.
const KEYS_A_SECOND: u64 = 10_000;

/// When the first key was made, seconds since 1970: later than any of those that the rows of growth have.
const FIRST_KEY: u64 = 1_800_000_000;

/// Whether keys tell no time; set once, before the first key is made.
pub(crate) static RANDOM_KEYS: OnceLock<bool> = OnceLock::new();

/// The second that the key of a row tells, if it tells one, counted from the first row's.
pub(crate) fn second(number: u64) -> Option<u32> {
    let second = u32::try_from(number / KEYS_A_SECOND).ok();
    second.filter(|_| !random_keys())
}

fn random_keys() -> bool {
    RANDOM_KEYS.get().copied().unwrap_or_default()
}

/// The key of a request: a UUID of version 7 of its time, as a bank sends it, unless keys tell none.
pub(crate) fn request_key(number: u64) -> String {
    if random_keys() {
        return format!("bench-{number}");
    }
    let millis = FIRST_KEY * 1_000 + number / (KEYS_A_SECOND / 1_000);
    format!("{millis:012x}70008000{number:012x}")
}

/// What every secret is made of: nothing here is kept from anybody.
pub(crate) fn seed() -> Seed {
    Seed::new(Zeroizing::new([0; 32]))
}

/// The secret of a credential as the database holds it.
pub(crate) fn sealed(keyring: &Keyring, id: CredentialId) -> Result<Sealed> {
    Ok(seed().sealed(keyring, id)?)
}

/// The code of a credential at a step.
pub(crate) fn code(id: CredentialId, step: TimeStep) -> Result<Code> {
    Ok(seed().code(id, step)?)
}

/// Tokens that are asked for codes in turn, each time for the step after the last one.
pub(crate) struct Tokens {
    /// In the order of their turns.
    pub(crate) ids: Vec<CredentialId>,
    /// Who asks.
    pub(crate) party: PartyId,
    /// The master key.
    pub(crate) keyring: Arc<Keyring>,
    /// Names the requests.
    pub(crate) digester: RequestDigester,
    /// What every code is spent on.
    pub(crate) purpose: Purpose,
}

impl Tokens {
    /// The validation of turn `turn`, as the service would build it from a request.
    pub(crate) fn validation(&self, turn: u64) -> Result<Validation> {
        let count = u64::try_from(self.ids.len())?;
        let place = usize::try_from(turn % count)?;
        let id = *self.ids.get(place).ok_or("no credential")?;
        let step = self.step(turn)?;
        let code = code(id, step)?;
        let text = code.to_string();
        let key: RequestKey = request_key(turn).parse()?;
        let asked = Asked::Validate {
            code: &text,
            purpose: self.purpose.as_str(),
        };
        Ok(Validation {
            ask: Ask {
                party: self.party,
                credential: id,
                request: self.digester.digest(self.party, &key),
                fingerprint: self.digester.fingerprint(id, asked),
                now: jiff::Timestamp::from_second(step.start_unix_seconds(Period::DEFAULT))?,
            },
            code,
            purpose: self.purpose.clone(),
            keyring: Arc::clone(&self.keyring),
        })
    }

    /// The step of a turn: each time that all tokens had theirs, a new one begins.
    fn step(&self, turn: u64) -> Result<TimeStep> {
        let count = u64::try_from(self.ids.len())?;
        Ok(FIRST_STEP.offset(i64::try_from(turn / count)? * STEPS_A_TURN))
    }

    /// The sum of the newest steps of all credentials, less their drifts, after so many turns: the step that the
    /// service's clock showed. A credential without a turn has step −1.
    pub(crate) fn sum_of_steps(&self, turns: u64) -> Result<i64> {
        let count = i64::try_from(self.ids.len())?;
        let turns = i64::try_from(turns)?;
        let (full, rest) = (turns / count, turns % count);
        let last = |turns: i64| {
            if turns == 0 {
                -1
            } else {
                FIRST_STEP.0 + (turns - 1) * STEPS_A_TURN
            }
        };
        Ok(rest * last(full + 1) + (count - rest) * last(full))
    }
}
