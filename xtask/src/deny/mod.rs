//! `cargo xtask deny`: `cargo deny check` by `deny.toml`; with `--offline`, whatever can be known without a network.

mod advisories;
mod yanked;

use std::path::PathBuf;

use anyhow::Result;

use crate::run::{self, Steps};

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
    check(&[])
}

/// Runs cargo-deny; with names of checks those alone.
pub(crate) fn check(which: &[&str]) -> Result<()> {
    run::checked(
        run::cargo()
            .args(["deny", "--workspace", "check"])
            .args(which),
    )
}

/// What was not looked at is said as loudly as what was.
fn offline(args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    if installed() {
        steps.step("bans, licences, sources", || {
            run::checked(
                run::cargo()
                    .args(["deny", "--offline", "--workspace", "check"])
                    .args(["bans", "licenses", "sources"]),
            )
        });
    } else {
        steps.skip(
            "bans, licences, sources",
            "cargo-deny is not installed, and without a network it cannot be",
        );
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
