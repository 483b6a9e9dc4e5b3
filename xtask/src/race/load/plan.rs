//! The plan: a TOML file that names the servers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::super::adapter::Adapter;

/// The servers to load.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    server: Vec<Entry>,
    #[serde(skip)]
    folder: PathBuf,
}

/// One server as the file has it; paths are relative to the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    adapter: PathBuf,
    url: String,
    credentials: PathBuf,
    /// How many credentials `--enrol` brings the file to.
    count: usize,
    /// Files that begin with a process ID; its CPU is counted with that of its descendants.
    #[serde(default)]
    processes: BTreeMap<String, PathBuf>,
}

/// One server.
pub(super) struct Server {
    pub(super) name: String,
    pub(super) adapter: Adapter,
    pub(super) url: String,
    /// `ID SECRET` a line, the secret in hexadecimal.
    pub(super) credentials: PathBuf,
    pub(super) count: usize,
    pub(super) processes: BTreeMap<String, PathBuf>,
}

impl Plan {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the plan {}", path.display()))?;
        let mut plan: Self =
            toml::from_str(&text).with_context(|| format!("the plan {}", path.display()))?;
        plan.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(plan)
    }

    /// The servers whose name contains a text, with their adapters.
    pub(super) fn servers(self, only: &str) -> Result<Vec<Server>> {
        let folder = self.folder;
        let wanted = self.server.into_iter();
        wanted
            .filter(|entry| entry.name.contains(only))
            .map(|entry| {
                let processes = entry.processes.into_iter();
                Ok(Server {
                    name: entry.name,
                    adapter: Adapter::read(&folder.join(entry.adapter))?,
                    url: entry.url,
                    credentials: folder.join(entry.credentials),
                    count: entry.count,
                    processes: processes
                        .map(|(name, path)| (name, folder.join(path)))
                        .collect(),
                })
            })
            .collect()
    }
}
