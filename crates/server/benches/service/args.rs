//! The words on the command line, after `cargo xtask bench --`.

use std::path::PathBuf;
use std::time::Duration;

/// What a validation costs, as ratios from one run.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo xtask bench --")]
pub(crate) struct Args {
    /// A look of about a minute: few credentials and short rounds, so what it says of thresholds means little.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Instead of everything else: how it grows with credentials (`--size`) and audit rows (`--trail`). Hours and tens of
    /// gigabytes, as the sizes say.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) growth: Vec<Engine>,
    /// Audit rows, for growth: each is laid over a database of its own, with as many credentials as the middle one of the
    /// sizes.
    #[arg(long, value_delimiter = ',')]
    trail: Vec<u64>,
    /// Growth waits for a line on the standard input before it measures, so that a machine that others use as well can be
    /// made quiet first; loading does not mind them.
    #[arg(long)]
    pause: bool,
    /// Requests whose keys tell no time, so that each has a place of its own in the index; without it they are UUIDs of
    /// version 7, as the bank's.
    #[arg(long)]
    pub(crate) random_keys: bool,
    /// How many credentials, for the rounds in process.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(10_000..))]
    size: Vec<u32>,
    /// How many validations are in flight at once, for the rounds in process.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..4096))]
    in_flight: Vec<u16>,
    /// SQLite's page cache for the rounds in process, MiB; without it the server's default.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..65_536))]
    cache_mib: Option<u32>,
    /// Rounds of each kind; a few more are added while the disk is too uneven.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Also samples the server while it validates over HTTP, with perf, and writes the stacks into this file
    /// (`cargo xtask flame` draws them).
    #[arg(long)]
    pub(crate) samples: Option<PathBuf>,
    /// Cargo says so to every benchmark.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// One validation beside three HMACs, in one thread.
    Cpu,
    /// Through the database, on SQLite.
    Sqlite,
    /// Through the database, on PostgreSQL.
    Postgres,
    /// The `warifu` program over HTTP, on SQLite.
    Http,
}

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
pub(crate) enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Args {
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn sizes(&self) -> Vec<u32> {
        match (self.size.as_slice(), self.quick) {
            ([], true) => vec![20_000, 100_000],
            ([], false) => vec![100_000, 1_000_000],
            (sizes, _) => sizes.to_vec(),
        }
    }

    /// Credentials and audit rows of the databases that growth compares.
    pub(crate) fn databases(&self) -> Vec<(u32, u64)> {
        let sizes = self.sizes();
        let middle = sizes.get(sizes.len() / 2).copied();
        let trails = middle
            .into_iter()
            .flat_map(|size| self.trail.iter().map(move |trail| (size, *trail)));
        sizes.iter().map(|size| (*size, 0)).chain(trails).collect()
    }

    /// Waits for a line on the standard input, if it shall.
    pub(crate) fn pause(&self) -> crate::Result<()> {
        if self.pause {
            println!("paused: a line on the standard input, and it goes on");
            std::io::stdin().read_line(&mut String::new())?;
        }
        Ok(())
    }

    pub(crate) fn in_flight(&self) -> Vec<u16> {
        match self.in_flight.as_slice() {
            [] => vec![64, 256],
            given => given.to_vec(),
        }
    }

    pub(crate) fn cache_mib(&self) -> u32 {
        let default = || warifu::config::TokenServiceConfig::default().cache_mib;
        self.cache_mib.unwrap_or_else(default)
    }

    pub(crate) fn rounds(&self) -> u16 {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }

    /// How long a round lasts.
    pub(crate) fn round(&self) -> Duration {
        if self.quick {
            Duration::from_millis(500)
        } else {
            Duration::from_secs(3)
        }
    }

    /// How long the whole run may wait for a quiet disk.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 150 })
    }

    /// Validations over which the server's memory must stay flat.
    pub(crate) fn memory_validations(&self) -> u64 {
        if self.quick { 100_000 } else { 1_000_000 }
    }
}
