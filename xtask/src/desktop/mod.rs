//! `cargo xtask desktop`: the desktop program, a workspace of its own that the everyday run leaves alone
//! (docs/decisions/0022-desktop.md).

pub(crate) mod package;

use std::process::Command;

use anyhow::Result;
use clap::Subcommand;

use crate::run::{self, Steps};
use crate::{packages, test, workspace};

/// `cargo xtask desktop`
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Install what it is built and driven with, on Debian and Ubuntu (this is what no word does, too).
    Install,
    /// Its lints, its tests, and the smoke test that drives its window.
    Test(TestArgs),
    /// Build it for release and make a .deb of it, in target/desktop.
    Build,
}

#[derive(clap::Args)]
struct TestArgs {
    /// Handed on to the test runner, a filter for example.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs one of its parts.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.what {
        None | Some(What::Install) => {
            packages::for_desktop_build()?;
            packages::for_desktop_tests()
        }
        Some(What::Test(args)) => tests(&args.rest),
        Some(What::Build) => {
            packages::for_desktop_build()?;
            package::make()
        }
    }
}

/// Cargo on the desktop's manifest, with a target folder of its own: the everyday run's dependencies have other features.
fn cargo(command: &str) -> Command {
    let mut cargo = run::cargo();
    cargo.args([command, "--locked", "--manifest-path", workspace::DESKTOP]);
    cargo
}

fn tests(rest: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    let is_ready = steps.step("programs for the desktop", || {
        packages::for_desktop_build()?;
        packages::for_desktop_tests()
    });
    if !is_ready {
        return steps.summary();
    }
    steps.step("lints", || {
        run::checked(cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]))
    });
    let has_service = steps.step("build warifu", || {
        run::checked(run::cargo().args(["build", "--package", "warifu", "--bin", "warifu"]))
    });
    steps.step("tests", || run::checked(cargo("test").arg("--").args(rest)));
    if has_service {
        steps.step("smoke test", || {
            let pictures = workspace::target_dir()?.join("screenshots");
            let mut smoke = cargo("test");
            smoke
                .args(["--test", "smoke", "--", "--ignored", "--test-threads=1"])
                .args(rest)
                .env("WARIFU_BIN", test::binary("warifu")?)
                .env("WARIFU_SCREENSHOTS", &pictures);
            run::checked(&mut smoke)?;
            println!("pictures: {}", pictures.display());
            Ok(())
        });
    }
    steps.summary()
}
