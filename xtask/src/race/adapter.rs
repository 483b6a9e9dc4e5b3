//! The adapter file: how to talk to one kind of server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::answer::Answer;
use super::totp::Algorithm;

/// One kind of server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adapter {
    /// What it is called in the table.
    pub(crate) name: String,
    /// How codes are made.
    pub(crate) totp: Totp,
    /// How many wrong codes are evaluated before the lock.
    pub(crate) lock: Lock,
    /// How a credential and its secret come about.
    pub(crate) provision: Provision,
    /// The request that checks a code.
    pub(crate) validate: Request,
    /// What its answers mean; the first that fits counts.
    pub(crate) answer: Vec<Answer>,
}

/// The parameters of RFC 6238.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Totp {
    pub(crate) algorithm: Algorithm,
    pub(crate) digits: u32,
    pub(crate) period: u64,
}

/// The server's lock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// Wrong codes that are evaluated; the next are not looked at.
    pub(crate) wrong_codes: usize,
    /// Do the answers tell an evaluated code from one that was not looked at? If not, only the
    /// right code after the wrong ones tells of the lock.
    #[serde(default = "yes")]
    pub(crate) told: bool,
}

fn yes() -> bool {
    true
}

/// How a credential and its secret come about.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Provision {
    /// Warifu's exchange of X25519 keys.
    Warifu,
    /// A request; its secret is ours (`{secret_hex}`, `{secret_base32}` in it) or in the answer.
    Http {
        request: Request,
        /// JSON pointer to the credential's ID.
        id: String,
        /// JSON pointer to the secret; without it the secret is ours.
        secret: Option<String>,
        /// How the secret in the answer is written.
        #[serde(default)]
        encoding: Encoding,
        /// What stands before the secret in the answer.
        #[serde(default)]
        strip_prefix: String,
    },
    /// Credentials enrolled beforehand, one `ID SECRET` a line, each used once.
    File {
        /// Relative to the adapter.
        path: PathBuf,
        #[serde(default)]
        encoding: Encoding,
    },
}

/// How a secret is written.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// RFC 4648 base 32, with or without padding.
    #[default]
    Base32,
    /// Hexadecimal.
    Hex,
}

/// A request; `{name}` is filled in wherever it stands, `{env:NAME}` from the environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) format: Format,
    /// The fields of the body.
    #[serde(default)]
    pub(crate) body: BTreeMap<String, serde_json::Value>,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// A JSON object.
    #[default]
    Json,
    /// An HTML form.
    Form,
}

impl Adapter {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the adapter {}", path.display()))?;
        let mut adapter =
            Self::parse(&text).with_context(|| format!("the adapter {}", path.display()))?;
        if let Provision::File { path: file, .. } = &mut adapter.provision
            && let Some(folder) = path.parent()
        {
            *file = folder.join(&file);
        }
        Ok(adapter)
    }

    /// Parses and checks a text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let adapter: Self = toml::from_str(text)?;
        if !(6..=9).contains(&adapter.totp.digits) || adapter.totp.period == 0 {
            bail!("a code has 6 to 9 digits and a period above 0");
        }
        if adapter.answer.is_empty() {
            bail!("no [[answer]] says what an answer means");
        }
        Ok(adapter)
    }
}
