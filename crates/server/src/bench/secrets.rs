//! The file that `bench prepare` writes and `bench` reads: what is needed to sign in as every sample customer. Mode 0600.

use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::BenchError;
use super::sample::Seed;
use crate::startup::write_private;

/// The form of the file.
const VERSION: u32 = 1;

/// What is needed to make load on a prepared installation.
#[derive(Clone)]
pub struct BenchSecrets {
    /// What the tokens' secrets are made of.
    pub seed: Seed,
    /// The API key of the relying party that has codes checked.
    pub api_key: Zeroizing<String>,
    /// The password of every sample contract.
    pub password: Zeroizing<String>,
    /// How many credentials there are.
    pub credentials: u32,
    /// How many of them, the first ones, are tokens of contracts.
    pub contracts: u32,
    /// 金融機関コード of the bank.
    pub bank: String,
}

#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    seed: String,
    api_key: String,
    password: String,
    credentials: u32,
    contracts: u32,
    bank: String,
}

impl std::fmt::Debug for BenchSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BenchSecrets(…)")
    }
}

impl BenchSecrets {
    /// Writes the file, readable by its owner alone; a file that is there already is not replaced.
    ///
    /// # Errors
    /// [`BenchError`] names the file.
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        if path.exists() {
            return Err(BenchError::Said(format!(
                "{} is there already: it belongs to an installation that was prepared before",
                path.display()
            )));
        }
        let written = Written {
            version: VERSION,
            seed: HEXLOWER.encode(self.seed.bytes()),
            api_key: self.api_key.to_string(),
            password: self.password.to_string(),
            credentials: self.credentials,
            contracts: self.contracts,
            bank: self.bank.clone(),
        };
        let text = serde_json::to_vec_pretty(&written)
            .map(Zeroizing::new)
            .map_err(|error| BenchError::said(error.to_string()))?;
        write_private(path, &text).map_err(|error| BenchError::File {
            doing: "cannot write",
            path: path.display().to_string(),
            error,
        })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`BenchError`] names the file and what is expected.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| BenchError::File {
                doing: "cannot read (warifu bench prepare writes it)",
                path: path.display().to_string(),
                error,
            })?;
        let wrong = || BenchError::Said(format!("{} is no file of bench prepare", path.display()));
        let written: Written = serde_json::from_str(&text).map_err(|_| wrong())?;
        let seed = HEXLOWER
            .decode(written.seed.as_bytes())
            .ok()
            .map(Zeroizing::new)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
            .ok_or_else(wrong)?;
        if written.version != VERSION || written.contracts > written.credentials {
            return Err(wrong());
        }
        Ok(Self {
            seed: Seed::new(Zeroizing::new(seed)),
            api_key: Zeroizing::new(written.api_key.clone()),
            password: Zeroizing::new(written.password.clone()),
            credentials: written.credentials,
            contracts: written.contracts,
            bank: written.bank.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_its_owners_alone_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench-secrets.json");
        let secrets = BenchSecrets {
            seed: Seed::new(Zeroizing::new([5; 32])),
            api_key: Zeroizing::new("key".into()),
            password: Zeroizing::new("geheim".into()),
            credentials: 20,
            contracts: 10,
            bank: "9999".into(),
        };
        secrets.write(&path).unwrap();
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(&path).unwrap().permissions();
            let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
            assert_eq!(mode & 0o777, 0o600);
        }
        let read = BenchSecrets::read(&path).unwrap();
        assert_eq!(read.seed.bytes(), secrets.seed.bytes());
        assert_eq!((read.credentials, read.contracts), (20, 10));
        let refused = secrets.write(&path).unwrap_err().to_string();
        assert!(refused.contains("there already"), "{refused}");
        assert!(!refused.contains("geheim"));
    }
}
