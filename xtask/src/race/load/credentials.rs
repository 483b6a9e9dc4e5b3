//! Credentials that are asked in turn, each once in a period.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::super::adapter::{Encoding, Totp};
use super::super::credential::Credential;
use super::super::{provision, totp};

/// The credentials of one server.
pub(super) struct Credentials {
    held: Vec<Held>,
    next: AtomicUsize,
}

struct Held {
    credential: Credential,
    /// The last step whose code was sent.
    step: AtomicU64,
}

impl Credentials {
    /// Reads a file of `ID SECRET` lines.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading {} (made by --enrol)", path.display()))?;
        Self::new(provision::enrolled(&text, Encoding::Hex)?.into())
    }

    fn new(credentials: Vec<Credential>) -> Result<Self> {
        if credentials.is_empty() {
            bail!("no credential");
        }
        let held = credentials.into_iter().map(|credential| Held {
            credential,
            step: AtomicU64::new(0),
        });
        Ok(Self {
            held: held.collect(),
            next: AtomicUsize::new(0),
        })
    }

    /// The next credential, unless its code of this step was already sent.
    pub(super) fn claim(&self, step: u64) -> Option<&Credential> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let held = self.held.get(turn % self.held.len())?;
        let last = held.step.fetch_max(step, Ordering::Relaxed);
        (last < step).then_some(&held.credential)
    }

    /// Waits until the next credential has a code again.
    pub(super) fn wait(&self, totp: &Totp) -> Result<()> {
        let turn = self.next.load(Ordering::Relaxed);
        let held = self.held.get(turn % self.held.len());
        let last = held.map_or(0, |held| held.step.load(Ordering::Relaxed));
        if last >= totp::now(totp)?.0 {
            wait_for_next_step(totp)?;
        }
        Ok(())
    }
}

/// Waits until the present step is over.
pub(super) fn wait_for_next_step(totp: &Totp) -> Result<()> {
    let (_, left) = totp::now(totp)?;
    std::thread::sleep(left + Duration::from_millis(50));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_asked_once_in_a_step() {
        let credentials = ["A", "B"].map(|id| Credential {
            id: id.to_owned(),
            secret: vec![7],
        });
        let list = Credentials::new(credentials.into()).unwrap();
        let claim = |step| list.claim(step).map(|credential| credential.id.as_str());
        assert_eq!([claim(5), claim(5)], [Some("A"), Some("B")]);
        assert_eq!([claim(5), claim(5)], [None, None]);
        assert_eq!([claim(6), claim(5)], [Some("A"), None]);
        assert!(Credentials::new(Vec::new()).is_err());
    }
}
