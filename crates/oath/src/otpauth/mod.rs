//! The key URI, `otpauth://totp/Issuer:account?secret=…`, that a QR code carries into an app.
//!
//! The format is the de-facto one of the Google Authenticator wiki ("Key Uri Format"). Reading
//! accepts what other issuers write; writing spells out every parameter, so no reader has to
//! guess a default, and reading it back gives an equal [`KeyUri`].

mod label;
mod parse;
mod percent;

use alloc::string::String;
use core::fmt::Write;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Algorithm, Digits, Generator, Period, Secret, SecretError};

pub use label::{Label, LabelError};

/// How codes move on (the type of the key URI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `totp`: by time, one code per period.
    Totp(Period),
    /// `hotp`: by counter; the number is that of the next code.
    Hotp(u64),
}

/// Everything an app needs to make codes. Every part is valid by its type, so any value can be
/// written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUri {
    /// By time or by counter.
    pub kind: Kind,
    /// Whose key it is.
    pub label: Label,
    /// The shared secret.
    pub secret: Secret,
    /// The hash under the HMAC; `SHA1` when a URI does not say.
    pub algorithm: Algorithm,
    /// How many digits the codes have; 6 when a URI does not say.
    pub digits: Digits,
}

impl KeyUri {
    /// Writes the URI. It holds the secret, so it is wiped when dropped.
    #[must_use]
    pub fn to_uri(&self) -> Zeroizing<String> {
        let secret = self.secret.to_base32();
        let kind = match self.kind {
            Kind::Totp(_) => "totp",
            Kind::Hotp(_) => "hotp",
        };
        // Three bytes per byte of text and a fixed part below 128: growing would leave unwiped
        // copies of the secret behind.
        let issuer = self.label.issuer().unwrap_or_default();
        let capacity = 128 + secret.len() + 6 * issuer.len() + 3 * self.label.account().len();
        let mut uri = Zeroizing::new(String::with_capacity(capacity));

        uri.push_str("otpauth://");
        uri.push_str(kind);
        uri.push('/');
        if self.label.issuer().is_some() {
            percent::encode_into(issuer, &mut uri);
            uri.push(':');
        }
        percent::encode_into(self.label.account(), &mut uri);
        uri.push_str("?secret=");
        uri.push_str(&secret);
        if self.label.issuer().is_some() {
            uri.push_str("&issuer=");
            percent::encode_into(issuer, &mut uri);
        }
        let (algorithm, digits) = (self.algorithm, self.digits.get());
        // Writing to a `String` cannot fail.
        let _ = write!(uri, "&algorithm={algorithm}&digits={digits}");
        let _ = match self.kind {
            Kind::Totp(period) => write!(uri, "&period={}", period.seconds()),
            Kind::Hotp(counter) => write!(uri, "&counter={counter}"),
        };
        uri
    }

    /// A generator for this key.
    #[must_use]
    pub fn generator(&self) -> Generator {
        Generator::new(&self.secret, self.algorithm, self.digits)
    }
}

/// A text that is not a key URI. It never carries the text itself, which holds the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyUriError {
    /// Not this scheme.
    #[error("expected a URI that starts with `otpauth://`")]
    Scheme,
    /// Neither of the two types.
    #[error("unknown key type: expected `totp` or `hotp`")]
    Kind,
    /// A `%` without two hexadecimal digits, bytes that are not UTF-8, or a raw `#`.
    #[error("malformed percent-encoding: expected UTF-8 with `%` and two hexadecimal digits")]
    Encoding,
    /// The label is malformed.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// Both issuers are there, and differ.
    #[error("two different issuers: expected the `issuer` parameter to equal the label's prefix")]
    IssuerMismatch,
    /// There is no secret.
    #[error("the secret is missing: expected a `secret` parameter")]
    SecretMissing,
    /// The secret is malformed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The hash is not known.
    #[error("unknown algorithm: expected `SHA1`, `SHA256` or `SHA512`")]
    Algorithm,
    /// The number of digits is not supported.
    #[error("unsupported number of digits: expected 6, 7 or 8")]
    Digits,
    /// The period is malformed.
    #[error("malformed period: expected 1 to 4294967295 seconds")]
    Period,
    /// The counter is malformed, or missing for `hotp`.
    #[error("missing or malformed counter: expected a `counter` of 0 to 18446744073709551615")]
    Counter,
    /// A parameter comes twice, and readers would differ on which one counts.
    #[error("the parameter `{0}` is there twice: expected it once")]
    Duplicate(&'static str),
}
