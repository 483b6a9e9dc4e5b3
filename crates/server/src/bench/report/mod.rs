//! What a load came to: for programs as JSON, for people as one HTML file and a few lines of text.

mod html;
mod plot;
mod words;

use serde::Serialize;

pub use html::html;
pub use words::{live, summary};

use super::afterwards::Afterwards;
use super::capacity::Step;
use super::machine::Machine;
use super::record::{Figures, KindFigures, LATE, PhaseFigures, Trouble, percentile, together};
use super::run::Seen;
use super::schedule::{Kind, Phase};
use hdrhistogram::Histogram;

/// Bars of a histogram for each power of ten.
const BARS: i32 = 10;

/// A report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of the program.
    pub version: &'static str,
    /// The command that made it, without secrets: the command line holds none.
    pub command: String,
    /// When it began (RFC 3339).
    pub began_at: String,
    /// The machine that made the load.
    pub machine: Machine,
    /// How.
    pub settings: Settings,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// Whether it was ended early.
    pub ended_early: bool,
    /// Above this many ms an operation counts as late.
    pub late_ms: u64,
    /// The phases.
    pub phases: Vec<PhaseReport>,
    /// Pieces of time, from the start.
    pub slots: Vec<SlotReport>,
    /// How long operations took, by kind.
    pub histograms: Vec<KindHistogram>,
    /// The server's process, where it was watched.
    pub server: Option<ServerReport>,
    /// What was asked when the load was over.
    pub afterwards: Option<Afterwards>,
    /// The steps of a search for the capacity; empty where there was none.
    pub steps: Vec<Step>,
    /// The capacity that was found, operations a second.
    pub capacity: Option<f64>,
}

/// How the load was made.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// Parts of each kind.
    pub mix: String,
    /// `poisson` or `even`.
    pub arrivals: &'static str,
    /// What the schedule was drawn from.
    pub seed: u64,
    /// Connections to the bank and to the token service, each, at most.
    pub connections: usize,
    /// Customers who took part.
    pub customers: u32,
    /// Sample credentials of the installation.
    pub credentials: u32,
    /// Where the customers' pages are.
    pub bank: String,
    /// Where the token service is.
    pub tokens: String,
}

/// How long things took, ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many.
    pub count: u64,
    /// Half of them.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    pub p999: f64,
    /// The longest.
    pub longest: f64,
}

/// One kind in one phase.
#[derive(Debug, Clone, Serialize)]
pub struct KindReport {
    /// Which.
    pub kind: Kind,
    /// Operations that were to begin.
    pub offered: u64,
    /// How long those took that were carried out.
    pub done: Option<Percentiles>,
    /// Operations that were turned away with 503 and `Retry-After`, and how long that answer took from its request on.
    pub turned_away: Option<Percentiles>,
    /// What failed.
    pub troubles: Vec<(Trouble, u64)>,
}

/// One phase.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseReport {
    /// Operations a second, and for how long.
    #[serde(flatten)]
    pub phase: Phase,
    /// Operations that were to begin.
    pub offered: u64,
    /// All kinds together.
    pub done: Option<Percentiles>,
    /// All kinds together.
    pub turned_away: Option<Percentiles>,
    /// Operations that failed otherwise.
    pub failed: u64,
    /// Operations whose first request went out late.
    pub late: u64,
    /// By kind.
    pub kinds: Vec<KindReport>,
    /// After a phase with a higher rate: seconds until, for three pieces of time in a row, nothing was turned away, nothing
    /// failed, and p99 was at most three times that of the first phase; none when it never was so.
    pub recovered_after: Option<f64>,
}

/// A piece of time. Operations count where they were to begin.
#[derive(Debug, Clone, Serialize)]
pub struct SlotReport {
    /// Where it begins, seconds.
    pub at: f64,
    /// Operations a second that were to begin.
    pub offered: f64,
    /// Operations a second that ended as they should, whenever they began.
    pub answered: f64,
    /// Operations a second that were turned away.
    pub turned_away: f64,
    /// Operations a second that failed otherwise.
    pub failed: f64,
    /// ms; none where nothing was carried out.
    pub p50: Option<f64>,
    /// ms
    pub p99: Option<f64>,
    /// ms
    pub p999: Option<f64>,
    /// p99 of each kind, ms.
    pub kinds: Vec<Option<f64>>,
}

/// How many took how long.
#[derive(Debug, Clone, Serialize)]
pub struct KindHistogram {
    /// Which.
    pub kind: Kind,
    /// From, to (ms) and how many.
    pub bars: Vec<(f64, f64, u64)>,
}

/// The server's process.
#[derive(Debug, Clone, Serialize)]
pub struct ServerReport {
    /// Seconds and MiB of resident memory.
    pub memory: Vec<(f64, f64)>,
    /// Seconds on a core over the whole run.
    pub cpu_seconds: f64,
    /// The largest memory of the second half beside that of the first, leaving out the first tenth, in which caches fill.
    pub growth: Option<f64>,
}

