//! Master keys wrapped by a hardware security module, over PKCS#11 (OASIS, 2.40 and later; docs/decisions/0031).
//!
//! A key in the module that never leaves it encrypts each master key with AES-256-GCM, bound to its version. The module is
//! asked when keys are read, never for a validation.

mod error;
mod token;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use warifu_credentials::keyring::KeyVersion;
use zeroize::Zeroizing;

pub use error::HsmError;
pub(super) use token::NONCE;
use token::Token;

use super::key_source::{KeySourceError, read_private};
use crate::ambient;

/// A PKCS#11 library is one for the whole process: it is initialised, used and finalised by one thread at a time.
static IN_USE: Mutex<()> = Mutex::new(());

/// Which module, which token in it, which key in that, and how to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hsm {
    /// The module's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of the AES key that wraps the master keys.
    pub key: String,
    /// Labels of keys that wrapped them before it, and only unwrap now.
    pub older_keys: Vec<String>,
    /// Where the PIN is.
    pub pin: PinSource,
}

/// Where the PIN of the token is. Never in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// A file that nobody but its owner may read.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

/// A token whose wrapping key is at hand.
pub(super) struct Wrapper<'a> {
    hsm: &'a Hsm,
    token: &'a Token,
    key: token::Key,
    older: Vec<token::Key>,
}

impl Hsm {
    /// Logs in, finds the wrapping key, and hands both to `work`; logs out whatever comes of it.
    ///
    /// # Errors
    /// [`KeySourceError`] of the login or of `work`.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Wrapper<'_>) -> Result<T, KeySourceError>,
    ) -> Result<T, KeySourceError> {
        self.logged_in(false, |token| {
            let key = token.find(self, &self.key)?;
            let older = self.older_keys.iter().map(|label| token.find(self, label));
            work(&Wrapper {
                hsm: self,
                token,
                key,
                older: older.collect::<Result<_, _>>()?,
            })
        })
    }

    /// Makes the wrapping key in the token: AES-256, not to be read, not to be taken out.
    ///
    /// # Errors
    /// [`HsmError::KeyThere`] when there is one of that label, and whatever the module says.
    pub fn make_key(&self) -> Result<(), KeySourceError> {
        self.logged_in(true, |token| Ok(token.make_key(self)?))
    }

    fn logged_in<T>(
        &self,
        writes: bool,
        work: impl FnOnce(&Token) -> Result<T, KeySourceError>,
    ) -> Result<T, KeySourceError> {
        let pin = self.pin.read()?;
        let _alone = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Token::open(self, &pin, writes)?;
        let done = work(&token);
        token.close();
        done
    }
}

impl PinSource {
    fn read(&self) -> Result<Zeroizing<String>, KeySourceError> {
        let text = match self {
            Self::File(path) => read_private("PIN file", path)?,
            Self::Environment(name) => ambient::environment(name)
                .map(Zeroizing::new)
                .ok_or_else(|| HsmError::NoPin(name.clone()))?,
        };
        // An editor ends the last line; no PIN does.
        Ok(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ))
    }
}

impl Wrapper<'_> {
    /// Wraps a master key under a nonce that must be random.
    ///
    /// # Errors
    /// [`HsmError`] of the module.
    pub(super) fn wrap(
        &self,
        version: KeyVersion,
        key: &[u8; 32],
        nonce: [u8; NONCE],
    ) -> Result<Vec<u8>, HsmError> {
        self.token
            .encrypt(self.key, nonce, &bound_to(version), key)
            .map_err(|error| error.of(self.hsm))
    }

    /// The master key that [`Self::wrap`] wrapped for the same version, under this key or an older one.
    ///
    /// # Errors
    /// [`HsmError::NotOurs`] when one bit of it, its version or the wrapping key differs.
    pub(super) fn unwrap(
        &self,
        version: KeyVersion,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, HsmError> {
        for key in std::iter::once(&self.key).chain(&self.older) {
            match self.token.decrypt(*key, &bound_to(version), wrapped) {
                Ok(plain) => {
                    if let Ok(plain) = <[u8; 32]>::try_from(plain.as_slice()) {
                        return Ok(Zeroizing::new(plain));
                    }
                }
                Err(error) => {
                    // Modules have many words for a seal that does not fit, and some for having gone.
                    if let gone @ HsmError::Gone { .. } = error.of(self.hsm) {
                        return Err(gone);
                    }
                }
            }
        }
        Err(HsmError::NotOurs {
            version,
            key: self.hsm.key.clone(),
            token: self.hsm.token.clone(),
        })
    }
}

impl std::fmt::Debug for Wrapper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wrapper")
            .field("hsm", self.hsm)
            .finish_non_exhaustive()
    }
}

/// What a wrapped key is bound to: its use and its version.
fn bound_to(version: KeyVersion) -> Vec<u8> {
    let mut data = b"warifu master key v1 ".to_vec();
    data.extend_from_slice(&version.0.to_be_bytes());
    data
}
