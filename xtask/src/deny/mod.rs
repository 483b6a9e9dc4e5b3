//! `cargo xtask deny`: `cargo deny check` by `deny.toml`; with `--offline`, whatever can be known without a network.

mod advisories;
mod yanked;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::run::{self, Steps};
use crate::workspace;

/// The lock files that say what is built.
const LOCK_FILES: [&str; 3] = ["Cargo.lock", "fuzz/Cargo.lock", "apps/desktop/Cargo.lock"];

/// What needs no database of advisories.
const SHAPE: [&str; 3] = ["bans", "licenses", "sources"];

/// Another workspace with a file of its own, since Tauri brings other licences and many doubles (docs/decisions/0022-desktop.md).
const OF_THE_DESKTOP: [&str; 4] = [
    "--manifest-path",
    workspace::DESKTOP,
    "--config",
    "apps/desktop/deny.toml",
];

/// `cargo xtask deny`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Without a network: bans, licences and sources; yanked versions by cargo's own copy of the index; advisories by a copy
    /// of the RustSec database where there is one.
    #[arg(long)]
    offline: bool,
    /// A folder with a copy of the RustSec database (github.com/RustSec/advisory-db), for --offline; by default the newest
    /// that cargo-deny or cargo-audit left in cargo's home.
    #[arg(long, env = "WARIFU_ADVISORY_DB", requires = "offline")]
    advisory_db: Option<PathBuf>,
    /// Days after its newest advisory at which such a copy is too old to be believed.
    #[arg(long, default_value_t = 90, requires = "offline")]
    max_age_days: i64,
}

/// Is cargo-deny installed?
pub(crate) fn installed() -> bool {
    run::exists("cargo-deny")
        || run::cargo()
            .args(["deny", "--version"])
            .output()
            .is_ok_and(|output| output.status.success())
}

/// Installs cargo-deny when it is missing, and runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.offline {
        return offline(args);
    }
    if !installed() {
        println!("installing cargo-deny (it compiles for several minutes)");
        run::checked(run::cargo().args(["install", "cargo-deny", "--locked"]))?;
    }
    let mut steps = Steps::default();
    steps.step("the workspace", || check(&[], &[]));
    steps.step("the desktop program", || check(&OF_THE_DESKTOP, &SHAPE));
    steps.summary()
}

/// Bans, licences and sources of the workspace.
pub(crate) fn shape() -> Result<()> {
    check(&[], &SHAPE)
}

/// Runs cargo-deny with these options; with names of checks those alone.
fn check(options: &[&str], which: &[&str]) -> Result<()> {
    run::checked(
        run::cargo()
            .args(["deny", "--workspace"])
            .args(options)
            .arg("check")
            .args(which),
    )
}

/// What was not looked at is said as loudly as what was.
fn offline(args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    let workspaces: [(&str, &[&str], &str); 2] = [
        ("bans, licences, sources", &[], workspace::MANIFEST),
        (
            "the same of the desktop program",
            &OF_THE_DESKTOP,
            workspace::DESKTOP,
        ),
    ];
    for (name, options, manifest) in workspaces {
        if installed() {
            steps.step(name, || {
                // It reads what crates for every system say, also those that this machine never compiles.
                check(&[&["--offline"], options].concat(), &SHAPE).with_context(|| {
                    format!("where a crate was never downloaded, `cargo fetch --manifest-path {manifest}` brings it, with a network")
                })
            });
        } else {
            steps.skip(
                name,
                "cargo-deny is not installed, and without a network it cannot be",
            );
        }
    }
    steps.step("yanked versions", yanked::check);
    match args.advisory_db.clone().or_else(advisories::usual_place) {
        Some(folder) => {
            steps.step("advisories", || {
                advisories::check(&folder, args.max_age_days)
            });
        }
        None => steps.skip(
            "advisories",
            "NOT CHECKED: no copy of the RustSec database is here; name one by WARIFU_ADVISORY_DB",
        ),
    }
    steps.summary()
}
