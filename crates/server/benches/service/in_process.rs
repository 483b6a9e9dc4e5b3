//! Validations through the database without HTTP: sizes and loads of one engine in turn, round by round.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;
use warifu::database::Location;
use warifu_credentials::keyring::Keyring;

use crate::Result;
use crate::args::Args;
use crate::check::{self, Newest};
use crate::database::{self, Prepared};
use crate::driver::Driven;
use crate::machine::Disk;
use crate::report::{Report, StoreFigures};
use crate::round::{Series, best_fdatasync};

/// Rounds that are added at most while the disk is too uneven.
const EXTRA: u16 = 4;

/// The rounds on SQLite.
pub(crate) fn sqlite(args: &Args, disk: &Disk, folder: &Path, report: &mut Report) -> Result<()> {
    let mut databases = Vec::new();
    for size in args.sizes() {
        println!("SQLite, {size} credentials");
        databases.push((size, database::sqlite(folder, &format!("tokens-{size}"))));
    }
    engine("SQLite", databases, args, disk, report)
}

/// The rounds on PostgreSQL.
pub(crate) fn postgres(args: &Args, disk: &Disk, report: &mut Report) -> Result<()> {
    let mut databases = Vec::new();
    for size in args.sizes() {
        let (location, settings) = database::postgres(&format!("warifu_bench_{size}"))?;
        println!("PostgreSQL, {size} credentials; {settings}");
        databases.push((size, location));
    }
    engine("PostgreSQL", databases, args, disk, report)
}

fn engine(
    name: &'static str,
    databases: Vec<(u32, Location)>,
    args: &Args,
    disk: &Disk,
    report: &mut Report,
) -> Result<()> {
    // As many workers as the server has cores for on the machine that the thresholds speak of.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut driven = Vec::new();
    for (size, location) in databases {
        let keyring = Keyring::parse(&database::new_key())?;
        let api_key = database::new_api_key();
        let prepared = Prepared::new(location, keyring, &api_key, size)?;
        database::settle_postgres(&prepared.location)?;
        driven.push((
            size,
            Driven::open_with_cache(prepared, size, args.cache_mib())?,
        ));
    }
    let mut figures: Vec<_> = driven
        .iter()
        .flat_map(|(size, _)| {
            args.in_flight().into_iter().map(move |in_flight| {
                let title = format!("{name}, {size} credentials, {in_flight} in flight");
                StoreFigures::new(name, *size, in_flight, Series::new(title))
            })
        })
        .collect();
    runtime.block_on(warm_up(&driven, args, disk))?;
    rounds(&runtime, &driven, &mut figures, args, disk)?;
    drop(runtime);
    for (size, driven) in driven {
        let (prepared, tokens, turns) = driven.close()?;
        let newest = Newest::Clocks(tokens.sum_of_steps(turns)?);
        let checked = check::database(&prepared, turns, newest)?;
        println!(
            "  checked {name}, {size} credentials: {turns} answered accepted, as many audit rows, every step spent, \
             {} rows of the chain followed, {:.0} bytes an audit row",
            checked.followed, checked.audit_row_bytes
        );
        for figure in figures.iter_mut().filter(|figure| figure.size == size) {
            figure.audit_row_bytes = checked.audit_row_bytes;
        }
    }
    report.store.append(&mut figures);
    Ok(())
}

async fn warm_up(driven: &[(u32, Driven)], args: &Args, disk: &Disk) -> Result<()> {
    for (size, driven) in driven {
        if matches!(driven.prepared.location, Location::Sqlite(_)) {
            println!("  {size} credentials: {}", driven.pragmas().await?);
        }
        for in_flight in args.in_flight() {
            driven
                .round(disk, in_flight, Duration::from_millis(500))
                .await?;
        }
    }
    Ok(())
}

/// Every kind once, and again, so that what the machine does beside falls on all of them.
fn rounds(
    runtime: &Runtime,
    driven: &[(u32, Driven)],
    figures: &mut [StoreFigures],
    args: &Args,
    disk: &Disk,
) -> Result<()> {
    for number in 1..=args.rounds() + EXTRA {
        let best = best_fdatasync(figures.iter().map(|figure| &figure.series));
        let enough = |figure: &StoreFigures| figure.series.enough(best);
        if number > args.rounds() && (args.quick || figures.iter().all(enough)) {
            break;
        }
        for figure in figures.iter_mut() {
            let Some((_, driven)) = driven.iter().find(|(size, _)| *size == figure.size) else {
                continue;
            };
            let round = runtime.block_on(driven.round(disk, figure.in_flight, args.round()))?;
            println!("  round {number}, {}: {round}", figure.series.name);
            figure.series.rounds.push(round);
        }
    }
    Ok(())
}
