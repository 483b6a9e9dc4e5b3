//! The programs that the tests need beside Rust, and how to get them on Debian and Ubuntu.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{postgres, run};

/// The oldest Node.js whose test runner the browser tests are written for.
const OLDEST_NODE: u32 = 20;

/// One program and the Debian package that brings it.
struct Need {
    package: &'static str,
    what: &'static str,
    present: fn() -> bool,
}

const RUST_TESTS: [Need; 3] = [
    Need {
        package: "postgresql",
        what: "PostgreSQL 15 or newer",
        present: || postgres::programs().is_ok(),
    },
    Need {
        package: "oathtool",
        what: "oathtool, an independent TOTP to compare with",
        present: || run::exists("oathtool"),
    },
    Need {
        package: "poppler-utils",
        what: "pdftotext and pdfinfo, to read the bank's letters back",
        present: || run::exists("pdftotext") && run::exists("pdfinfo"),
    },
];

const BROWSER_TESTS: [Need; 5] = [
    Need {
        package: "oathtool",
        what: "oathtool, an independent TOTP to compare with",
        present: || run::exists("oathtool"),
    },
    Need {
        package: "curl",
        what: "curl, for the examples on the page",
        present: || run::exists("curl"),
    },
    Need {
        package: "chromium",
        what: "Chromium",
        present: || chromium().is_some(),
    },
    Need {
        package: "nodejs",
        what: "Node.js 20 or newer",
        present: node_is_recent,
    },
    Need {
        package: "npm",
        what: "npm",
        present: || run::exists("npm"),
    },
];

/// The Chromium that the browser tests drive: the one that `CHROMIUM` names, or the installed one.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| run::find(name))
}

fn node_is_recent() -> bool {
    let said = run::captured(run::program("node").arg("--version")).unwrap_or_default();
    let major = said.trim().trim_start_matches('v').split('.').next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= OLDEST_NODE)
}

/// Makes sure that what the Rust tests need is there.
pub(crate) fn for_rust_tests() -> Result<()> {
    ensure(&RUST_TESTS)
}

/// Makes sure that what the browser tests need is there.
pub(crate) fn for_browser_tests() -> Result<()> {
    ensure(&BROWSER_TESTS)
}

fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    for need in needs {
        let state = if (need.present)() { "here" } else { "missing" };
        println!("{}: {state}", need.what);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install(&packages)?;
    for need in missing {
        if !(need.present)() {
            bail!(
                "{} was installed, but {} is still not found",
                need.package,
                need.what
            );
        }
    }
    Ok(())
}

fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(", ");
    if !run::exists("apt-get") {
        bail!("please install these, named here as on Debian: {names}");
    }
    let sudo = !is_root()?;
    if sudo && !run::exists("sudo") {
        bail!("please install (not root, and no sudo here): {names}");
    }
    println!("installing with apt-get: {names}");
    apt(sudo, &["update"])?;
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend_from_slice(packages);
    apt(sudo, &words)
}

fn apt(sudo: bool, words: &[&str]) -> Result<()> {
    let mut command = run::program(if sudo { "sudo" } else { "env" });
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
        .args(words)
        .stdin(std::process::Stdio::null());
    run::checked(&mut command)
}

/// Are we the super-user?
pub(crate) fn is_root() -> Result<bool> {
    let id = run::captured(run::program("id").arg("-u")).context("who am I")?;
    Ok(id.trim() == "0")
}
