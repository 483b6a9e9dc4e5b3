use std::sync::atomic::{AtomicU64, Ordering};

use hkdf::Hkdf;
use sha2::Sha256;
use warifu::ambient::{Clock as _, SystemClock, SystemEntropy, random};
use warifu_credentials::credential_id::CredentialId;
use warifu_oath::{Algorithm, Code, Digits, Generator, Period, TimeStep};
use warifu_wire::{Base64Url, Platform, ProvisionAnswer, ProvisionRequest};
use x25519_dalek::{PublicKey, StaticSecret};

use super::START;

/// A token in a customer's hand, written apart from the service's code.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) id: CredentialId,
    pub(crate) secret: [u8; 32],
    generator: Generator,
}

/// The device's half of an exchange that has begun.
pub(crate) struct Beginning(StaticSecret);

impl Beginning {
    pub(crate) fn new() -> Self {
        Self(StaticSecret::from(*random::<32>(&SystemEntropy)))
    }

    pub(crate) fn request(&self, platform: Platform) -> ProvisionRequest {
        ProvisionRequest {
            public_key: Base64Url(PublicKey::from(&self.0).to_bytes()),
            platform,
        }
    }

    pub(crate) fn end(self, answer: &ProvisionAnswer) -> Token {
        let shared = self
            .0
            .diffie_hellman(&PublicKey::from(answer.service_public_key.0));
        let mut secret = [0; 32];
        Hkdf::<Sha256>::new(Some(answer.credential_id.as_bytes()), shared.as_bytes())
            .expand(b"warifu totp v1", &mut secret)
            .unwrap();
        Token {
            id: answer.credential_id.parse().unwrap(),
            secret,
            generator: Generator::from_bytes(&secret, Algorithm::Sha256, Digits::SIX).unwrap(),
        }
    }
}

impl Token {
    pub(crate) fn code(&self, step: TimeStep) -> Code {
        self.generator.totp(step)
    }

    /// The code as it is sent.
    pub(crate) fn text(&self, step: TimeStep) -> String {
        self.code(step).to_string()
    }

    /// Whether each of the steps has a code of its own. Six digits are the same for two of 83 steps, which is what is
    /// searched and one more on either side, in one token of 300.
    pub(crate) fn tells_apart(&self, steps: impl Iterator<Item = TimeStep>) -> bool {
        let mut codes: Vec<_> = steps.map(|step| self.text(step)).collect();
        codes.sort_unstable();
        codes.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// Codes that are right for no step near `now`, all different.
    pub(crate) fn wrong_codes(&self, now: TimeStep) -> impl Iterator<Item = Code> {
        let right: Vec<_> = (-60..=60)
            .map(|offset| self.text(now.offset(offset)))
            .collect();
        (0..1_000_000)
            .map(|number| format!("{number:06}"))
            .filter(move |code| !right.contains(code))
            .map(|code| Code::parse(&code).unwrap())
    }

    pub(crate) fn wrong_code(&self, now: TimeStep) -> Code {
        self.wrong_codes(now).next().unwrap()
    }
}

/// The time step of the machine's clock.
pub(crate) fn now_step() -> TimeStep {
    TimeStep::from_unix_seconds(SystemClock.now().as_second(), Period::DEFAULT)
}

static KEYS: AtomicU64 = AtomicU64::new(1);

/// A name for a new request: of two one is a UUID of version 7, which tells when it was made.
pub(crate) fn fresh_key() -> String {
    let number = KEYS.fetch_add(1, Ordering::Relaxed);
    if number.is_multiple_of(2) {
        timed_key(number)
    } else {
        format!("key-{number}")
    }
}

/// A UUID of version 7, each another, some of them of the same second.
pub(crate) fn timed_key(number: u64) -> String {
    let millis = START.unsigned_abs() * 1_000 + number;
    let (high, low) = (millis >> 16, millis & 0xffff);
    format!("{high:08x}-{low:04x}-7000-8000-{number:012x}")
}
