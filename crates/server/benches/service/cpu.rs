//! One validation in one thread, beside the three HMACs that it cannot do without.

use std::hint::black_box;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use warifu::ambient::{Clock as _, SystemClock, stopwatch};
use warifu::store::{credential, settle};
use warifu_credentials::credential::State;
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::Keyring;
use warifu_credentials::party::PartyId;
use warifu_credentials::validate::{Verdict, closed, judge};
use warifu_credentials::{Algorithm, Digits, Period, TimeStep};
use warifu_wire::Platform;

use crate::credentials::{self, Tokens};
use crate::{Result, database};

const STEP: TimeStep = TimeStep(60_000_000);

/// Nanoseconds of each piece.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct CpuFigures {
    /// Three HMAC-SHA-256 with the key ready.
    pub(crate) hmac_ns: f64,
    /// The same, with the key taken in once.
    pub(crate) keyed_hmac_ns: f64,
    /// One validation: the seal opened, the key taken in, three codes made and compared, the verdict.
    pub(crate) validation_ns: f64,
    /// What the driver does for one validation: secret, code, request key, digest and fingerprint.
    pub(crate) driver_ns: f64,
}

/// Measures all pieces in turn and takes the medians.
pub(crate) fn measure(quick: bool) -> Result<CpuFigures> {
    println!("CPU of one validation, one thread");
    let keyring = Keyring::parse(&database::new_key())?;
    let id = CredentialId::nth(Platform::Cli, 12_345_678);
    let stored = stored(&keyring, id)?;
    let code = credentials::code(id, STEP)?;
    let secret = *credentials::seed().secret(id);
    let keyed = Hmac::<Sha256>::new_from_slice(&secret)?;
    let tokens = Tokens {
        ids: credentials::ids(10_000),
        party: PartyId(1),
        keyring: std::sync::Arc::new(Keyring::parse(&database::new_key())?),
        digester: warifu_credentials::request::RequestDigester::new(zeroize::Zeroizing::new(
            [7; 32],
        )),
        purpose: credentials::PURPOSE.parse()?,
    };
    let mut turn = 0;
    let mut times: [Vec<Duration>; 4] = Default::default();
    let [hmac, absorbed, validation, driver] = &mut times;
    for _ in 0..if quick { 9 } else { 31 } {
        hmac.push(time(|| three(black_box(&keyed)))?);
        absorbed.push(time(|| {
            three(&Hmac::<Sha256>::new_from_slice(black_box(&secret))?)
        })?);
        validation.push(time(|| {
            let standing = settle::standing(black_box(&stored), 0);
            let generator =
                settle::generator(&keyring, &stored).map_err(|refusal| format!("{refusal:?}"))?;
            match closed(&standing)
                .unwrap_or_else(|| judge(&standing, &generator, black_box(&code), STEP))
            {
                Verdict::Accepted { .. } => Ok(()),
                other => Err(format!("a right code was judged {other:?}").into()),
            }
        })?);
        driver.push(time(|| {
            turn += 1;
            black_box(tokens.validation(turn)?);
            Ok(())
        })?);
    }
    let [hmac_ns, keyed_hmac_ns, validation_ns, driver_ns] = times.map(|mut times| {
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        median.as_secs_f64() * 1e9 / f64::from(REPEATS)
    });
    Ok(CpuFigures {
        hmac_ns,
        keyed_hmac_ns,
        validation_ns,
        driver_ns,
    })
}

/// How often a piece is done between two looks at the clock.
const REPEATS: u32 = 10_000;

fn time(mut piece: impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = stopwatch();
    for _ in 0..REPEATS {
        piece()?;
    }
    Ok(start.elapsed())
}

fn three(keyed: &Hmac<Sha256>) -> Result<()> {
    for counter in 60_000_000_u64..60_000_003 {
        let mut mac = keyed.clone();
        mac.update(&counter.to_be_bytes());
        black_box(mac.finalize().into_bytes());
    }
    Ok(())
}

/// A credential as the database would give it.
fn stored(keyring: &Keyring, id: CredentialId) -> Result<credential::Stored> {
    Ok(credential::Stored {
        id,
        state: State::Enabled,
        algorithm: Algorithm::Sha256,
        digits: Digits::SIX,
        period: Period::DEFAULT,
        sealed: credentials::sealed(keyring, id)?.as_bytes().to_vec(),
        key_version: keyring.newest(),
        last_step: STEP.offset(-5),
        last_accepted_at: None,
        drift: 0,
        provisioned_at: SystemClock.now(),
    })
}
