//! What can be wrong with a hardware security module, in words.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};
use warifu_credentials::keyring::KeyVersion;

use super::Hsm;

/// The hardware security module does not help. No error holds a PIN or any part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HsmError {
    /// The library is not there, or is none.
    #[error("cannot load the PKCS#11 module {module}: {reason}")]
    Module {
        /// Which.
        module: PathBuf,
        /// Why.
        reason: String,
    },
    /// No token has the label.
    #[error(
        "the PKCS#11 module has no token labelled `{wanted}`{}; is it plugged in, initialised and reachable?",
        listed(.found)
    )]
    NoToken {
        /// The label.
        wanted: String,
        /// The labels that there are.
        found: Vec<String>,
    },
    /// Several tokens have the label.
    #[error("the PKCS#11 module has {count} tokens labelled `{wanted}`: give each its own label")]
    ManyTokens {
        /// The label.
        wanted: String,
        /// How many.
        count: usize,
    },
    /// The variable that should hold the PIN is not set.
    #[error(
        "the environment variable {0}, which should hold the PIN of the PKCS#11 token, is not set"
    )]
    NoPin(String),
    /// The PIN is not the token's.
    #[error(
        "the token `{0}` refuses the PIN. It is not tried again by itself: wrong tries lock a token"
    )]
    WrongPin(String),
    /// One more wrong PIN would lock the token.
    #[error(
        "the token `{0}` says that one more wrong PIN locks it, so it was not tried: log in once by hand with the right one (pkcs11-tool --login)"
    )]
    FinalTry(String),
    /// The PIN is locked, has run out or was never set.
    #[error("nobody can log in to the token `{token}`: {reason}")]
    Closed {
        /// Which.
        token: String,
        /// Why.
        reason: &'static str,
    },
    /// The wrapping key is not there.
    #[error(
        "the token `{token}` has no AES key labelled `{key}`: make it with `warifu key hsm-new`, or restore the token's backup"
    )]
    NoKey {
        /// The key's label.
        key: String,
        /// The token's label.
        token: String,
    },
    /// Several keys have the label.
    #[error(
        "the token `{token}` has {count} AES keys labelled `{key}`: give the right one its own label"
    )]
    ManyKeys {
        /// The key's label.
        key: String,
        /// The token's label.
        token: String,
        /// How many.
        count: usize,
    },
    /// A key of that label is there already.
    #[error("the token `{token}` has an AES key labelled `{key}` already; it was left as it is")]
    KeyThere {
        /// The key's label.
        key: String,
        /// The token's label.
        token: String,
    },
    /// The wrapping key can be taken out of the token.
    #[error(
        "the key `{0}` can be read or taken out of its token, which makes it no better than a file: use one that is sensitive and not extractable"
    )]
    Extractable(String),
    /// The token cannot encrypt as it must.
    #[error("the token `{0}` does not encrypt with AES-GCM (CKM_AES_GCM)")]
    Mechanism(String),
    /// A wrapped key does not open.
    #[error(
        "the master key {version} was not wrapped by the key `{key}` of the token `{token}`, or was changed since"
    )]
    NotOurs {
        /// Its version.
        version: KeyVersion,
        /// The wrapping key's label.
        key: String,
        /// The token's label.
        token: String,
    },
    /// A key stands in the clear where all are to be wrapped.
    #[error(
        "the master key {0} stands in the clear in the key source; under [keys.pkcs11] every key is wrapped: run `warifu key wrap`"
    )]
    InClear(KeyVersion),
    /// The token went away while it was used.
    #[error("the token `{token}` is gone: {reason}")]
    Gone {
        /// Which.
        token: String,
        /// What the module says.
        reason: String,
    },
    /// Anything else that a module may say.
    #[error("the PKCS#11 module cannot do what is asked of the token `{token}`: {reason}")]
    Other {
        /// Which.
        token: String,
        /// What the module says.
        reason: String,
    },
}

/// ` (it has `a`, `b`)`
fn listed(found: &[String]) -> String {
    if found.is_empty() {
        return " (it has none)".to_owned();
    }
    let names: Vec<_> = found.iter().map(|label| format!("`{label}`")).collect();
    format!(" (it has {})", names.join(", "))
}

/// What the module said, before it is known of which token.
#[derive(Debug)]
pub(super) struct Said(pub(super) Error);

impl From<Error> for Said {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Said {
    /// In words.
    pub(super) fn of(self, hsm: &Hsm) -> HsmError {
        let token = hsm.token.clone();
        let module = |reason: String| HsmError::Module {
            module: hsm.module.clone(),
            reason,
        };
        let closed = |token, reason| HsmError::Closed { token, reason };
        let reason = match &self.0 {
            // The standard's own sentences are long and say less than its names.
            Error::Pkcs11(said, function) => format!("{said:?} ({function})"),
            other => other.to_string(),
        };
        match self.0 {
            Error::LibraryLoading(error) => module(error.to_string()),
            Error::MissingSymbol(name) => {
                module(format!("it has no {name}, so it is no PKCS#11 module"))
            }
            Error::Pkcs11(said, _) => match said {
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => {
                    HsmError::WrongPin(token)
                }
                RvError::PinLocked => closed(
                    token,
                    "its PIN is locked; the security officer sets a new one",
                ),
                RvError::PinExpired => closed(token, "its PIN has run out"),
                RvError::UserPinNotInitialized => closed(token, "no user PIN was set yet"),
                RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid => HsmError::Gone { token, reason },
                RvError::MechanismInvalid | RvError::MechanismParamInvalid => {
                    HsmError::Mechanism(token)
                }
                _ => HsmError::Other { token, reason },
            },
            _ => HsmError::Other { token, reason },
        }
    }
}
