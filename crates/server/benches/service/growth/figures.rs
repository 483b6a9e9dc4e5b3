//! What growth came to, as a table and for programs.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fill::Laid;
use super::program::{Start, Verify};
use crate::Result;
use crate::args::Engine;
use crate::round::{Round, Series, best_fdatasync, real};

/// Everything that one run measured.
#[derive(Debug, Serialize)]
pub(super) struct Growth {
    machine: String,
    databases: Vec<Figures>,
}

/// One database.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// The engine.
    pub(super) engine: Engine,
    /// Credentials.
    pub(super) size: u32,
    /// Seconds that loading them took.
    pub(super) load_s: f64,
    /// Bytes of their table on the disk.
    pub(super) credentials_bytes: u64,
    /// Audit rows when it was measured, and how they were laid.
    pub(super) rows: u64,
    pub(super) laid: Vec<Laid>,
    /// Bytes of the audit table on the disk, and of its indexes.
    pub(super) audit_bytes: u64,
    pub(super) index_bytes: u64,
    /// A start, with as much to read back as the last of the rows left.
    pub(super) start: Start,
    /// Over HTTP.
    pub(super) http: Series,
    /// The server's resident memory afterwards, KiB.
    pub(super) loaded_kib: u64,
    /// In process.
    pub(super) in_process: Vec<Series>,
    /// A verification of the whole trail.
    pub(super) verify: Verify,
}

impl Growth {
    pub(super) fn new(machine: String) -> Self {
        Self {
            machine,
            databases: Vec::new(),
        }
    }

    /// Adds a database, and writes what there is so far: the next one may take an hour.
    pub(super) fn push(&mut self, figures: Figures) -> Result<()> {
        self.databases.push(figures);
        let file = file()?;
        std::fs::write(&file, serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

impl Figures {
    pub(super) fn new(engine: Engine, size: u32) -> Self {
        Self {
            engine,
            size,
            load_s: 0.0,
            credentials_bytes: 0,
            rows: 0,
            laid: Vec::new(),
            audit_bytes: 0,
            index_bytes: 0,
            start: Start::default(),
            http: Series {
                name: "over HTTP, 64 connections".into(),
                rounds: Vec::new(),
            },
            loaded_kib: 0,
            in_process: Vec::new(),
            verify: Verify::default(),
        }
    }

    fn best_us(&self) -> f64 {
        best_fdatasync(self.in_process.iter().chain([&self.http]))
    }
}

fn file() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .ok_or("the target folder has no parent")?
        .join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("growth.json"))
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        for figures in &self.databases {
            writeln!(f, "\n{figures}")?;
        }
        write!(
            f,
            "The same as JSON: bench/growth.json in the target folder."
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| real(kib) / 1024.0;
        let best = self.best_us();
        let rows = real(self.rows.max(1));
        writeln!(
            f,
            "{:?}, {} credentials, {} audit rows: loaded in {:.1} s, {:.0} bytes a credential, {:.0} bytes a row and {:.0} of \
             its indexes",
            self.engine,
            self.size,
            self.rows,
            self.load_s,
            real(self.credentials_bytes) / f64::from(self.size),
            real(self.audit_bytes) / rows,
            real(self.index_bytes) / rows
        )?;
        writeln!(
            f,
            "  start: listens after {:.2} s, answered after {:.2} s, {:.1} MiB; under load {:.1} MiB",
            self.start.listening_s,
            self.start.answered_s,
            mib(self.start.kib),
            mib(self.loaded_kib)
        )?;
        for series in [&self.http].into_iter().chain(&self.in_process) {
            writeln!(f, "  {}", line(series, best))?;
        }
        write!(
            f,
            "  audit verify: {:.1} s, at most {:.1} MiB",
            self.verify.seconds,
            mib(self.verify.kib)
        )
    }
}

fn line(series: &Series, best: f64) -> String {
    let median = |figure: fn(&Round) -> f64| series.median(best, figure).unwrap_or(f64::NAN);
    format!(
        "{}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, max {:.0} ms, CPU {:.1} µs, {:.0} B written ({} of {} rounds count)",
        series.name,
        median(|round| round.per_second),
        median(|round| round.p50_ms),
        median(|round| round.p99_ms),
        series.longest_ms(best),
        median(|round| round.cpu_us),
        median(|round| round.written),
        series.valid(best).len(),
        series.rounds.len()
    )
}
