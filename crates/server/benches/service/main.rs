//! What a validation costs: in one thread, through the database on both engines, and over HTTP.
//!
//! `cargo xtask bench` runs it beside a private PostgreSQL cluster. Times never fail the run, a wrong count does: every
//! timed validation is a right code that was answered `accepted`, and the databases are checked for it afterwards.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark tells its figures on the standard output"
)]

mod args;
mod check;
mod cpu;
mod credentials;
mod database;
mod driver;
mod growth;
mod http;
mod in_process;
mod machine;
mod report;
mod round;
mod site;
mod thresholds;
mod used;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Part};

/// The same as the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Anything that keeps the benchmark from its figures.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.bench {
        println!("figures come from an optimised build only: cargo xtask bench");
        return ExitCode::SUCCESS;
    }
    credentials::RANDOM_KEYS.get_or_init(|| args.random_keys);
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("the benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut report = report::Report::new(machine::describe(folder.path())?);
    println!("{}", report.machine);
    let disk = machine::Disk::new(folder.path(), args.patience());
    if !args.growth.is_empty() {
        return growth::measure(args, &disk, folder.path(), report.machine);
    }
    if args.has(Part::Cpu) {
        report.cpu = Some(cpu::measure(args.quick)?);
    }
    if args.has(Part::Sqlite) {
        in_process::sqlite(args, &disk, folder.path(), &mut report)?;
    }
    if args.has(Part::Postgres) {
        in_process::postgres(args, &disk, &mut report)?;
    }
    if args.has(Part::Http) {
        http::measure(args, &disk, folder.path(), &mut report)?;
    }
    report.finish()
}
