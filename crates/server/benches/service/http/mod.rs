//! The `warifu` program under load over HTTP: validations beside the bare JSON answer of the same server.

mod figures;
pub(crate) mod load;
mod memory;
mod samples;
pub(crate) mod steps;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use warifu::ambient::{Clock as _, SystemClock};
use warifu_credentials::{Period, TimeStep};

use crate::Result;
use crate::args::Args;
use crate::check::{self, Newest};
use crate::database::Prepared;
use crate::machine::Disk;
use crate::report::Report;
use crate::round::{Round, best_fdatasync};
use crate::site::{Serving, Site};
use crate::used::Used;
pub(crate) use figures::HttpFigures;
use load::Requests;
use samples::Sampling;
use steps::Steps;

/// Credentials of the server: those that its memory is judged with, and beside the bare answer.
const CREDENTIALS: u32 = 100_000;

/// Credentials of the server beside it.
const MANY: u32 = 1_000_000;

/// Keep-alive connections.
const CONNECTIONS: usize = 64;

/// Rounds that are added at most while the disk is too uneven.
const EXTRA: u16 = 4;

/// Tokens that must have a new code for a round to begin.
const READY: usize = 50_000;

/// Codes that are made for a round: more than it has time for.
const MADE: usize = 400_000;

/// A server and everything that its rounds need.
struct Bench {
    site: Site,
    prepared: Prepared,
    server: Serving,
    steps: Steps,
    runtime: Runtime,
    bare: Arc<Requests>,
    length: Duration,
    /// Validations answered so far.
    answered: u64,
}

/// The rounds over HTTP.
pub(crate) fn measure(args: &Args, disk: &Disk, folder: &Path, report: &mut Report) -> Result<()> {
    let mut bench = Bench::begin(args, &folder.join("http"), CREDENTIALS)?;
    let mut many = (!args.quick)
        .then(|| Bench::begin(args, &folder.join("http-many"), MANY))
        .transpose()?;
    bench.bare(disk)?;
    bench.validate(disk)?;
    if let Some(many) = &mut many {
        many.validate(disk)?;
    }
    if let Some(stacks) = &args.samples {
        let sampling = Sampling::begin(&folder.join("samples"), bench.length)?;
        let round = bench.validate(disk)?;
        println!("  sampled, validations: {round}");
        sampling.write(&bench.server.process(), stacks)?;
    }
    let mut figures = HttpFigures::new(CREDENTIALS, many.as_ref().map(|_| MANY), CONNECTIONS);
    figures.memory.start_kib = bench.server.resident_kib()?;
    for number in 1..=args.rounds() + EXTRA {
        let best = best_fdatasync(figures.series());
        let enough = figures.series().all(|series| series.enough(best));
        if number > args.rounds() && (args.quick || enough) {
            break;
        }
        let bare = bench.bare(disk)?;
        println!("  round {number}, bare answer: {bare}");
        figures.bare.rounds.push(bare);
        let validate = bench.validate(disk)?;
        println!("  round {number}, validations: {validate}");
        figures.validate.rounds.push(validate);
        figures
            .memory
            .add(bench.answered, bench.server.resident_kib()?);
        if let (Some(many), Some(series)) = (&mut many, &mut figures.many) {
            let validate = many.validate(disk)?;
            println!("  round {number}, validations, {MANY} credentials: {validate}");
            series.rounds.push(validate);
        }
    }
    while bench.answered < args.memory_validations() {
        bench.validate(disk)?;
        let kib = bench.server.resident_kib()?;
        figures.memory.add(bench.answered, kib);
        println!(
            "  memory: {:.1} MiB after {} validations",
            crate::round::real(kib) / 1024.0,
            bench.answered
        );
    }
    figures.audit_row_bytes = bench.end()?;
    if let Some(many) = many {
        many.end()?;
    }
    report.http = Some(figures);
    Ok(())
}

impl Bench {
    fn begin(args: &Args, folder: &Path, credentials: u32) -> Result<Self> {
        println!("HTTP, SQLite, {credentials} credentials");
        let (site, prepared) = Site::prepare(folder, None, credentials)?;
        let server = site.serve()?;
        Ok(Self {
            steps: Steps::new(credentials),
            bare: Arc::new(Requests::bare()),
            // The server is a program of its own on the same cores; the loader takes as little as it can.
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?,
            length: args.round(),
            answered: 0,
            site,
            prepared,
            server,
        })
    }

    /// Ends the server without a warning and checks what it left; bytes of an audit row on the disk.
    fn end(self) -> Result<f64> {
        self.server.kill()?;
        let steps = Newest::Steps(self.steps.sum());
        let checked = check::database(&self.prepared, self.answered, steps)?;
        println!(
            "  checked after kill -9: {} answered accepted, as many audit rows, {} rows of the chain followed",
            self.answered, checked.followed
        );
        Ok(checked.audit_row_bytes)
    }

    fn bare(&self, disk: &Disk) -> Result<Round> {
        self.round(disk, &self.bare)
    }

    fn validate(&mut self, disk: &Disk) -> Result<Round> {
        let (turns, requests) = loop {
            let now = TimeStep::from_unix_seconds(SystemClock.now().as_second(), Period::DEFAULT);
            let turns = self.steps.turns(now, MADE)?;
            if turns.len() >= READY {
                let key = self.site.api_key.expose();
                let requests = Requests::validations(&turns, key, self.answered)?;
                break (turns, requests);
            }
            println!("  no token has a new code: waiting for the next time step");
            std::thread::sleep(Duration::from_secs(5));
        };
        let round = self.round(disk, &Arc::new(requests))?;
        self.steps
            .spend(turns.get(..round.answered).unwrap_or_default());
        self.answered += u64::try_from(round.answered)?;
        Ok(round)
    }

    fn round(&self, disk: &Disk, requests: &Arc<Requests>) -> Result<Round> {
        let fdatasync = disk.fdatasync()?;
        let process = self.server.process();
        self.runtime.block_on(async {
            let streams = load::connect(self.server.address, CONNECTIONS).await?;
            let before = Used::there(&process)?;
            let (waits, took) = load::run(streams, requests, self.length).await?;
            Ok(Round::new(
                fdatasync,
                took,
                waits,
                Used::there(&process)?.since(&before),
            ))
        })
    }
}
