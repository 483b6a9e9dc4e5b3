//! Reading a key URI.

use alloc::string::String;
use core::str::FromStr;

use zeroize::Zeroizing;

use super::label::Label;
use super::{KeyUri, KeyUriError, Kind, percent};
use crate::{Algorithm, Digits, Period, Secret};

type Text = Zeroizing<String>;

impl KeyUri {
    /// Reads a key URI.
    ///
    /// Scheme, type and algorithm may have any letter case, the secret any form that
    /// [`crate::base32::decode`] takes. Parameters this crate does not know are ignored, as
    /// apps put pictures and colours there; a known one must not come twice.
    ///
    /// # Errors
    /// [`KeyUriError`], naming the part and what was expected there.
    pub fn parse(text: &str) -> Result<Self, KeyUriError> {
        let rest = strip_scheme(text).ok_or(KeyUriError::Scheme)?;
        let (kind, rest) = rest.split_once('/').ok_or(KeyUriError::Kind)?;
        let is_totp = kind.eq_ignore_ascii_case("totp");
        if !is_totp && !kind.eq_ignore_ascii_case("hotp") {
            return Err(KeyUriError::Kind);
        }
        let (label, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parameters = Parameters::parse(query)?;

        let kind = if is_totp {
            Kind::Totp(parameters.period()?)
        } else {
            Kind::Hotp(parameters.counter()?)
        };
        let secret = parameters.secret.as_deref();
        Ok(Self {
            kind,
            label: parse_label(label, parameters.issuer.as_deref())?,
            secret: Secret::from_base32(secret.ok_or(KeyUriError::SecretMissing)?)?,
            algorithm: parameters.algorithm()?,
            digits: parameters.digits()?,
        })
    }
}

impl FromStr for KeyUri {
    type Err = KeyUriError;

    fn from_str(text: &str) -> Result<Self, KeyUriError> {
        Self::parse(text)
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    scheme.eq_ignore_ascii_case("otpauth").then_some(rest)
}

/// Joins the label's prefix and the `issuer` parameter. The format says they should be equal;
/// a URI where they differ names two banks, and showing either would be a guess.
fn parse_label(label: &str, parameter: Option<&String>) -> Result<Label, KeyUriError> {
    let label = percent::decode(label)?;
    let (prefix, account) = match label.split_once(':') {
        Some((prefix, account)) => (Some(prefix), account),
        None => (None, label.as_str()),
    };
    // An empty parameter says nothing; some issuers write it all the same.
    let parameter = parameter
        .map(|issuer| issuer.trim())
        .filter(|issuer| !issuer.is_empty());
    if let (Some(prefix), Some(parameter)) = (prefix, parameter)
        && prefix.trim() != parameter
    {
        return Err(KeyUriError::IssuerMismatch);
    }
    Ok(Label::new(prefix.or(parameter), account)?)
}

/// The parameters this crate knows, decoded.
#[derive(Default)]
struct Parameters {
    secret: Option<Text>,
    issuer: Option<Text>,
    algorithm: Option<Text>,
    digits: Option<Text>,
    period: Option<Text>,
    counter: Option<Text>,
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, KeyUriError> {
        let mut parameters = Self::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, slot) = match name {
                "secret" => ("secret", &mut parameters.secret),
                "issuer" => ("issuer", &mut parameters.issuer),
                "algorithm" => ("algorithm", &mut parameters.algorithm),
                "digits" => ("digits", &mut parameters.digits),
                "period" => ("period", &mut parameters.period),
                "counter" => ("counter", &mut parameters.counter),
                _ => continue,
            };
            if slot.replace(percent::decode(value)?).is_some() {
                return Err(KeyUriError::Duplicate(name));
            }
        }
        Ok(parameters)
    }

    fn algorithm(&self) -> Result<Algorithm, KeyUriError> {
        let Some(text) = &self.algorithm else {
            return Ok(Algorithm::Sha1);
        };
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(text))
            .ok_or(KeyUriError::Algorithm)
    }

    fn digits(&self) -> Result<Digits, KeyUriError> {
        let Some(text) = &self.digits else {
            return Ok(Digits::SIX);
        };
        number(text)
            .and_then(|digits| Digits::new(digits).ok())
            .ok_or(KeyUriError::Digits)
    }

    fn period(&self) -> Result<Period, KeyUriError> {
        let Some(text) = &self.period else {
            return Ok(Period::DEFAULT);
        };
        number(text)
            .and_then(|seconds| Period::from_seconds(seconds).ok())
            .ok_or(KeyUriError::Period)
    }

    fn counter(&self) -> Result<u64, KeyUriError> {
        let text = self.counter.as_ref().ok_or(KeyUriError::Counter)?;
        number(text).ok_or(KeyUriError::Counter)
    }
}

/// A number of ASCII digits only: `parse` alone would take a sign.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    digits_only.then(|| text.parse().ok()).flatten()
}
