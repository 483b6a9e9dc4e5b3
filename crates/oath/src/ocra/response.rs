//! Responses.

use alloc::string::String;
use core::fmt;
use core::fmt::Write;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::suite::ResponseForm;
use crate::mac::Tag;
use crate::{Code, CodeError};

/// An OCRA response: 4 to 10 decimal digits, or the whole HMAC value as lower-case
/// hexadecimal. Redacted under `{:?}` and wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Response(String);

impl Response {
    pub(super) fn new(tag: &Tag, form: ResponseForm) -> Self {
        // The longest text: growing would leave unwiped copies behind.
        let mut text = String::with_capacity(128);
        // Writing to a `String` cannot fail.
        let _ = match form {
            ResponseForm::Digits(digits) => {
                let modulus = 10_u64.pow(u32::from(digits));
                let value = u64::from(tag.truncate()) % modulus;
                write!(text, "{value:0width$}", width = usize::from(digits))
            }
            ResponseForm::Full => tag
                .bytes()
                .iter()
                .try_for_each(|byte| write!(text, "{byte:02x}")),
        };
        Self(text)
    }

    /// The text to show or send.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is exactly this response. The time depends on the lengths, never on
    /// the characters.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The response as a [`Code`].
    ///
    /// # Errors
    /// [`CodeError`] when the suite's responses are not 6 to 8 digits.
    pub fn to_code(&self) -> Result<Code, CodeError> {
        Code::parse(&self.0)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} characters, redacted)", self.0.len())
    }
}
