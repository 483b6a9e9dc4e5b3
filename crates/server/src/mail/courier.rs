//! How a mail leaves the house. Both ways wait for the other side: call them where a thread may wait.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lettre::{Message, SmtpTransport, Transport as _};
use warifu_bank::uid::Uid;

use crate::startup::{StartupError, make_private_dir};

/// Who takes mails away.
pub enum Courier {
    /// A mail server.
    Smtp(SmtpTransport),
    /// A folder: one `.eml` a mail, for the default start and for tests.
    Files(PathBuf),
}

/// A mail was not taken. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// The mail server.
    #[error("the mail server: {}", Chain(.0))]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The folder.
    #[error("the mail folder: {0}")]
    File(#[from] std::io::Error),
    /// The folder cannot be made.
    #[error("{0}")]
    Folder(#[from] StartupError),
}

impl CourierError {
    /// What kind of failure it is, in words that hold no address and nothing of what a server said.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Smtp(error) if error.is_permanent() => "refused",
            Self::Smtp(error) if error.is_transient() => "refused for now",
            Self::Smtp(error) if error.is_timeout() => "no answer in time",
            Self::Smtp(error) if error.is_client() => "the server lacks what is asked of it",
            Self::Smtp(_) => "no connection, or none that is trusted",
            Self::File(_) | Self::Folder(_) => "no file",
        }
    }
}

impl Courier {
    /// Hands a mail over. Done twice it is the same mail twice: by its `Message-ID`, or the same file.
    ///
    /// # Errors
    /// [`CourierError`] when it was not taken, or when nobody can say.
    pub fn send(&self, mail: &Message, id: Uid, at: Timestamp) -> Result<(), CourierError> {
        match self {
            Self::Smtp(transport) => transport.send(mail).map(drop).map_err(CourierError::from),
            Self::Files(folder) => put(folder, &mail.formatted(), id, at),
        }
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(_) => f.write_str("Smtp(…)"),
            Self::Files(folder) => write!(f, "Files({})", folder.display()),
        }
    }
}

/// Writes a file that is there as a whole or not at all, and that nobody else can read.
fn put(folder: &Path, mail: &[u8], id: Uid, at: Timestamp) -> Result<(), CourierError> {
    make_private_dir(folder)?;
    let name = format!("{}-{id}", at.strftime("%Y%m%dT%H%M%SZ"));
    let temporary = folder.join(format!(".{name}.part"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(mail)?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join(format!("{name}.eml")))?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// An error with its causes: alone the mail client's says only which step failed.
struct Chain<'a>(&'a lettre::transport::smtp::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            let words = error.to_string();
            // Some errors tell their cause already.
            if !told.contains(&words) {
                write!(f, ": {words}")?;
            }
            told = words;
            cause = error.source();
        }
        Ok(())
    }
}
