//! The runs that take minutes to hours: soak and bench, each with a private PostgreSQL cluster.

use anyhow::Result;

use crate::postgres::Cluster;
use crate::run;

/// `cargo xtask soak`, `cargo xtask bench`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on: to the test harness (a filter, say), or to the benchmark.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// The ignored tests of the server whose names begin with `soak_`.
pub(crate) fn soak(args: &Args) -> Result<()> {
    let cluster = Cluster::start()?;
    let mut command = run::cargo();
    command
        .args(["test", "--package", "warifu", "--release", "--test", "it"])
        .args([
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
            "soak_",
        ])
        .args(&args.rest);
    run::checked(cluster.announce(&mut command))
}

/// The benchmark `service` of the server.
pub(crate) fn bench(args: &Args) -> Result<()> {
    let cluster = Cluster::start()?;
    let mut command = run::cargo();
    command
        .args(["bench", "--package", "warifu", "--bench", "service", "--"])
        .args(&args.rest);
    run::checked(cluster.announce(&mut command))
}
