//! `cargo xtask test`: what README tells to run, and what CI runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::postgres::Cluster;
use crate::run::{self, Steps};
use crate::{deny, failover, packages, tidy, workspace};

/// `cargo xtask test`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this part; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Handed on to the Rust test runner, a filter for example.
    #[arg(last = true)]
    rest: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Fmt,
    Clippy,
    Tidy,
    Rust,
    Failover,
    Browser,
}

/// Runs the parts that are asked for; a failure of one does not keep the others from running.
pub(crate) fn run(args: &Args) -> Result<()> {
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let mut steps = Steps::default();
    if wanted(Part::Fmt) {
        steps.step("format", || {
            run::checked(run::cargo().args(["fmt", "--all", "--", "--check"]))?;
            let mut desktop = run::cargo();
            desktop.args(["fmt", "--manifest-path", workspace::DESKTOP]);
            run::checked(desktop.args(["--", "--check"]))
        });
    }
    if wanted(Part::Clippy) {
        steps.step("lints", || {
            let mut clippy = run::cargo();
            clippy.args(["clippy", "--workspace", "--all-targets"]);
            run::checked(clippy.args(["--", "-D", "warnings"]))
        });
    }
    if wanted(Part::Tidy) {
        steps.step("house rules", tidy::run);
        dependencies(&mut steps);
    }
    if wanted(Part::Rust) {
        rust(&mut steps, &args.rest);
    }
    if wanted(Part::Failover) {
        steps.step("fail-over, its short form", || {
            failover::run(&failover::Args::short())
        });
    }
    if wanted(Part::Browser) {
        browser(&mut steps);
    }
    steps.summary()
}

/// The whole of cargo-deny needs the network and minutes to install; where it is, it runs.
fn dependencies(steps: &mut Steps) {
    if deny::installed() {
        steps.step("dependencies", deny::shape);
    } else {
        steps.skip(
            "dependencies",
            "cargo-deny is not installed (`cargo xtask deny` installs and runs it)",
        );
    }
}

fn rust(steps: &mut Steps, rest: &[String]) {
    if !steps.step("programs for the Rust tests", packages::for_rust_tests) {
        return;
    }
    let mut cluster = None;
    if !steps.step("start PostgreSQL", || {
        cluster = Some(Cluster::start()?);
        Ok(())
    }) {
        return;
    }
    let Some(cluster) = cluster else { return };
    let nextest = run::exists("cargo-nextest");
    let mut tests = run::cargo();
    if nextest {
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        tests.args(rest);
    } else {
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        tests.arg("--").args(rest);
    }
    steps.step("Rust tests", || run::checked(cluster.announce(&mut tests)));
    // cargo test runs them itself; nextest leaves them out. A filter asks for one test alone.
    if nextest && rest.is_empty() {
        steps.step("documentation tests", || {
            let mut doc = run::cargo();
            run::checked(cluster.announce(doc.args(["test", "--doc", "--workspace"])))
        });
    }
    steps.step("stop PostgreSQL", || {
        drop(cluster);
        Ok(())
    });
}

fn browser(steps: &mut Steps) {
    if !steps.step(
        "programs for the browser tests",
        packages::for_browser_tests,
    ) {
        return;
    }
    if !steps.step("build warifu and its token", build_programs) {
        return;
    }
    let folder = workspace::root().join("tests/browser");
    if !steps.step("npm ci", || {
        let mut npm = run::program("npm");
        npm.current_dir(&folder);
        run::checked(npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
    }) {
        return;
    }
    steps.step("types of the token's page", || {
        let compiler = folder.join("node_modules/typescript/bin/tsc");
        let app = workspace::root().join("apps/web-token");
        for project in ["tsconfig.json", "tsconfig.worker.json"] {
            let mut types = run::program("node");
            run::checked(types.arg(&compiler).arg("--project").arg(app.join(project)))?;
        }
        Ok(())
    });
    steps.step("browser tests", || {
        let mut node = run::program("node");
        node.current_dir(&folder)
            .args(["--test", "--test-concurrency=1"])
            .env("WARIFU_BIN", binary("warifu")?)
            .env("WARIFU_CLOCKED_BIN", binary("examples/clocked")?)
            .env("WARIFU_TOKEN_BIN", binary("warifu-token")?);
        if let Some(chromium) = packages::chromium() {
            node.env("CHROMIUM", chromium);
        }
        run::checked(&mut node)
    });
}

/// Builds what [`binary`] gives.
pub(crate) fn build_programs() -> Result<()> {
    let mut build = run::cargo();
    // The whole workspace, as the tests were built: other features would compile every dependency again.
    run::checked(build.args(["build", "--workspace", "--bins", "--examples"]))
}

/// A program of the workspace, as `cargo build` leaves it.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let target = workspace::target_dir()?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join("debug").join(file))
}
