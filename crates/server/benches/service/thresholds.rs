//! What was promised, beside what was found.

use std::fmt;

use serde::Serialize;

use crate::report::Report;
use crate::round::{Round, Series};

/// One promise.
#[derive(Debug, Serialize)]
pub(crate) struct Threshold {
    what: &'static str,
    wanted: f64,
    /// Nothing when the run did not measure it.
    found: Option<f64>,
    met: Option<bool>,
    /// Whether enough rounds count for it to mean something.
    enough: bool,
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

use Limit::{AtLeast, AtMost};

/// Every promise, in the order of the parts.
pub(crate) fn thresholds(report: &Report) -> Vec<Threshold> {
    in_process(report)
        .into_iter()
        .chain(over_http(report))
        .chain(rows(report))
        .collect()
}

fn in_process(report: &Report) -> [Threshold; 5] {
    let best = report.best_us();
    let series = |engine: &str, size, in_flight| {
        let mut all = report.store.iter();
        all.find(|load| load.engine == engine && load.size == size && load.in_flight == in_flight)
            .map(|load| &load.series)
    };
    let rate = |series: Option<&Series>| series?.median(best, |round| round.per_second);
    let small = series("SQLite", 100_000, 256);
    let postgres = series("PostgreSQL", 100_000, 256);
    let large_postgres = series("PostgreSQL", 1_000_000, 256);
    let growth = |what, in_flight| {
        let small = series("SQLite", 100_000, in_flight);
        let large = series("SQLite", 1_000_000, in_flight);
        Threshold::new(what, AtLeast(0.9), ratio(rate(large), rate(small)))
            .judged_by(best, [small, large])
    };
    [
        Threshold::new(
            "SQLite in process, 100,000 credentials, 256 in flight: validations a second",
            AtLeast(40_000.0),
            rate(small),
        )
        .judged_by(best, [small]),
        growth(
            "SQLite in process, 64 in flight: 1,000,000 credentials beside 100,000",
            64,
        ),
        growth("the same, 256 in flight", 256),
        Threshold::new(
            "PostgreSQL in process, 100,000 credentials, 256 in flight: validations a second",
            AtLeast(20_000.0),
            rate(postgres),
        )
        .judged_by(best, [postgres]),
        Threshold::new(
            "PostgreSQL in process, 1,000,000 credentials, 256 in flight: validations a second",
            AtLeast(30_000.0),
            rate(large_postgres),
        )
        .judged_by(best, [large_postgres]),
    ]
}

fn over_http(report: &Report) -> [Threshold; 6] {
    let best = report.best_us();
    let http = report.http.as_ref();
    let bare = http.map(|http| &http.bare);
    let validate = http.map(|http| &http.validate);
    let many = http.and_then(|http| http.many.as_ref());
    let median = |series: Option<&Series>, figure: fn(&Round) -> f64| series?.median(best, figure);
    let rate = |series| median(series, |round| round.per_second);
    let cpu = |series| median(series, |round| round.cpu_us);
    [
        Threshold::new(
            "over HTTP, 64 connections: validations beside bare answers",
            AtLeast(0.5),
            ratio(rate(validate), rate(bare)),
        )
        .judged_by(best, [bare, validate]),
        Threshold::new(
            "the same: the server's CPU of a validation beside a bare answer",
            AtMost(2.0),
            ratio(cpu(validate), cpu(bare)),
        )
        .judged_by(best, [bare, validate]),
        Threshold::new(
            "the same: p99, ms",
            AtMost(5.0),
            median(validate, |round| round.p99_ms),
        )
        .judged_by(best, [validate]),
        Threshold::new(
            "the same: 1,000,000 credentials beside 100,000",
            AtLeast(0.9),
            ratio(rate(many), rate(validate)),
        )
        .judged_by(best, [many, validate]),
        Threshold::new(
            "the server's resident memory under load, 100,000 credentials: MiB",
            AtMost(80.0),
            http.map(|http| http.memory.largest_mib()),
        ),
        Threshold::new(
            "the same: the largest of the second half beside that of the first",
            AtMost(1.1),
            http.map(|http| http.memory.growth()),
        ),
    ]
}

fn rows(report: &Report) -> [Threshold; 2] {
    let largest = |engine: &str| {
        let all = report.store.iter().filter(|load| load.engine == engine);
        all.map(|load| load.audit_row_bytes).max_by(f64::total_cmp)
    };
    [
        ("an audit row on the disk, SQLite: bytes", "SQLite"),
        ("an audit row on the disk, PostgreSQL: bytes", "PostgreSQL"),
    ]
    .map(|(what, engine)| Threshold::new(what, AtMost(400.0), largest(engine)))
}

fn ratio(over: Option<f64>, under: Option<f64>) -> Option<f64> {
    Some(over? / under?)
}

impl Threshold {
    fn new(what: &'static str, limit: Limit, found: Option<f64>) -> Self {
        let (wanted, met) = match limit {
            AtLeast(least) => (least, found.map(|found| found >= least)),
            AtMost(most) => (most, found.map(|found| found <= most)),
        };
        Self {
            what,
            wanted,
            found,
            met,
            enough: true,
        }
    }

    fn judged_by<const N: usize>(self, best_us: f64, series: [Option<&Series>; N]) -> Self {
        Self {
            enough: series
                .into_iter()
                .flatten()
                .all(|series| series.enough(best_us)),
            ..self
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        let digits = if self.wanted < 10.0 { 2 } else { 0 };
        write!(
            f,
            "{word:<12} {}: wanted {:.digits$}",
            self.what, self.wanted
        )?;
        if let Some(found) = self.found {
            write!(f, ", found {found:.digits$}")?;
        }
        if self.enough {
            Ok(())
        } else {
            write!(f, "; too few quiet rounds to say")
        }
    }
}