/// What stands around the figures.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The command line.
    pub command: String,
    /// When it began.
    pub began_at: String,
    /// How it was made.
    pub settings: Settings,
}

impl Percentiles {
    fn of<C: hdrhistogram::Counter>(took: &Histogram<C>) -> Option<Self> {
        let at = |percent| percentile(took, percent);
        Some(Self {
            count: took.len(),
            p50: at(50.0)?,
            p90: at(90.0)?,
            p99: at(99.0)?,
            p999: at(99.9)?,
            longest: at(100.0)?,
        })
    }
}

impl Report {
    /// Of everything that was counted.
    #[must_use]
    pub fn new(frame: Frame, phases: &[Phase], figures: &Figures, seen: &Seen) -> Self {
        let slots = slots(figures);
        let mut reports: Vec<_> = phases
            .iter()
            .zip(&figures.phases)
            .map(|(phase, figures)| phase_report(*phase, figures))
            .collect();
        recoveries(&mut reports, &slots);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            command: frame.command,
            began_at: frame.began_at,
            machine: Machine::here(),
            settings: frame.settings,
            seconds: seen.seconds,
            ended_early: seen.ended_early,
            late_ms: u64::try_from(LATE.as_millis()).unwrap_or_default(),
            phases: reports,
            slots,
            histograms: histograms(figures),
            server: server(seen),
            afterwards: None,
            steps: Vec::new(),
            capacity: None,
        }
    }

    /// What failed, over all phases and kinds.
    #[must_use]
    pub fn troubles(&self) -> Vec<(Trouble, u64)> {
        let all = |trouble| {
            let kinds = self.phases.iter().flat_map(|phase| &phase.kinds);
            let found = kinds.flat_map(|kind| &kind.troubles);
            found
                .filter(|(it, _)| *it == trouble)
                .map(|(_, count)| count)
                .sum::<u64>()
        };
        let counted = Trouble::ALL.into_iter().map(|it| (it, all(it)));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

fn phase_report(phase: Phase, figures: &PhaseFigures) -> PhaseReport {
    let kinds = &figures.kinds;
    let all = |of: fn(&KindFigures) -> &Histogram<u64>| {
        together(kinds.iter().map(of)).and_then(|all| Percentiles::of(&all))
    };
    let report = |(kind, figures): (&Kind, &KindFigures)| KindReport {
        kind: *kind,
        offered: figures.offered,
        done: Percentiles::of(&figures.took),
        turned_away: Percentiles::of(&figures.turned_away),
        troubles: figures.troubles.iter().map(|(it, n)| (*it, *n)).collect(),
    };
    PhaseReport {
        phase,
        offered: kinds.iter().map(|kind| kind.offered).sum(),
        done: all(|kind| &kind.took),
        turned_away: all(|kind| &kind.turned_away),
        failed: kinds
            .iter()
            .flat_map(|kind| kind.troubles.values())
            .sum::<u64>(),
        late: figures.late,
        kinds: Kind::ALL.iter().zip(kinds).map(report).collect(),
        recovered_after: None,
    }
}

fn slots(figures: &Figures) -> Vec<SlotReport> {
    let width = figures.slot_seconds;
    let rate = |count: u64| count as f64 / width;
    figures
        .slots
        .iter()
        .enumerate()
        .map(|(place, slot)| {
            let all = slot.all();
            let at = |percent| all.as_ref().and_then(|all| percentile(all, percent));
            let kinds = 0..Kind::ALL.len();
            SlotReport {
                at: place as f64 * width,
                offered: rate(slot.offered),
                answered: rate(slot.done_here),
                turned_away: rate(slot.turned_away),
                failed: rate(slot.failed),
                p50: at(50.0),
                p99: at(99.0),
                p999: at(99.9),
                kinds: kinds
                    .map(|kind| slot.kind(kind).and_then(|took| percentile(took, 99.0)))
                    .collect(),
            }
        })
        .collect()
}

/// Looks how long after a fall of the rate the load was still to be seen.
fn recoveries(phases: &mut [PhaseReport], slots: &[SlotReport]) {
    let Some(usual) = phases.first().and_then(|first| first.done).map(|it| it.p99) else {
        return;
    };
    let (mut begun, mut before) = (0.0, 0.0);
    for phase in phases {
        let (rate, end) = (phase.phase.rate, begun + phase.phase.seconds);
        if rate < before {
            let well = |slot: &SlotReport| {
                let slow = slot.p99.is_some_and(|p99| p99 > 3.0 * usual);
                slot.turned_away == 0.0 && slot.failed == 0.0 && !slow
            };
            let own = slots.iter().filter(|it| it.at >= begun && it.at < end);
            let own: Vec<_> = own.collect();
            let from = own.windows(3).find(|three| three.iter().all(|it| well(it)));
            phase.recovered_after = from.and_then(|three| Some(three.first()?.at - begun));
        }
        (begun, before) = (end, rate);
    }
}

fn histograms(figures: &Figures) -> Vec<KindHistogram> {
    let kinds = Kind::ALL.iter().enumerate();
    kinds
        .filter_map(|(place, kind)| {
            let of_phases = figures.phases.iter();
            let took = together(of_phases.filter_map(|phase| Some(&phase.kinds.get(place)?.took)))?;
            (!took.is_empty()).then(|| KindHistogram {
                kind: *kind,
                bars: bars(&took),
            })
        })
        .collect()
}

/// Ten bars for each power of ten, from the first that holds something to the last.
fn bars(took: &Histogram<u64>) -> Vec<(f64, f64, u64)> {
    let edge = |step: i32| 10_f64.powf(f64::from(step) / f64::from(BARS));
    // From 0.1 ms to more than two minutes, in µs.
    let mut bars: Vec<_> = (2 * BARS..=8 * BARS + 1)
        .map(|step| (edge(step) / 1e3, edge(step + 1) / 1e3, 0))
        .collect();
    // A bucket of the histogram that lies across an edge belongs to one bar alone.
    let mut number = 0;
    let last = bars.len().saturating_sub(1);
    for bucket in took.iter_recorded() {
        let value = bucket.value_iterated_to() as f64 / 1e3;
        while number < last && bars.get(number).is_some_and(|bar| bar.1 < value) {
            number += 1;
        }
        if let Some(bar) = bars.get_mut(number) {
            bar.2 += bucket.count_at_value();
        }
    }
    let filled = |bar: &(f64, f64, u64)| bar.2 > 0;
    let first = bars.iter().position(filled).unwrap_or(0);
    let end = bars.iter().rposition(filled).map_or(0, |last| last + 1);
    bars.get(first..end).unwrap_or_default().to_vec()
}

fn server(seen: &Seen) -> Option<ServerReport> {
    let (first, last) = (seen.server.first()?, seen.server.last()?);
    let memory: Vec<_> = seen
        .server
        .iter()
        .map(|(at, used)| (*at, used.resident_kib as f64 / 1024.0))
        .collect();
    let warm = memory.get(memory.len() / 10..).unwrap_or_default();
    let (early, late) = warm.split_at(warm.len() / 2);
    let largest = |of: &[(f64, f64)]| of.iter().map(|(_, mib)| *mib).reduce(f64::max);
    Some(ServerReport {
        cpu_seconds: last.1.cpu_seconds - first.1.cpu_seconds,
        growth: largest(late)
            .zip(largest(early))
            .map(|(late, early)| late / early),
        memory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_one_bar() {
        let mut took = Histogram::<u64>::new_with_bounds(1, 120_000_000, 3).unwrap();
        // Those in the middle are in a bucket that lies across the edge of two bars.
        let times = [
            1,
            150,
            1_000,
            12_345,
            12_589,
            125_893,
            1_258_925,
            119_000_000,
        ];
        for micros in times {
            took.record(micros).unwrap();
        }
        let bars = bars(&took);
        let in_bars: u64 = bars.iter().map(|bar| bar.2).sum();
        assert_eq!(in_bars, times.len() as u64);
        assert!(bars.is_sorted_by(|one, next| (one.1 - next.0).abs() < 1e-9));
        assert!(bars[0].0 <= 0.1 && bars.last().unwrap().1 >= 119_000.0);
    }

    #[test]
    fn after_an_overload_it_is_told_when_all_was_well_again() {
        let phase = |rate| PhaseReport {
            phase: Phase { rate, seconds: 6.0 },
            offered: 0,
            done: Some(Percentiles {
                count: 1,
                p50: 2.0,
                p90: 3.0,
                p99: 10.0,
                p999: 20.0,
                longest: 30.0,
            }),
            turned_away: None,
            failed: 0,
            late: 0,
            kinds: Vec::new(),
            recovered_after: None,
        };
        let slot = |at, p99, turned_away| SlotReport {
            at,
            offered: 1.0,
            answered: 1.0,
            turned_away,
            failed: 0.0,
            p50: Some(1.0),
            p99: Some(p99),
            p999: None,
            kinds: Vec::new(),
        };
        let mut phases = [phase(100.0), phase(300.0), phase(100.0)];
        let slots = [
            slot(0.0, 10.0, 0.0),
            slot(6.0, 80.0, 200.0),
            slot(12.0, 12.0, 3.0),
            slot(13.0, 31.0, 0.0),
            slot(14.0, 29.0, 0.0),
            slot(15.0, 9.0, 0.0),
            slot(16.0, 9.0, 0.0),
            slot(17.0, 99.0, 0.0),
        ];
        recoveries(&mut phases, &slots);
        let found: Vec<_> = phases.iter().map(|phase| phase.recovered_after).collect();
        assert_eq!(found, [None, None, Some(2.0)]);
    }
}
