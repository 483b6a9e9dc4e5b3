//! What was promised, beside what was found.

use std::fmt;

use serde::Serialize;

use crate::report::Report;
use crate::round::Round;

/// One promise.
#[derive(Debug, Serialize)]
pub(crate) struct Threshold {
    what: &'static str,
    wanted: f64,
    /// Nothing when the run did not measure it.
    found: Option<f64>,
    met: Option<bool>,
    digits: usize,
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

/// Every promise, in the order of the parts.
pub(crate) fn thresholds(report: &Report) -> Vec<Threshold> {
    use Limit::{AtLeast, AtMost};
    let best = report.best_us();
    let store = |engine: &str, size| {
        let figures = report.store.iter().find(|figures| {
            figures.engine == engine && figures.size == size && figures.in_flight == 256
        })?;
        figures.series.median(best, |round| round.per_second)
    };
    let sqlite = store("SQLite", 100_000);
    let large = store("SQLite", 1_000_000);
    let row = |engine: &str| {
        report
            .store
            .iter()
            .filter(|figures| figures.engine == engine)
            .map(|figures| figures.audit_row_bytes)
            .max_by(f64::total_cmp)
    };
    let http = report.http.as_ref();
    let over_http = |figure: fn(&Round) -> f64| http?.validate.median(best, figure);
    let bare = http.and_then(|http| http.bare.median(best, |round| round.per_second));
    let ratio = |over: Option<f64>, under: Option<f64>| Some(over? / under?);
    [
        (
            "SQLite in process, 100,000 credentials, 256 in flight: validations a second",
            AtLeast(40_000.0),
            sqlite,
        ),
        (
            "SQLite in process, 256 in flight: 1,000,000 beside 100,000 credentials",
            AtLeast(0.5),
            ratio(large, sqlite),
        ),
        (
            "PostgreSQL in process, 100,000 credentials, 256 in flight: validations a second",
            AtLeast(20_000.0),
            store("PostgreSQL", 100_000),
        ),
        (
            "over HTTP, 64 connections: validations beside bare answers",
            AtLeast(0.2),
            ratio(over_http(|round| round.per_second), bare),
        ),
        (
            "over HTTP, 64 connections: p99, ms",
            AtMost(20.0),
            over_http(|round| round.p99_ms),
        ),
        (
            "the server's resident memory under load, 100,000 credentials: MiB",
            AtMost(80.0),
            http.map(|http| http.memory.largest_mib()),
        ),
        (
            "the same: largest of the second half beside the first half",
            AtMost(1.1),
            http.map(|http| http.memory.growth()),
        ),
        (
            "an audit row on the disk, SQLite: bytes",
            AtMost(400.0),
            row("SQLite"),
        ),
        (
            "an audit row on the disk, PostgreSQL: bytes",
            AtMost(400.0),
            row("PostgreSQL"),
        ),
    ]
    .into_iter()
    .map(|(what, limit, found)| Threshold::new(what, &limit, found))
    .collect()
}

impl Threshold {
    fn new(what: &'static str, limit: &Limit, found: Option<f64>) -> Self {
        let (wanted, met) = match limit {
            Limit::AtLeast(least) => (*least, found.map(|found| found >= *least)),
            Limit::AtMost(most) => (*most, found.map(|found| found <= *most)),
        };
        Self {
            what,
            wanted,
            found,
            met,
            digits: if wanted < 10.0 { 2 } else { 0 },
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            wanted,
            digits,
            ..
        } = self;
        let word = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        write!(f, "{word:<12} {what}: wanted {wanted:.digits$}")?;
        match self.found {
            Some(found) => write!(f, ", found {found:.digits$}"),
            None => Ok(()),
        }
    }
}
