//! How time, memory and disk grow with the number of credentials and of audit rows, on one engine after the other.
//!
//! All databases of an engine are made first, which may take hours beside other work; what is compared is then measured in
//! one sitting, the rounds in process in turns. They are removed before the next engine begins.

mod figures;
mod fill;
mod program;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use warifu::ambient::{Clock as _, SystemClock, stopwatch};
use warifu::database::{Connection, Location, PostgresUrl, Value};
use warifu::store::audit;
use warifu_credentials::{Period, TimeStep};

use crate::Result;
use crate::args::{Args, Engine};
use crate::database::{self, Prepared};
use crate::driver::Driven;
use crate::http::load::{self, Requests};
use crate::http::steps::Steps;
use crate::machine::Disk;
use crate::round::{Round, Series, real};
use crate::site::Site;
use crate::used::Used;
use figures::{Figures, Growth};

/// Keep-alive connections.
const CONNECTIONS: usize = 64;

/// Tokens of a round over HTTP at most: the requests of all are written beforehand.
const ASKED: usize = 200_000;

/// Requests over HTTP are named from here on: those in process are named from 0.
const NAMED_FROM: u64 = 1 << 40;

/// A database and what is known of it.
struct Made {
    site: Site,
    postgres: Option<PostgresUrl>,
    prepared: Option<Prepared>,
    figures: Figures,
    /// Requests that were answered, and audit rows that were laid.
    rows: u64,
    /// Audit rows before all that.
    begun: u64,
}

/// Measures and prints, and writes the same for programs.
pub(crate) fn measure(args: &Args, disk: &Disk, folder: &Path, machine: String) -> Result<()> {
    let mut growth = Growth::new(machine);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    for engine in &args.growth {
        let mut all = Vec::new();
        for (size, trail) in args.databases() {
            all.push(Made::new(*engine, size, trail, folder, &runtime)?);
        }
        args.pause()?;
        for made in &mut all {
            made.over_http(&runtime, disk, args)?;
        }
        in_process(&mut all, &runtime, disk, args)?;
        println!("measured: what follows minds nobody");
        for made in all {
            growth.push(made.finish()?)?;
        }
    }
    println!("\n{growth}");
    Ok(())
}

impl Made {
    /// Makes a database with so many credentials and audit rows.
    fn new(
        engine: Engine,
        size: u32,
        trail: u64,
        folder: &Path,
        runtime: &Runtime,
    ) -> Result<Self> {
        println!("{engine:?}, {size} credentials, {trail} audit rows");
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(new_postgres(&format!("warifu_growth_{size}_{trail}"))?),
        };
        let start = stopwatch();
        let folder = folder.join(format!("growth-{size}-{trail}"));
        let (site, prepared) = Site::prepare(&folder, postgres.clone(), size)?;
        let mut figures = Figures::new(engine, size);
        figures.load_s = start.elapsed().as_secs_f64();
        figures.credentials_bytes = bytes(&prepared.location, &["credentials"])?;
        let begun = rows(&prepared.location)?;

        let (prepared, laid) = fill::fill(runtime, prepared, size, trail, &mut figures.laid)?;
        let location = &prepared.location;
        database::settle_postgres(location)?;
        figures.rows = rows(location)?;
        figures.audit_bytes = bytes(location, &["audit"])?;
        figures.index_bytes = bytes(
            location,
            &[
                "request_blocks",
                "request_filters",
                "audit_request",
                "audit_pkey",
            ],
        )?;
        Ok(Self {
            site,
            postgres,
            prepared: Some(prepared),
            figures,
            rows: laid,
            begun,
        })
    }

    /// The program as it starts and under load.
    fn over_http(&mut self, runtime: &Runtime, disk: &Disk, args: &Args) -> Result<()> {
        self.figures.start = program::start(&self.site)?;
        self.rows += 1;
        let serving = self.site.serve()?;
        let mut steps = Steps::of(self.figures.size, ASKED);
        let mut before = None;
        for number in 1..=args.rounds() {
            let process = serving.process();
            // Before the codes are made: it may wait for longer than they are good.
            let fdatasync = disk.fdatasync()?;
            let now = newer_step(before);
            before = Some(now);
            let turns = steps.turns(now, ASKED)?;
            let key = self.site.api_key.expose();
            let requests = Requests::validations(&turns, key, NAMED_FROM + self.rows)?;
            let round = runtime.block_on(async {
                let streams = load::connect(serving.address, CONNECTIONS).await?;
                let used = Used::there(&process)?;
                let (waits, took) = load::run(streams, &Arc::new(requests), args.round()).await?;
                let spent = Used::there(&process)?.since(&used);
                Result::Ok(Round::new(fdatasync, took, waits, spent))
            })?;
            println!("  round {number} over HTTP: {round}");
            steps.spend(turns.get(..round.answered).unwrap_or_default());
            self.rows += u64::try_from(round.answered)?;
            self.figures.http.rounds.push(round);
        }
        self.figures.loaded_kib = serving.resident_kib()?;
        serving.kill()
    }

    /// Checks what the database holds against what was answered, has its trail verified, and removes it.
    fn finish(mut self) -> Result<Figures> {
        let prepared = self.prepared.take().ok_or("the database is in use")?;
        let found = rows(&prepared.location)? - self.begun;
        if found != self.rows {
            return Err(format!(
                "{} rows were laid or answered, but the trail has {found} more",
                self.rows
            )
            .into());
        }
        self.figures.verify = program::verify(&self.site, &prepared)?;
        drop(prepared);
        self.site.remove()?;
        if let Some(url) = self.postgres {
            database::drop_postgres(&url)?;
        }
        println!("{}", self.figures);
        Ok(self.figures)
    }
}

