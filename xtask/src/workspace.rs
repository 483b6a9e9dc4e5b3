//! Where the repository is, and what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::run;

/// The root of the repository.
///
/// Cargo tells it at run time; what it told when xtask was compiled may be another checkout that
/// shares the target folder, and serves only when xtask is started without cargo.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
    })
}

/// Cargo's target folder, which `CARGO_TARGET_DIR` or a configuration file may have moved.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str)
        .context("cargo metadata names no target_directory")?;
    Ok(PathBuf::from(target))
}

/// The manifest of the workspace.
pub(crate) const MANIFEST: &str = "Cargo.toml";

/// The manifest of the desktop program, which is a workspace of its own (docs/decisions/0022-desktop.md).
pub(crate) const DESKTOP: &str = "apps/desktop/Cargo.toml";

/// `cargo metadata` of the workspace's own packages.
pub(crate) fn metadata() -> Result<serde_json::Value> {
    metadata_of(MANIFEST)
}

/// `cargo metadata` of the packages of the workspace with this manifest.
pub(crate) fn metadata_of(manifest: &str) -> Result<serde_json::Value> {
    metadata_with(manifest, &["--no-deps"])
}

/// `cargo metadata` of everything that the workspace with this manifest is built from on this system.
pub(crate) fn metadata_of_all(manifest: &str) -> Result<serde_json::Value> {
    metadata_with(manifest, &["--locked", "--filter-platform", &host()?])
}

fn metadata_with(manifest: &str, options: &[&str]) -> Result<serde_json::Value> {
    let output = run::cargo()
        .args(["metadata", "--format-version", "1"])
        .args(["--manifest-path", manifest])
        .args(options)
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("the answer of cargo metadata")
}

/// The triple of this machine.
pub(crate) fn host() -> Result<String> {
    let said = run::captured(run::program("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// The files of the repository, tracked or about to be, by their path from its root.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .context("git ls-files")?;
    if !output.status.success() {
        bail!(
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files: Vec<PathBuf> = listing
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}
