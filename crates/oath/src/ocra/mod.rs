//! OCRA, the OATH challenge-response algorithm (RFC 6287).
//!
//! A [`Suite`] says which inputs are mixed into a response, [`Inputs`] carries them, and
//! [`Ocra`] binds a suite to a secret and computes the [`Response`].
//!
//! ```
//! use warifu_oath::Secret;
//! use warifu_oath::ocra::{Inputs, Ocra, Question, Suite};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let suite = Suite::parse("OCRA-1:HOTP-SHA1-6:QN08")?;
//! let token = Ocra::new(suite, &Secret::from_bytes(b"12345678901234567890")?);
//! let response = token.respond(&Inputs::new(Question::One("11111111")))?;
//! assert_eq!(response.as_str(), "243178");
//! assert!(response.matches("243178"));
//! # Ok(())
//! # }
//! ```

mod inputs;
mod question;
mod response;
mod suite;
mod suite_parse;

use core::fmt;

use crate::mac::MacKey;
use crate::{Secret, TimeStep};

pub use inputs::{InputError, Inputs, PinHash, PinHashError};
pub use question::{Question, QuestionError, QuestionFormat, QuestionRule};
pub use response::Response;
pub use suite::{ResponseForm, Suite, SuiteError};

/// A suite bound to a secret; the key schedule is done once, on creation.
#[derive(Clone)]
pub struct Ocra {
    suite: Suite,
    key: MacKey,
}

impl Ocra {
    /// Binds `suite` to `secret`. RFC 6287 section 5.1 wants the secret as long as the hash's
    /// output; like [`Secret`], this does not insist.
    #[must_use]
    pub fn new(suite: Suite, secret: &Secret) -> Self {
        let key = MacKey::new(suite.algorithm(), secret.expose());
        Self { suite, key }
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> &Suite {
        &self.suite
    }

    /// Computes the response to the inputs (RFC 6287 section 5).
    ///
    /// # Errors
    /// [`InputError`] when an input of the suite is missing, not of the suite, or malformed. An
    /// input the suite leaves out is refused, not ignored: its giver believes it is protected.
    pub fn respond(&self, inputs: &Inputs<'_>) -> Result<Response, InputError> {
        let suite = &self.suite;
        let counter = required(
            suite.has_counter(),
            inputs.counter,
            InputError::CounterMissing,
            InputError::CounterUnexpected,
        )?;
        let time = required(
            suite.period().is_some(),
            inputs.time,
            InputError::TimeMissing,
            InputError::TimeUnexpected,
        )?;
        let question = inputs.question.encode(suite.question())?;
        let pin = inputs.pin_bytes(suite.pin())?;
        let (session_padding, session) = inputs.session_parts(suite.session())?;

        let counter = counter.map(u64::to_be_bytes);
        let time = time.map(TimeStep::counter).map(u64::to_be_bytes);
        let tag = self.key.tag(&[
            suite.as_str().as_bytes(),
            &[0],
            counter.as_ref().map_or(&[], <[u8; 8]>::as_slice),
            question.as_slice(),
            pin,
            session_padding,
            session,
            time.as_ref().map_or(&[], <[u8; 8]>::as_slice),
        ]);
        Ok(Response::new(&tag, suite.response()))
    }
}

/// Gives the input when and only when the suite has it.
fn required<T>(
    in_suite: bool,
    given: Option<T>,
    missing: InputError,
    unexpected: InputError,
) -> Result<Option<T>, InputError> {
    match (in_suite, given) {
        (true, None) => Err(missing),
        (false, Some(_)) => Err(unexpected),
        (_, given) => Ok(given),
    }
}

impl fmt::Debug for Ocra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ocra({}, redacted)", self.suite)
    }
}
