//! `cargo xtask failover`: a bank over a PostgreSQL cluster that loses machines under load, and what must hold afterwards.
//!
//! Everything is real and a process of its own: PostgreSQL, Patroni, etcd and HAProxy from Debian's packages, two copies of
//! `warifu serve`. The judge shares no code with the accused (docs/decisions/0026-failover.md).

mod bank;
mod browser;
mod checks;
mod cluster;
mod faults;
mod load;
mod network;
mod place;
mod record;
mod sample;
mod table;
mod transfers;
mod validations;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum as _;

use self::bank::{Bank, COPIES};
use self::checks::Checks;
use self::cluster::Cluster;
use self::faults::Fault;
use self::load::Load;
use self::network::Network;
use self::place::{Place, Watchdog};
use self::record::{Kind, Record};
use self::table::{Row, Table};
use crate::{packages, run, test};

/// How long the clients may take to settle what they began.
const SETTLED: Duration = Duration::from_secs(150);

/// `cargo xtask failover`
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// One kill of the primary alone
    #[arg(long)]
    short: bool,
    /// Only this fault; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Fault>,
    /// Everything on loopback, without network namespaces: nobody can be cut off
    #[arg(long)]
    loopback: bool,
    /// Used by the command itself, in a network of its own
    #[arg(long, hide = true, num_args = 2, value_names = ["FOLDER", "PROGRAM"])]
    inside: Vec<PathBuf>,
}

impl Args {
    /// The short form.
    pub(crate) fn short() -> Self {
        Self {
            short: true,
            ..Self::default()
        }
    }

    fn faults(&self) -> Vec<Fault> {
        if self.short {
            vec![Fault::Kill]
        } else if self.only.is_empty() {
            Fault::ALL.to_vec()
        } else {
            self.only.clone()
        }
    }
}

/// Builds, then goes into a network of its own where that can be made.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let [folder, program] = args.inside.as_slice() {
        return inside(args, folder, program, Network::namespaces()?);
    }
    packages::for_failover()?;
    test::build_programs()?;
    let program = test::binary("warifu")?;
    let (_watchdog, folder) = Watchdog::over_a_new_folder()?;
    if args.loopback || !network::namespaces_possible() {
        let cuts: Vec<_> = args
            .faults()
            .into_iter()
            .filter(|it| it.needs_a_cut())
            .collect();
        if !cuts.is_empty() {
            bail!(
                "{cuts:?}: needs network namespaces (Linux, root): leave --loopback away, or name other faults with --only"
            );
        }
        return inside(args, &folder, &program, Network::loopback()?);
    }
    let mut again = run::program("unshare");
    again
        .args(["--net", "--mount", "--"])
        // The build above may have put a new file in the place of the one that runs.
        .arg(format!("/proc/{}/exe", std::process::id()))
        .arg("failover")
        .process_group(0);
    for fault in args.faults() {
        let value = fault
            .to_possible_value()
            .context("a fault without a name")?;
        again.args(["--only", value.get_name()]);
    }
    let mut child = again
        .arg("--inside")
        .arg(&folder)
        .arg(&program)
        .spawn()
        .context("cannot start unshare")?;
    place::note(&folder, "inside", child.id())?;
    let status = child.wait()?;
    if !status.success() {
        bail!("not everything is green: {status}");
    }
    Ok(())
}

fn inside(args: &Args, folder: &Path, program: &Path, network: Network) -> Result<()> {
    let begun = Instant::now();
    let place = Place::new(folder)?;
    println!("logs: {}", place.logs().display());
    let mut cluster = Cluster::start(&place, network)?;
    said(begun, "the cluster is whole");
    for sql in [
        "CREATE ROLE warifu LOGIN",
        "CREATE DATABASE warifu_tokens OWNER warifu",
        "CREATE DATABASE warifu_bank OWNER warifu",
        "CREATE TABLE probe (at TIMESTAMPTZ NOT NULL DEFAULT now())",
    ] {
        cluster.sql("postgres", sql)?;
    }
    let mut bank = Bank::new(&place, program.to_path_buf(), cluster.network().database)?;
    let sample = bank.prepare(load::CREDENTIALS, load::CONTRACTS)?;
    for number in 0..COPIES {
        bank.start(number)?;
    }
    bank.wait_until_ready()?;
    said(begun, "two copies of warifu are ready");
    let copies = bank.addresses().to_vec();
    let record = Record::new();
    let load = Load::new(&place, &copies, &sample, &record)?;
    load.sign_in()?;
    said(begun, "all customers are signed in");
    let mut table = Table::default();
    let outcome = std::thread::scope(|scope| {
        load.start(scope);
        let mut checks = Checks::default();
        let outcome = args.faults().into_iter().try_for_each(|fault| {
            said(begun, fault.text());
            let row = one(fault, &mut cluster, &mut bank, &load, &mut checks)?;
            println!("{}", row.line());
            table.add(row);
            Ok(())
        });
        record.finish();
        outcome
    });
    let papers = load.papers(&place)?;
    said(begun, "done");
    println!("{}", table.text(papers, begun.elapsed()));
    std::fs::write(
        place.logs().join("table.md"),
        table.text(papers, begun.elapsed()),
    )?;
    outcome.and_then(|()| table.verdict())
}

fn said(begun: Instant, what: &str) {
    println!("[{:6.1} s] {what}", begun.elapsed().as_secs_f64());
}

/// One fault under load, and the checks after it.
fn one(
    fault: Fault,
    cluster: &mut Cluster,
    bank: &mut Bank,
    load: &Load,
    checks: &mut Checks,
) -> Result<Row> {
    let record = load.record;
    record.open();
    load.wait_until_it_flows()?;
    let unknown = record.settled().unknown;
    let begun = Instant::now();
    let happened = fault.happen(cluster, bank);
    let (said, wrong) = match happened {
        Ok(said) => (said, None),
        Err(error) => {
            cluster.restore()?;
            bank.restore()?;
            (String::new(), Some(format!("{error:#}")))
        }
    };
    cluster.wait_until_whole()?;
    bank.wait_until_ready()?;
    load.wait_until_it_flows()?;
    let gaps = [Kind::Validation, Kind::Transfer].map(|kind| record.longest_gap(kind, begun));
    let acknowledged =
        [Kind::Validation, Kind::Transfer].map(|kind| record.count_since(kind, begun));
    let took = begun.elapsed();
    record.close(SETTLED)?;
    let unknown = record.settled().unknown - unknown;
    let found = checks.look(cluster, bank, load)?;
    let faults = wrong.into_iter().chain(found.faults).collect();
    Ok(Row {
        fault: fault.text(),
        said,
        took,
        gaps,
        acknowledged,
        unknown,
        asked: found.asked,
        faults,
    })
}
