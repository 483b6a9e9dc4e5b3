//! The suite: which hash, which inputs, which form of response (RFC 6287 section 6).

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use super::question::QuestionRule;
use crate::{Algorithm, Period};

/// How a response is written (`t` in RFC 6287 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseForm {
    /// `t` = 4 to 10: that many decimal digits. The truncated value has 31 bits, so the first
    /// of ten digits is only ever 0, 1 or 2.
    Digits(u8),
    /// `t` = 0: no truncation. The RFC leaves the writing of the HMAC value open; this crate
    /// writes it as lower-case hexadecimal, two characters per byte.
    Full,
}

/// A parsed OCRA suite, such as `OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1`.
///
/// The exact text is kept, because it is the first part of the message under the HMAC. Hence
/// parsing is exact, too: upper case only, and every input spelled out. The defaults RFC 6287
/// section 6.3 names for a bare `Q`, `P`, `S` or `T` are not applied, since two sides that
/// write the same suite differently never agree on a response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Suite {
    pub(super) text: String,
    pub(super) algorithm: Algorithm,
    pub(super) response: ResponseForm,
    pub(super) counter: bool,
    pub(super) question: QuestionRule,
    pub(super) pin: Option<Algorithm>,
    pub(super) session: Option<u16>,
    pub(super) period: Option<Period>,
}

impl Suite {
    /// The suite as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hash under the HMAC.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How responses are written.
    #[must_use]
    pub const fn response(&self) -> ResponseForm {
        self.response
    }

    /// Whether a counter goes in (`C`).
    #[must_use]
    pub const fn has_counter(&self) -> bool {
        self.counter
    }

    /// What questions look like (`QFxx`).
    #[must_use]
    pub const fn question(&self) -> QuestionRule {
        self.question
    }

    /// The hash of the PIN that goes in (`PH`), if any.
    #[must_use]
    pub const fn pin(&self) -> Option<Algorithm> {
        self.pin
    }

    /// The length in bytes of the session information that goes in (`Snnn`), if any.
    #[must_use]
    pub const fn session(&self) -> Option<u16> {
        self.session
    }

    /// The length of the time steps that go in (`TG`), if any.
    #[must_use]
    pub const fn period(&self) -> Option<Period> {
        self.period
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Suite {
    type Err = SuiteError;

    fn from_str(text: &str) -> Result<Self, SuiteError> {
        Self::parse(text)
    }
}

/// A text that is not an OCRA suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SuiteError {
    /// Not three parts.
    #[error("expected three parts `OCRA-1:<function>:<inputs>`, separated by `:`")]
    Parts,
    /// The first part is not `OCRA-1`.
    #[error("unknown version: expected `OCRA-1`")]
    Version,
    /// The second part does not name a function.
    #[error("unknown function: expected `HOTP-SHA1-t`, `HOTP-SHA256-t` or `HOTP-SHA512-t`")]
    Function,
    /// The response length is not one of those allowed.
    #[error("unknown response length: expected 4 to 10 digits, or 0 for the whole value")]
    ResponseLength,
    /// There is no well-formed question.
    #[error("expected a question `QA`, `QN` or `QH` with a length of 4 to 64, such as `QN08`")]
    Question,
    /// The PIN hash is not known.
    #[error("unknown PIN hash: expected `PSHA1`, `PSHA256` or `PSHA512`")]
    Pin,
    /// The session length is malformed.
    #[error("unknown session length: expected `S001` to `S512`, three digits")]
    Session,
    /// The time step is malformed, or zero hours long.
    #[error("unknown time step: expected `T1S` to `T59S`, `T1M` to `T59M` or `T1H` to `T48H`")]
    Time,
    /// An input that does not exist, comes twice, or stands in the wrong place.
    #[error("unexpected input: expected `[C-]Q..[-P..][-S..][-T..]` in this order")]
    Input,
}