/// The step of now, after waiting for one that is later than that of the round before: a token that is asked twice in one
/// would seem to run ahead, and the rounds in process ask for the codes of clocks that do not.
fn newer_step(before: Option<TimeStep>) -> TimeStep {
    loop {
        let now = TimeStep::from_unix_seconds(SystemClock.now().as_second(), Period::DEFAULT);
        if before.is_none_or(|before| before < now) {
            return now;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Rounds in process, each database in its turn.
fn in_process(all: &mut [Made], runtime: &Runtime, disk: &Disk, args: &Args) -> Result<()> {
    let mut driven = Vec::new();
    for made in all.iter_mut() {
        let prepared = made.prepared.take().ok_or("the database is in use")?;
        let opened = Driven::open_with_cache(prepared, made.figures.size, args.cache_mib())?;
        for in_flight in args.in_flight() {
            runtime.block_on(opened.round(disk, in_flight, Duration::from_millis(500)))?;
            let name = format!("{in_flight} in flight");
            made.figures.in_process.push(Series {
                name,
                rounds: Vec::new(),
            });
        }
        driven.push(opened);
    }
    for number in 1..=args.rounds() {
        for (made, driven) in all.iter_mut().zip(&driven) {
            let figures = &mut made.figures;
            for (in_flight, series) in args.in_flight().iter().zip(&mut figures.in_process) {
                let round = runtime.block_on(driven.round(disk, *in_flight, args.round()))?;
                println!(
                    "  round {number}, {} credentials, {} audit rows, {in_flight} in flight: {round}",
                    figures.size, figures.rows
                );
                series.rounds.push(round);
            }
        }
    }
    for (made, driven) in all.iter_mut().zip(driven) {
        made.rows += driven.turns();
        made.prepared = Some(driven.close()?.0);
    }
    Ok(())
}

fn new_postgres(name: &str) -> Result<PostgresUrl> {
    match database::postgres(name)? {
        (Location::Postgres(url), settings) => {
            println!("  {settings}");
            Ok(url)
        }
        (Location::Sqlite(_), _) => Err("not a PostgreSQL".into()),
    }
}

/// How many audit rows there are, as the heads of the streams say.
fn rows(location: &Location) -> Result<u64> {
    let heads = Connection::open_reader(location)?.read(audit::heads)?;
    Ok(heads.iter().map(|head| head.position.sequence).sum())
}

/// Bytes on the disk of tables and indexes, those that are there.
fn bytes(location: &Location, names: &[&str]) -> Result<u64> {
    let mut connection = Connection::open_reader(location)?;
    let sql = match location {
        Location::Sqlite(_) => "SELECT pgsize FROM dbstat WHERE aggregate = 1 AND name = ?1",
        Location::Postgres(_) => {
            "SELECT CAST(SUM(pg_relation_size(oid)) AS BIGINT) FROM pg_class WHERE relname = ?1"
        }
    };
    let mut sum = 0;
    for name in names {
        let found = connection
            .read(|tx| tx.query_one(sql, &[Value::Text(name)], |row| row.maybe_int(0)))?;
        sum += u64::try_from(found.flatten().unwrap_or_default())?;
    }
    Ok(sum)
}

/// A count in millions.
fn millions(count: u64) -> f64 {
    real(count) / 1e6
}
