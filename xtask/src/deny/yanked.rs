//! Versions that were taken back, by the copy of the registry's index that cargo keeps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use rustsec::Lockfile;
use serde_json::Value;

use super::LOCK_FILES;
use crate::workspace;

/// Whether a version was taken back, as the local index has it.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Good,
    Yanked,
    /// The local index does not know it.
    Unknown,
}

/// Looks every package of our lock files up.
pub(super) fn check() -> Result<()> {
    let index = index()?;
    let (mut seen, mut yanked, mut unknown) = (0_usize, Vec::new(), Vec::new());
    let mut oldest: Option<SystemTime> = None;
    for (name, version) in packages()? {
        let file = index.join(place(&name));
        let state = std::fs::read(&file).map_or(State::Unknown, |bytes| state(&bytes, &version));
        match state {
            State::Unknown => {
                unknown.push(format!("{name} {version}"));
                continue;
            }
            State::Yanked => yanked.push(format!("{name} {version}")),
            State::Good => {}
        }
        seen += 1;
        let changed = file.metadata().and_then(|it| it.modified()).ok();
        oldest = oldest.into_iter().chain(changed).min();
    }
    let age = oldest.and_then(|oldest| oldest.elapsed().ok());
    println!(
        "{seen} packages by cargo's copy of the index in {}, whose oldest entry is {} days old",
        index.display(),
        age.unwrap_or(Duration::ZERO).as_secs() / 86_400
    );
    if !unknown.is_empty() {
        println!(
            "{} not known to it, so not checked (`cargo fetch --manifest-path …` makes it known): {}",
            unknown.len(),
            unknown.join(", ")
        );
    }
    if !yanked.is_empty() {
        bail!("taken back by their authors: {}", yanked.join(", "));
    }
    if seen == 0 {
        bail!("no package could be looked up: run `cargo fetch` once with a network");
    }
    Ok(())
}

/// The folder in which cargo keeps what it read of the sparse index; of several the one that was changed last.
fn index() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    let folders = std::fs::read_dir(home.join("registry/index"))
        .context("cargo keeps no index here: run `cargo fetch` once with a network")?;
    folders
        .filter_map(|entry| Some(entry.ok()?.path().join(".cache")))
        .filter(|folder| folder.is_dir())
        .max_by_key(|folder| folder.metadata().and_then(|it| it.modified()).ok())
        .context("cargo keeps no index here: run `cargo fetch` once with a network")
}

/// Every package of our lock files that comes from a registry.
fn packages() -> Result<BTreeSet<(String, String)>> {
    let mut all = BTreeSet::new();
    for file in LOCK_FILES {
        let lock = Lockfile::load(workspace::root().join(file))
            .with_context(|| format!("reading {file}"))?;
        let from_registry = lock
            .packages
            .iter()
            .filter(|package| package.source.is_some());
        all.extend(
            from_registry.map(|package| (package.name.to_string(), package.version.to_string())),
        );
    }
    Ok(all)
}

/// Where the index has a crate (The Cargo Book, "Registry index").
fn place(name: &str) -> PathBuf {
    let name = name.to_ascii_lowercase();
    let part = |range| name.get(range).unwrap_or_default();
    match name.len() {
        1 => Path::new("1").join(&name),
        2 => Path::new("2").join(&name),
        3 => Path::new("3").join(part(0..1)).join(&name),
        _ => Path::new(part(0..2)).join(part(2..4)).join(&name),
    }
}

/// A file of cargo's copy: between zero bytes stand a head and, for each version, its number and a JSON object.
fn state(bytes: &[u8], version: &str) -> State {
    let entries = bytes
        .split(|byte| *byte == 0)
        .filter(|piece| piece.starts_with(b"{"))
        .filter_map(|piece| serde_json::from_slice::<Value>(piece).ok());
    for entry in entries {
        if entry.get("vers").and_then(Value::as_str) == Some(version) {
            return match entry.get("yanked").and_then(Value::as_bool) {
                Some(true) => State::Yanked,
                _ => State::Good,
            };
        }
    }
    State::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_was_taken_back_is_told_from_the_others() {
        let file = b"\x03\x02\0\0\0etag: \"x\"\x001.0.0\0{\"name\":\"a\",\"vers\":\"1.0.0\",\"yanked\":false}\0\
            1.0.1\0{\"name\":\"a\",\"vers\":\"1.0.1\",\"yanked\":true}\0";
        assert_eq!(state(file, "1.0.0"), State::Good);
        assert_eq!(state(file, "1.0.1"), State::Yanked);
        assert_eq!(state(file, "2.0.0"), State::Unknown);
        assert_eq!(state(b"", "1.0.0"), State::Unknown);
    }

    #[test]
    fn a_crate_is_looked_for_where_the_index_has_it() {
        for (name, path) in [
            ("a", "1/a"),
            ("ab", "2/ab"),
            ("abc", "3/a/abc"),
            ("Serde_json", "se/rd/serde_json"),
        ] {
            assert_eq!(place(name), Path::new(path));
        }
    }
}
