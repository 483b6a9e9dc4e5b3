//! `cargo xtask tidy`: the house rules as a test.
//!
//! Each rule is a module of its own: a pure function from texts to faults, tested on bad examples,
//! and what it reads is gathered here.

mod access;
mod decisions;
mod domain;
mod edges;
mod links;
mod locks;
mod manifests;
mod migrations;
mod numbers;
mod paths;
mod rules;
mod sizes;
mod threats;
mod twins;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A file of the repository: its path from the root, with `/` on every system, and its text.
pub(crate) struct Source {
    path: String,
    text: String,
}

impl Source {
    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn ends_with_any(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }
}

/// What every rule may look at.
pub(crate) struct House {
    /// The text files.
    sources: Vec<Source>,
    /// Every file, also those that are no text.
    paths: Vec<String>,
}

impl House {
    fn read() -> Result<Self> {
        let mut house = Self {
            sources: Vec::new(),
            paths: Vec::new(),
        };
        for path in workspace::files()? {
            let name = slashed(&path);
            let bytes = std::fs::read(workspace::root().join(&path))
                .with_context(|| format!("reading {name}"))?;
            // What is not UTF-8 is no text (an image, say).
            if let Ok(text) = String::from_utf8(bytes) {
                let path = name.clone();
                house.sources.push(Source { path, text });
            }
            house.paths.push(name);
        }
        Ok(house)
    }
}

fn slashed(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// Is this a test's file, or a bench's?
fn is_test_file(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

/// Checks every rule; prints every fault before it fails.
pub(crate) fn run() -> Result<()> {
    let house = House::read()?;
    let metadata = workspace::metadata()?;
    let desktop = workspace::metadata_of(workspace::DESKTOP)?;
    let mut packages = edges::packages(&metadata)?;
    packages.extend(edges::packages(&desktop)?);
    let mut manifests = member_manifests(&metadata)?;
    manifests.extend(member_manifests(&desktop)?);
    let (rules, mapped) = rules::check(&house);
    let checks: [(&str, Vec<String>); 16] = [
        ("crate edges", edges::check(&packages)),
        ("domain crates", domain::check(&packages)),
        ("file sizes", sizes::check(&house.sources)),
        ("rules", rules),
        ("threats", threats::check(&house)),
        ("words", words::check(&house.sources)),
        ("decisions", decisions::check(&house.paths)),
        ("links", links::check(&house.sources, &exists)),
        ("locks", locks::check(&house.sources, &packages)),
        ("manifests", manifests::check(&manifests)),
        ("twins", twins::check(&house.sources)),
        ("migrations", migrations::check(&house.paths)),
        ("numbers", numbers::check(&house.sources)),
        ("access", access::check(&house.sources)),
        ("machine paths", paths::check(&house.sources)),
        ("files", nothing_read(&house)),
    ];
    let mut faults = 0;
    for (name, found) in &checks {
        for fault in found {
            println!("tidy: {name}: {fault}");
        }
        faults += found.len();
    }
    println!(
        "tidy: {} files; {mapped} rules of {} mapped to their file and test",
        house.paths.len(),
        rules::KNOWN.iter().map(|(_, count)| count).sum::<u32>(),
    );
    if faults > 0 {
        bail!("{faults} faults against the house rules");
    }
    Ok(())
}

/// Having looked at nothing is a fault too.
fn nothing_read(house: &House) -> Vec<String> {
    if house.sources.is_empty() {
        vec!["not one file was found to look at".to_owned()]
    } else {
        Vec::new()
    }
}

fn exists(path: &str) -> bool {
    workspace::root().join(path).exists()
}

/// The manifests of the workspace's members.
fn member_manifests(metadata: &serde_json::Value) -> Result<Vec<Source>> {
    let mut manifests = Vec::new();
    for package in metadata
        .get("packages")
        .and_then(serde_json::Value::as_array)
        .context("cargo metadata names no packages")?
    {
        let path = package
            .get("manifest_path")
            .and_then(serde_json::Value::as_str)
            .map(PathBuf::from)
            .context("a package without manifest_path")?;
        let text = std::fs::read_to_string(&path)?;
        let path = slashed(path.strip_prefix(workspace::root()).unwrap_or(&path));
        manifests.push(Source { path, text });
    }
    Ok(manifests)
}
