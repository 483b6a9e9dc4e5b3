//! Where the master keys come from: a file, an environment variable or a command's output (rule S8).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, PoisonError, RwLock};

use warifu_credentials::keyring::{Keyring, KeyringError};
use zeroize::Zeroizing;

use crate::ambient;

/// Where the master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file that nobody but its owner may read.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The standard output of a program and its arguments.
    Command(Vec<String>),
}

/// The master keys cannot be had. No error holds any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The file cannot be read.
    #[error(
        "cannot read the master key file {path}: {error}. Restore it from your key backup, or name another source under [keys]"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Others can read the file.
    #[error(
        "the master key file {path} can be read by others (mode {mode:o}): run chmod 600 on it"
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The variable is not set.
    #[error("the environment variable {0}, which should hold the master keys, is not set")]
    Environment(String),
    /// The command failed.
    #[error("the command {program} for the master keys failed: {reason}")]
    Command {
        /// Which.
        program: String,
        /// Why.
        reason: String,
    },
    /// The text is no key source.
    #[error("{0}")]
    Text(#[from] KeyringError),
}

impl KeySource {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`KeySourceError`] says what to do.
    pub fn load(&self) -> Result<Keyring, KeySourceError> {
        Ok(Keyring::parse(&self.text()?)?)
    }

    fn text(&self) -> Result<Zeroizing<String>, KeySourceError> {
        match self {
            Self::File(path) => read_private(path),
            Self::Environment(name) => ambient::environment(name)
                .map(Zeroizing::new)
                .ok_or_else(|| KeySourceError::Environment(name.clone())),
            Self::Command(words) => run(words),
        }
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, KeySourceError> {
    let unreadable = |error| KeySourceError::File {
        path: path.to_owned(),
        error,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path)
            .map_err(unreadable)?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeySourceError::Open {
                path: path.to_owned(),
                mode,
            });
        }
    }
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(unreadable)
}

fn run(words: &[String]) -> Result<Zeroizing<String>, KeySourceError> {
    let failed = |reason: String| KeySourceError::Command {
        program: words.first().cloned().unwrap_or_default(),
        reason,
    };
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| failed("no program is named".into()))?;
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    // Decoded without an error value that would hold the bytes.
    std::str::from_utf8(&stdout)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| failed("its output is not text".into()))
}

/// The master keys at hand, and how to get them again.
#[derive(Debug)]
pub struct Keys {
    source: KeySource,
    current: RwLock<Arc<Keyring>>,
}

impl Keys {
    /// Reads the keys for the first time.
    ///
    /// # Errors
    /// As for [`KeySource::load`].
    pub fn load(source: KeySource) -> Result<Self, KeySourceError> {
        let keyring = source.load()?;
        Ok(Self {
            source,
            current: RwLock::new(Arc::new(keyring)),
        })
    }

    /// The keys as they were read last.
    #[must_use]
    pub fn current(&self) -> Arc<Keyring> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again, because one is asked for that is not at hand.
    ///
    /// # Errors
    /// As for [`KeySource::load`]; the old ones stay.
    pub fn reload(&self) -> Result<Arc<Keyring>, KeySourceError> {
        let keyring = Arc::new(self.source.load()?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keyring);
        Ok(keyring)
    }
}
