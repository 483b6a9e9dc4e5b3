//! The figures side by side, and which thresholds they meet.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::cpu::CpuFigures;
use crate::http::HttpFigures;
use crate::machine::OTHERS;
use crate::round::{Round, Series, best_fdatasync};
use crate::thresholds::{Threshold, thresholds};

/// Everything that one run measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The machine, in words.
    pub(crate) machine: String,
    /// One validation in one thread.
    pub(crate) cpu: Option<CpuFigures>,
    /// Through the database.
    pub(crate) store: Vec<StoreFigures>,
    /// Over HTTP.
    pub(crate) http: Option<HttpFigures>,
    thresholds: Vec<Threshold>,
}

/// One load on one database.
#[derive(Debug, Serialize)]
pub(crate) struct StoreFigures {
    /// `SQLite` or `PostgreSQL`.
    pub(crate) engine: &'static str,
    /// Credentials.
    pub(crate) size: u32,
    /// Validations at once.
    pub(crate) in_flight: u16,
    /// The rounds.
    pub(crate) series: Series,
    /// Bytes of an audit row on the disk, afterwards.
    pub(crate) audit_row_bytes: f64,
}

impl StoreFigures {
    pub(crate) fn new(engine: &'static str, size: u32, in_flight: u16, series: Series) -> Self {
        Self {
            engine,
            size,
            in_flight,
            series,
            audit_row_bytes: 0.0,
        }
    }
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        Self {
            machine,
            cpu: None,
            store: Vec::new(),
            http: None,
            thresholds: Vec::new(),
        }
    }

    /// The best disk of the run, by which rounds are judged.
    pub(crate) fn best_us(&self) -> f64 {
        best_fdatasync(self.series())
    }

    fn series(&self) -> impl Iterator<Item = &Series> {
        let http = self.http.iter().flat_map(HttpFigures::series);
        self.store.iter().map(|figures| &figures.series).chain(http)
    }

    /// Prints the table and writes the same for programs.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.thresholds = thresholds(&self);
        println!("\n{self}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .ok_or("the target folder has no parent")?
            .join("bench");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(
            folder.join("latest.json"),
            serde_json::to_vec_pretty(&self)?,
        )?;
        println!("The same as JSON: bench/latest.json in the target folder.");
        Ok(())
    }

    fn write_series(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = self.best_us();
        writeln!(
            f,
            "\n{:<50} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7}  rounds that count",
            "medians (waits in ms)", "a second", "p50", "p99", "max", "CPU µs", "disk B"
        )?;
        for series in self.series() {
            let median =
                |figure: fn(&Round) -> f64| series.median(best, figure).unwrap_or(f64::NAN);
            let valid = series.valid(best);
            let longest = series.longest_ms(best);
            write!(
                f,
                "{:<50} {:>9.0} {:>8.2} {:>8.2} {longest:>8.1} {:>7.1} {:>7.0}  {} of {}",
                series.name,
                median(|round| round.per_second),
                median(|round| round.p50_ms),
                median(|round| round.p99_ms),
                median(|round| round.cpu_us),
                median(|round| round.written),
                valid.len(),
                series.rounds.len(),
            )?;
            writeln!(
                f,
                "{}",
                if series.enough(best) {
                    ""
                } else {
                    ": TOO FEW, the machine was not quiet"
                }
            )?;
        }
        writeln!(
            f,
            "A round counts when fdatasync before it took at most twice the best of the run, {best:.0} µs, and other programs \
             took at most {OTHERS} cores.\nCPU and disk: an answer; in process of the driver and the database together (the \
             disk without PostgreSQL), over HTTP of the server alone."
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        if let Some(cpu) = &self.cpu {
            writeln!(
                f,
                "\none validation in one thread {:.0} ns = {:.2} × three bare HMAC-SHA-256 ({:.0} ns; with the key taken in \
                 {:.0} ns);\nthe driver's own work for each validation in process, inside the figures below: {:.0} ns",
                cpu.validation_ns,
                cpu.validation_ns / cpu.hmac_ns,
                cpu.hmac_ns,
                cpu.keyed_hmac_ns,
                cpu.driver_ns,
            )?;
        }
        self.write_series(f)?;
        let mut before = ("", 0);
        for figures in &self.store {
            if before != (figures.engine, figures.size) {
                before = (figures.engine, figures.size);
                writeln!(
                    f,
                    "{}, {} credentials: {:.0} bytes an audit row on the disk, its index included",
                    figures.engine, figures.size, figures.audit_row_bytes
                )?;
            }
        }
        if let Some(http) = &self.http {
            write!(f, "{http}")?;
        }
        writeln!(f)?;
        for threshold in &self.thresholds {
            writeln!(f, "{threshold}")?;
        }
        Ok(())
    }
}
