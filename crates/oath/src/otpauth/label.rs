//! The label: who issued the key, and for which account.

use alloc::string::{String, ToString};

use thiserror::Error;

/// An issuer, such as `見本銀行`, and an account name within it.
///
/// Both are trimmed, not empty, and free of colons, which separate the two in the URI, and of
/// control characters, which could disguise one issuer as another on a screen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    issuer: Option<String>,
    account: String,
}

impl Label {
    /// A label; without an issuer an app shows only the account.
    ///
    /// # Errors
    /// [`LabelError`] when a part is empty or holds a colon or a control character.
    pub fn new(issuer: Option<&str>, account: &str) -> Result<Self, LabelError> {
        Ok(Self {
            issuer: issuer.map(part).transpose()?,
            account: part(account)?,
        })
    }

    /// The issuer, if any.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The account name.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }
}

fn part(text: &str) -> Result<String, LabelError> {
    // Before trimming, which would drop a line break without a word.
    if text.contains(|character: char| character == ':' || character.is_control()) {
        return Err(LabelError::Character);
    }
    match text.trim() {
        "" => Err(LabelError::Empty),
        text => Ok(text.to_string()),
    }
}

/// Text that cannot be part of a [`Label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LabelError {
    /// The issuer or the account is empty.
    #[error("the issuer or the account is empty: expected at least one visible character")]
    Empty,
    /// The issuer or the account holds a colon or a control character.
    #[error("unexpected character in the label: expected no colon and no control character")]
    Character,
}
