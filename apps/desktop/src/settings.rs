//! What the program remembers beside the vault, and is no secret: the service's address, and whose welcome was seen.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use warifu_token::{CredentialId, ServiceAddress};

/// The address that is used when none was entered: the one that was named when the program was built, or else that of
/// `warifu` on this computer.
const BUILT_IN: &str = match option_env!("WARIFU_TOKEN_SERVICE") {
    Some(address) => address,
    None => "http://127.0.0.1:8081",
};

/// No settings file is longer, in bytes.
const MAX_FILE: usize = 16 * 1024;

/// The settings and their file.
#[derive(Debug)]
pub(crate) struct Settings {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Parsed once more when it is read: a file can be edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    welcomed: Option<String>,
}

impl Settings {
    /// Reads the file. One that is missing or makes no sense is none: it holds nothing that could not be entered again.
    pub(crate) fn read(path: PathBuf) -> Self {
        let kept = fs::read(&path)
            .ok()
            .filter(|bytes| bytes.len() <= MAX_FILE)
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self { path, kept }
    }

    /// Where a new token registers itself; nothing when the address is no good.
    pub(crate) fn service(&self) -> Option<ServiceAddress> {
        let entered = self.kept.service.as_deref();
        entered
            .and_then(|address| address.parse().ok())
            .or_else(|| BUILT_IN.parse().ok())
    }

    pub(crate) fn set_service(&mut self, address: &ServiceAddress) -> io::Result<()> {
        self.kept.service = Some(address.to_string());
        self.write()
    }

    /// Whether the welcome screen of this token was answered (rule T1).
    pub(crate) fn was_welcomed(&self, id: &CredentialId) -> bool {
        self.kept.welcomed.as_deref() == Some(id.as_str())
    }

    pub(crate) fn set_welcomed(&mut self, id: &CredentialId) -> io::Result<()> {
        self.kept.welcomed = Some(id.to_string());
        self.write()
    }

    /// As a whole: a crash leaves the old file or the new one.
    fn write(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let bytes = serde_json::to_vec_pretty(&self.kept)?;
        let new = self.path.with_extension("json.new");
        fs::write(&new, bytes)?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn id() -> CredentialId {
        "WRCA12345671".parse().unwrap()
    }

    #[test]
    fn the_address_that_is_built_in_is_one() {
        assert!(BUILT_IN.parse::<ServiceAddress>().is_ok());
        let settings = Settings::read(PathBuf::from("/nowhere/at/all.json"));
        assert!(settings.service().is_some());
        assert!(!settings.was_welcomed(&id()));
    }

    #[test]
    fn what_was_set_is_there_at_the_next_start() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("new/desktop.json");
        let mut settings = Settings::read(path.clone());
        let address: ServiceAddress = "https://token.example.com".parse().unwrap();
        settings.set_service(&address).unwrap();
        settings.set_welcomed(&id()).unwrap();
        let again = Settings::read(path);
        assert_eq!(again.service(), Some(address));
        assert!(again.was_welcomed(&id()));
        assert!(!again.was_welcomed(&"WRCA12345672".parse().unwrap()));
    }

    #[test]
    fn a_file_that_makes_no_sense_or_names_a_stranger_over_plain_http_is_not_obeyed() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("desktop.json");
        for text in [
            "",
            "{",
            "[]",
            "{\"service\": 7}",
            "{\"service\": \"http://token.example.com\"}",
            "{\"service\": \"javascript:alert(1)\"}",
        ] {
            fs::write(&path, text).unwrap();
            let service = Settings::read(path.clone()).service();
            assert_eq!(service, BUILT_IN.parse().ok(), "{text}");
        }
    }
}
