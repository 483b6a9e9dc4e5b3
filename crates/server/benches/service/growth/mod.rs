//! How time, memory and disk grow with the number of credentials and of audit rows, on one engine after the other.
//!
//! Each database is made, measured and removed before the next one, so that the disk holds one at a time.

mod figures;
mod fill;
mod program;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use warifu::ambient::{Clock as _, SystemClock, stopwatch};
use warifu::database::{Connection, Location, PostgresUrl};
use warifu::store::audit;
use warifu_credentials::{Period, TimeStep};

use crate::args::{Args, Engine};
use crate::database;
use crate::driver::Driven;
use crate::http::load::{self, Requests};
use crate::http::steps::Steps;
use crate::machine::{Disk, resident_kib};
use crate::round::{Round, Series};
use crate::site::Site;
use crate::used::Used;
use crate::{Result, round};
use figures::{Figures, Growth, Milestone};

/// Keep-alive connections.
const CONNECTIONS: usize = 64;

/// Tokens of a round over HTTP at most: the requests of all are written beforehand.
const ASKED: usize = 400_000;

/// Requests over HTTP are named from here on: those in process are named from 0.
const NAMED_FROM: u64 = 1 << 40;

/// Measures and prints, and writes the same for programs.
pub(crate) fn measure(args: &Args, disk: &Disk, folder: &Path, machine: String) -> Result<()> {
    let mut growth = Growth::new(machine);
    let sizes = args.sizes();
    let largest = sizes.iter().max().copied();
    for engine in &args.growth {
        for size in &sizes {
            let trail = if Some(*size) == largest {
                args.trail.as_slice()
            } else {
                &[]
            };
            let figures = one(*engine, *size, trail, args, disk, folder)?;
            println!("{figures}");
            growth.push(figures)?;
        }
    }
    println!("\n{growth}");
    Ok(())
}

/// One database from its first credential to its end.
fn one(
    engine: Engine,
    size: u32,
    trail: &[u64],
    args: &Args,
    disk: &Disk,
    folder: &Path,
) -> Result<Figures> {
    println!("{engine:?}, {size} credentials");
    let folder = folder.join(format!("growth-{size}"));
    let postgres = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(new_postgres(size)?),
    };
    let mut figures = Figures::new(engine, size);
    let start = stopwatch();
    let (site, prepared) = Site::prepare(&folder, postgres.clone(), size)?;
    figures.load_s = start.elapsed().as_secs_f64();
    database::settle_postgres(&prepared.location)?;
    figures.credentials_bytes = bytes(&prepared.location, &["credentials"])?;
    let begun = rows(&prepared.location)?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut answered = over_http(&site, &runtime, disk, args, &mut figures)?;
    let driven = Driven::open(prepared, size)?;
    let mut filler = fill::Filler::new(&driven, size);
    measure_in_process(&runtime, &driven, disk, args, None, &mut figures)?;
    for goal in trail {
        let filled = filler.fill(&runtime, &driven, *goal)?;
        measure_in_process(&runtime, &driven, disk, args, filled, &mut figures)?;
    }
    drop(runtime);
    answered += filler.filled() + driven.turns();
    let (prepared, _, _) = driven.close()?;
    figures.restart = program::start(&site)?;
    // The start asked once, too.
    answered += 1;
    let found = rows(&prepared.location)? - begun;
    if found != answered {
        return Err(
            format!("{answered} requests were answered, but the trail has {found} more").into(),
        );
    }
    figures.verify = program::verify(&site, &prepared)?;
    drop(prepared);
    std::fs::remove_dir_all(&folder)?;
    if let Some(url) = postgres {
        database::drop_postgres(&url)?;
    }
    Ok(figures)
}

fn new_postgres(size: u32) -> Result<PostgresUrl> {
    match database::postgres(&format!("warifu_growth_{size}"))? {
        (Location::Postgres(url), settings) => {
            println!("  {settings}");
            Ok(url)
        }
        (Location::Sqlite(_), _) => Err("not a PostgreSQL".into()),
    }
}

/// The program as it starts and under load; how many requests it answered.
fn over_http(
    site: &Site,
    runtime: &Runtime,
    disk: &Disk,
    args: &Args,
    figures: &mut Figures,
) -> Result<u64> {
    pause(args)?;
    figures.start = program::start(site)?;
    let mut answered = 1;
    let serving = site.serve()?;
    let mut steps = Steps::of(figures.size, ASKED);
    for number in 1..=args.rounds() {
        // Before the codes are made: it may wait for longer than they are good.
        let fdatasync = disk.fdatasync()?;
        let now = TimeStep::from_unix_seconds(SystemClock.now().as_second(), Period::DEFAULT);
        let turns = steps.turns(now)?;
        let requests = Requests::validations(&turns, site.api_key.expose(), NAMED_FROM + answered)?;
        let process = serving.process();
        let round = runtime.block_on(async {
            let streams = load::connect(serving.address, CONNECTIONS).await?;
            let before = Used::there(&process)?;
            let (waits, took) = load::run(streams, &Arc::new(requests), args.round()).await?;
            let spent = Used::there(&process)?.since(&before);
            Result::Ok(Round::new(fdatasync, took, waits, spent))
        })?;
        println!("  round {number} over HTTP: {round}");
        steps.spend(turns.get(..round.answered).unwrap_or_default());
        answered += u64::try_from(round.answered)?;
        figures.http.rounds.push(round);
    }
    figures.loaded_kib = serving.resident_kib()?;
    println!("  measured");
    serving.kill()?;
    Ok(answered)
}

/// Rounds in process with the trail as it is now.
fn measure_in_process(
    runtime: &Runtime,
    driven: &Driven,
    disk: &Disk,
    args: &Args,
    filled: Option<f64>,
    figures: &mut Figures,
) -> Result<()> {
    let location = &driven.prepared.location;
    database::settle_postgres(location)?;
    pause(args)?;
    let in_flight = args.in_flight();
    for each in &in_flight {
        runtime.block_on(driven.round(disk, *each, Duration::from_millis(500)))?;
    }
    let mut series: Vec<_> = in_flight
        .iter()
        .map(|each| Series {
            name: format!("{each} in flight"),
            rounds: Vec::new(),
        })
        .collect();
    let before = rows(location)?;
    for number in 1..=args.rounds() {
        for (each, series) in in_flight.iter().zip(&mut series) {
            let round = runtime.block_on(driven.round(disk, *each, args.round()))?;
            println!("  round {number}, {before} audit rows, {each} in flight: {round}");
            series.rounds.push(round);
        }
    }
    figures.trail.push(Milestone {
        rows: before,
        filled_per_second: filled,
        audit_bytes: bytes(location, &["audit"])?,
        index_bytes: bytes(location, &["request_index", "audit_request"])?,
        driver_kib: resident_kib("self")?,
        series,
    });
    println!("  measured");
    Ok(())
}

/// Waits for a line on the standard input, if it shall.
fn pause(args: &Args) -> Result<()> {
    if args.pause {
        println!("paused: a line on the standard input, and it goes on");
        std::io::stdin().read_line(&mut String::new())?;
    }
    Ok(())
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
        let found = connection.read(|tx| {
            tx.query_one(sql, &[warifu::database::Value::Text(name)], |row| {
                row.maybe_int(0)
            })
        })?;
        sum += u64::try_from(found.flatten().unwrap_or_default())?;
    }
    Ok(sum)
}

/// A count in millions.
fn millions(count: u64) -> f64 {
    round::real(count) / 1e6
}
