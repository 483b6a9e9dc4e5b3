//! Where the master keys come from: a file, an environment variable or a command's output (rule S8), in the clear or wrapped
//! by a hardware security module.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use warifu_credentials::keyring::{
    KeyVersion, Keyring, KeyringError, Written, read_source, source_line, wrapped_line,
};
use zeroize::Zeroizing;

use super::hsm::{Hsm, HsmError, NONCE};
use crate::ambient::{self, Entropy, random};

/// Where the master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySource {
    /// Where their text is.
    pub place: KeyPlace,
    /// What wrapped them; without one they stand there in the clear.
    pub hsm: Option<Hsm>,
}

/// Where the text of the master keys is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
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
        "cannot read the {what} {path}: {error}. Restore it from your backup, or name another source under [keys]"
    )]
    File {
        /// What it holds.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Others can read the file.
    #[error("the {what} {path} can be read by others (mode {mode:o}): run chmod 600 on it")]
    Open {
        /// What it holds.
        what: &'static str,
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
    /// The hardware security module does not help.
    #[error("{0}")]
    Hsm(#[from] HsmError),
}

impl KeySource {
    /// A file whose keys are in the clear.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self {
            place: KeyPlace::File(path),
            hsm: None,
        }
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// [`KeySourceError`] says what to do.
    pub fn load(&self) -> Result<Keyring, KeySourceError> {
        let text = self.place.text()?;
        let Some(hsm) = &self.hsm else {
            return Ok(Keyring::parse(&text)?);
        };
        let written = read_source(&text)?;
        for (version, written) in &written {
            if matches!(written, Written::Clear(_)) {
                return Err(HsmError::InClear(*version).into());
            }
        }
        hsm.with(|wrapper| {
            Ok(Keyring::of(written, |version, wrapped| {
                wrapper.unwrap(version, wrapped)
            })?)
        })
    }

    /// The line of the source for a new master key.
    ///
    /// # Errors
    /// [`KeySourceError`] of the hardware security module.
    pub fn new_line(
        &self,
        version: KeyVersion,
        entropy: &dyn Entropy,
    ) -> Result<Zeroizing<String>, KeySourceError> {
        let key = random::<32>(entropy);
        let Some(hsm) = &self.hsm else {
            return Ok(source_line(version, &key));
        };
        hsm.with(|wrapper| {
            let wrapped = wrapper.wrap(version, &key, *random::<NONCE>(entropy))?;
            Ok(Zeroizing::new(wrapped_line(version, &wrapped)))
        })
    }

    /// The whole text again, with every key wrapped; none when every key is already.
    ///
    /// # Errors
    /// [`KeySourceError`] of the source or of the hardware security module.
    pub fn wrapped(
        &self,
        hsm: &Hsm,
        entropy: &dyn Entropy,
    ) -> Result<Option<String>, KeySourceError> {
        let written = read_source(&self.place.text()?)?;
        let clear = |written: &Written| matches!(written, Written::Clear(_));
        if !written.values().any(clear) {
            return Ok(None);
        }
        hsm.with(|wrapper| {
            let mut text = String::new();
            for (version, written) in &written {
                let wrapped = match written {
                    Written::Clear(key) => {
                        wrapper.wrap(*version, key, *random::<NONCE>(entropy))?
                    }
                    Written::Wrapped(wrapped) => wrapped.clone(),
                };
                text.push_str(&wrapped_line(*version, &wrapped));
            }
            Ok(Some(text))
        })
    }
}

impl KeyPlace {
    fn text(&self) -> Result<Zeroizing<String>, KeySourceError> {
        match self {
            Self::File(path) => read_private("master key file", path),
            Self::Environment(name) => ambient::environment(name)
                .map(Zeroizing::new)
                .ok_or_else(|| KeySourceError::Environment(name.clone())),
            Self::Command(words) => run(words),
        }
    }
}

/// A file that nobody but its owner may read.
pub(super) fn read_private(
    what: &'static str,
    path: &Path,
) -> Result<Zeroizing<String>, KeySourceError> {
    let unreadable = |error| KeySourceError::File {
        what,
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
                what,
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
    /// Held by the one that reads the source again, with what must not be tried again.
    reading: Mutex<Reading>,
}

/// What became of reading the source again.
#[derive(Debug, Default)]
struct Reading {
    /// What must not be tried again.
    refused: Option<HsmError>,
    /// What it did not hold, and when it was read for that.
    missed: Option<(KeyVersion, Instant)>,
}

/// Between two readings of a source that did not hold what was asked for: a hardware security module is no cache.
const PAUSE: Duration = Duration::from_secs(1);

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
            reading: Mutex::default(),
        })
    }

    /// The keys as they were read last.
    #[must_use]
    pub fn current(&self) -> Arc<Keyring> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again, because `wanted` is asked for and was not at hand. Of many that ask at once one reads.
    ///
    /// # Errors
    /// As for [`KeySource::load`]; the old ones stay.
    pub fn reload(&self, wanted: KeyVersion) -> Result<Arc<Keyring>, KeySourceError> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let just_missed = reading
            .missed
            .is_some_and(|(version, at)| version == wanted && at.elapsed() < PAUSE);
        if current.sealer(wanted).is_some() || just_missed {
            return Ok(current);
        }
        if let Some(error) = &reading.refused {
            return Err(error.clone().into());
        }
        reading.missed = Some((wanted, ambient::stopwatch()));
        let keyring = match self.source.load() {
            Ok(keyring) => Arc::new(keyring),
            Err(error) => {
                // A wrong PIN stays wrong, and every further try brings the token nearer to its lock.
                if let KeySourceError::Hsm(HsmError::WrongPin(token)) = &error {
                    reading.refused = Some(HsmError::WrongPin(token.clone()));
                }
                return Err(error);
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keyring);
        Ok(keyring)
    }
}
