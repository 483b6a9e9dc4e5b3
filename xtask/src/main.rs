//! What developers and CI run: `cargo xtask COMMAND`.
//!
//! An ordinary program, so that every step reads the same on a developer's machine and in CI.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool says on standard output what it does"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "no rule of the product lives here: a tool reads the clock, the environment and random bytes itself"
)]

mod deb;
mod deny;
mod desktop;
mod failover;
mod flame;
mod fuzz;
mod long_runs;
mod notices;
mod packages;
mod ports;
mod postgres;
mod race;
mod run;
mod schemathesis;
mod simulate;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything CI checks: format, lints, house rules, tests on both databases, browser tests.
    Test(test::Args),
    /// The house rules: crate edges, sizes, the table of rules, links, migrations and so on.
    Tidy,
    /// Run a command with a PostgreSQL cluster of its own (`cargo xtask postgres -- COMMAND…`).
    Postgres(postgres::Args),
    /// Is a code accepted twice, a lock passed, under callers that all come at once?
    Race(race::Args),
    /// Right codes as fast as the answers come, against several servers in turns.
    Load(race::load::Args),
    /// A bank over a PostgreSQL cluster that loses machines under load: is anything lost, or done twice?
    Failover(failover::Args),
    /// The long-form tests of the server.
    Soak(long_runs::Args),
    /// The benchmark of the server.
    Bench(long_runs::Args),
    /// Where the server's time goes while it validates, as a flame graph (installs inferno when missing).
    Flame(flame::Args),
    /// The plan for 100 million customers, played (docs/scale.md).
    Simulate(simulate::Args),
    /// At least 10,000 generated requests, right and malformed, against the server's own OpenAPI.
    Schemathesis(schemathesis::Args),
    /// libFuzzer on everything that reads bytes from outside, one target after the other (installs cargo-fuzz when missing).
    Fuzz(fuzz::Args),
    /// The desktop program, which is a workspace of its own: install what it needs, test it, make its package.
    Desktop(desktop::Args),
    /// A Debian package of the server: built, packed, unpacked and run.
    Deb(deb::Args),
    /// Licences, advisories, banned and doubled dependencies (installs cargo-deny when missing).
    Deny(deny::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Tidy => tidy::run(),
        Command::Postgres(args) => postgres::run(&args),
        Command::Race(args) => race::run(&args),
        Command::Load(args) => race::load::run(&args),
        Command::Failover(args) => failover::run(&args),
        Command::Soak(args) => long_runs::soak(&args),
        Command::Bench(args) => long_runs::bench(&args),
        Command::Flame(args) => flame::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Schemathesis(args) => schemathesis::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Desktop(args) => desktop::run(&args),
        Command::Deb(args) => deb::run(&args),
        Command::Deny(args) => deny::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
