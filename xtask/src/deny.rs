//! `cargo deny check`, by `deny.toml`.

use anyhow::Result;

use crate::run;

/// Is cargo-deny installed?
pub(crate) fn installed() -> bool {
    run::exists("cargo-deny")
        || run::cargo()
            .args(["deny", "--version"])
            .output()
            .is_ok_and(|output| output.status.success())
}

/// Installs cargo-deny when it is missing, and runs it.
pub(crate) fn run() -> Result<()> {
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
