//! Rounds, and which of them count.

use std::time::Duration;

use serde::Serialize;

use crate::machine::OTHERS;
use crate::used::Spent;

/// A round counts when its disk was at most so many times slower than the best of the run, and others took little.
const NOISE: f64 = 2.0;

/// Rounds that a series needs for its median to mean something.
const ENOUGH: usize = 3;

/// What one round came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    /// The disk just before, µs.
    pub(crate) fdatasync_us: f64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// How many were answered as they must be.
    pub(crate) answered: usize,
    /// Answers a second.
    pub(crate) per_second: f64,
    /// The median wait, ms.
    pub(crate) p50_ms: f64,
    /// What 99 % wait at most, ms.
    pub(crate) p99_ms: f64,
    /// The longest wait, ms.
    pub(crate) max_ms: f64,
    /// CPU of who does the work, µs an answer.
    pub(crate) cpu_us: f64,
    /// Bytes written to the disk by this process or the server an answer; not by PostgreSQL.
    pub(crate) written: f64,
    /// Cores that everything else on the machine took.
    pub(crate) others: f64,
    /// Commands a commit, where that is known.
    pub(crate) group: Option<f64>,
}

impl Round {
    /// Sums up the waits of one round.
    pub(crate) fn new(
        fdatasync: Duration,
        took: Duration,
        mut waits: Vec<Duration>,
        spent: Spent,
    ) -> Self {
        waits.sort_unstable();
        let answered = waits.len();
        let at = |hundredths: usize| {
            let place = (answered * hundredths / 100).min(answered.saturating_sub(1));
            waits
                .get(place)
                .map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
        };
        let each = |amount: f64| amount / real(answered.max(1));
        Self {
            fdatasync_us: fdatasync.as_secs_f64() * 1e6,
            seconds: took.as_secs_f64(),
            answered,
            per_second: real(answered) / took.as_secs_f64(),
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
            cpu_us: each(spent.cpu.as_secs_f64() * 1e6),
            written: each(real(spent.written)),
            others: spent.others.as_secs_f64() / took.as_secs_f64(),
            group: None,
        }
    }
}

/// Rounds of the same kind.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Series {
    /// Which kind, in words.
    pub(crate) name: String,
    /// All of them, those that do not count as well.
    pub(crate) rounds: Vec<Round>,
}

impl Series {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            rounds: Vec::new(),
        }
    }

    /// The rounds that count, given the best disk of the run.
    pub(crate) fn valid(&self, best_us: f64) -> Vec<&Round> {
        self.rounds
            .iter()
            .filter(|round| round.fdatasync_us <= NOISE * best_us && round.others <= OTHERS)
            .collect()
    }

    /// Whether enough rounds count.
    pub(crate) fn enough(&self, best_us: f64) -> bool {
        self.valid(best_us).len() >= ENOUGH
    }

    /// The rounds that count, or all where none does.
    fn counted(&self, best_us: f64) -> Vec<&Round> {
        let valid = self.valid(best_us);
        if valid.is_empty() {
            return self.rounds.iter().collect();
        }
        valid
    }

    /// The median of a figure.
    pub(crate) fn median(&self, best_us: f64, figure: impl Fn(&Round) -> f64) -> Option<f64> {
        let mut figures: Vec<_> = self.counted(best_us).into_iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    }

    /// The longest wait, ms.
    pub(crate) fn longest_ms(&self, best_us: f64) -> f64 {
        let rounds = self.counted(best_us).into_iter();
        rounds.map(|round| round.max_ms).fold(0.0, f64::max)
    }
}

/// The median time of the disk in the best round.
pub(crate) fn best_fdatasync<'a>(series: impl IntoIterator<Item = &'a Series>) -> f64 {
    series
        .into_iter()
        .flat_map(|series| &series.rounds)
        .map(|round| round.fdatasync_us)
        .fold(f64::INFINITY, f64::min)
}

/// A count as a real number; every count here is far below 2⁵³.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no other way, and the counts are small"
)]
pub(crate) fn real(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, max {:.0} ms, CPU {:.1} µs, {:.0} B written",
            self.per_second, self.p50_ms, self.p99_ms, self.max_ms, self.cpu_us, self.written
        )?;
        if let Some(group) = self.group {
            write!(f, ", {group:.0} a commit")?;
        }
        write!(
            f,
            " (fdatasync {:.0} µs, others {:.1} cores)",
            self.fdatasync_us, self.others
        )
    }
}
