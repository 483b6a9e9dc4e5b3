//! The vault: one file that holds one credential.
//!
//! ```text
//! {"warifu_token_vault":1,"credential_id":"WRCA12345671","key":{...}}\n   header, one line of JSON
//! 24 bytes                                                                nonce
//! the rest                                                                XChaCha20-Poly1305
//! ```
//!
//! The header is the associated data of the seal, so that no byte of it can be changed unnoticed.
//! The key is 32 random bytes, in the operating system's key store or wrapped under a passphrase;
//! the header says which. Sealed are the secret and what is known of it ([`Contents`]).
//!
//! Who writes holds the lock; who reads needs none, because a write replaces the file as a whole.

mod contents;
mod file;
mod header;
mod seal;

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::edge::random_bytes;
use crate::key_store::KeyStoreError;
use crate::{Edge, NoEntropy};

pub(crate) use contents::{Contents, Details};
pub use file::Lock;
pub use header::{Header, KeySlot};
pub(crate) use seal::VaultKey;

/// No vault is longer, in bytes; a real one has some 600.
const MAX_FILE: u64 = 64 * 1024;

/// The place of a vault file, whether or not one is there.
#[derive(Debug, Clone)]
pub struct Vault {
    path: PathBuf,
}

/// The vault cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The system says no.
    #[error("{path}: {source}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no vault here.
    #[error("there is no token here yet")]
    Missing,
    /// Not a vault, cut short, or changed by someone.
    #[error("the vault is damaged")]
    Damaged,
    /// Written by a newer program.
    #[error("the vault has format {version}, which a newer program wrote")]
    FromTheFuture {
        /// The format it says it has.
        version: u32,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open the vault")]
    WrongPassphrase,
    /// The operating system's key store does not help.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// No randomness for a nonce.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// A vault file as read, its header checked and its contents still sealed.
pub(crate) struct Sealed {
    pub(crate) header: Header,
    /// The header's bytes with the line's end, exactly as they stand in the file.
    pub(crate) line: Vec<u8>,
    body: Vec<u8>,
}

impl Vault {
    /// The vault at `path`.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file is there, sound or not. Only a clear "no" lets a new token be made (rule T5).
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn exists(&self) -> Result<bool, VaultError> {
        self.path.try_exists().map_err(|source| self.io(source))
    }

    /// What can be read without a key.
    ///
    /// # Errors
    /// When there is no vault, or none that this program understands.
    pub fn header(&self) -> Result<Header, VaultError> {
        Ok(self.load()?.header)
    }

    /// Waits until no other instance registers, writes or removes here; then keeps others out.
    ///
    /// # Errors
    /// When the folder or the lock file cannot be made.
    pub fn lock(&self) -> Result<Lock, VaultError> {
        Lock::wait(&self.path).map_err(|source| self.io(source))
    }

    /// [`Vault::lock`] without waiting: nothing when another instance is at it.
    ///
    /// # Errors
    /// When the folder or the lock file cannot be made.
    pub fn try_lock(&self) -> Result<Option<Lock>, VaultError> {
        Lock::attempt(&self.path).map_err(|source| self.io(source))
    }

    /// Deletes the vault file. The key store's entry is the caller's to delete (rule T8).
    ///
    /// # Errors
    /// When there is none or the system refuses.
    pub fn delete(&self, _lock: &Lock) -> Result<(), VaultError> {
        file::delete(&self.path).map_err(|source| self.io(source))
    }

    pub(crate) fn load(&self) -> Result<Sealed, VaultError> {
        let bytes = file::read(&self.path, MAX_FILE).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing,
            io::ErrorKind::FileTooLarge => VaultError::Damaged,
            _ => self.io(source),
        })?;
        Sealed::parse(&bytes)
    }

    /// Replaces the file as a whole, or leaves it as it was.
    pub(crate) fn write(
        &self,
        _lock: &Lock,
        line: &[u8],
        key: &VaultKey,
        contents: &Contents,
        edge: &dyn Edge,
    ) -> Result<(), VaultError> {
        let nonce = random_bytes(edge)?;
        let sealed =
            seal::seal(key, &nonce, line, &contents.to_bytes()).ok_or(VaultError::Damaged)?;
        let mut bytes = Vec::with_capacity(line.len() + nonce.len() + sealed.len());
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(nonce.as_slice());
        bytes.extend_from_slice(&sealed);
        file::replace(&self.path, &bytes).map_err(|source| self.io(source))
    }

    /// The file's permission bits, where the system has such.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn mode(&self) -> Result<Option<u32>, VaultError> {
        let metadata = fs::metadata(&self.path).map_err(|source| self.io(source))?;
        Ok(file::mode(&metadata))
    }

    fn io(&self, source: io::Error) -> VaultError {
        VaultError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// What the bytes of a vault file say to anyone.
///
/// # Errors
/// When they are no vault that this program understands.
#[doc(hidden)]
pub fn read_vault(bytes: &[u8]) -> Result<Header, VaultError> {
    Sealed::parse(bytes).map(|sealed| sealed.header)
}

impl Sealed {
    fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(VaultError::Damaged)?;
        let (line, body) = bytes.split_at_checked(end + 1).ok_or(VaultError::Damaged)?;
        Ok(Self {
            header: Header::parse(line)?,
            line: line.to_vec(),
            body: body.to_vec(),
        })
    }

    pub(crate) fn open(&self, key: &VaultKey) -> Result<Contents, VaultError> {
        let plain = seal::open(key, &self.line, &self.body).ok_or(VaultError::Damaged)?;
        let contents = Contents::from_bytes(&plain).ok_or(VaultError::Damaged)?;
        Ok(contents)
    }
}

#[cfg(test)]
mod tests;
