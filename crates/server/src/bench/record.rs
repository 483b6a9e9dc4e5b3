//! What came of each operation, counted while it runs. Times are counted from when an operation was to begin.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::BenchError;
use super::schedule::{Due, Kind, Phase};

/// The longest time that is told apart, µs.
const LONGEST: u64 = 120_000_000;

/// Pieces of time that are told apart at most: what a plot can show.
const SLOTS: f64 = 600.0;

/// An operation whose first request goes out later than this is late: it waited for a connection of the load generator,
/// or for a core.
pub const LATE: Duration = Duration::from_millis(10);

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, to its last page.
    Done,
    /// 503 with `Retry-After`, at whichever of its requests.
    TurnedAway,
    /// Anything else.
    Failed(Trouble),
}

/// Why an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No answer in time.
    Timeout,
    /// No connection.
    Connection,
    /// The connection ended before the answer.
    Broken,
    /// 429
    Throttled,
    /// Another 5xx.
    Fault,
    /// A code or form was refused.
    Refused,
    /// The session was over.
    SessionEnded,
    /// Another page or status than follows.
    Unexpected,
    /// The load generator had no customer or no new code left: more of them are needed.
    NobodyFree,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 9] = [
        Self::Timeout,
        Self::Connection,
        Self::Broken,
        Self::Throttled,
        Self::Fault,
        Self::Refused,
        Self::SessionEnded,
        Self::Unexpected,
        Self::NobodyFree,
    ];
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// What came of it.
    pub outcome: Outcome,
    /// From when it was to begin to its end.
    pub took: Duration,
    /// From when it was to begin until its first request went out; none went out.
    pub waited: Option<Duration>,
    /// From when its last request went out to its end.
    pub last: Option<Duration>,
}

/// A piece of time.
#[derive(Debug, Clone, Default)]
pub struct Slot {
    /// Operations that were to begin in it.
    pub offered: u64,
    /// Those of them that were turned away.
    pub turned_away: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Operations, whenever they were to begin, that ended in it as they should.
    pub done_here: u64,
    /// How long those took that were to begin in it, by kind, µs.
    took: [Option<Histogram<u32>>; 4],
}

/// One kind of operation in one phase.
#[derive(Debug, Clone)]
pub struct KindFigures {
    /// Operations that were to begin.
    pub offered: u64,
    /// How long those took that were carried out, µs.
    pub took: Histogram<u64>,
    /// How long the 503 of those took that were turned away, from the request that it answered, µs.
    pub turned_away: Histogram<u64>,
    /// What failed.
    pub troubles: BTreeMap<Trouble, u64>,
}

/// A phase.
#[derive(Debug, Clone)]
pub struct PhaseFigures {
    /// By kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindFigures>,
    /// Operations whose first request went out late.
    pub late: u64,
}

/// Everything that was counted.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Seconds of a slot.
    pub slot_seconds: f64,
    /// The slots, from the start.
    pub slots: Vec<Slot>,
    /// The phases.
    pub phases: Vec<PhaseFigures>,
    live: Live,
    blank: Blank,
}

/// What happened since the last look.
#[derive(Debug, Clone)]
pub struct Live {
    /// Operations that began.
    pub offered: u64,
    /// How long those took that ended as they should, µs.
    pub took: Histogram<u64>,
    /// Turned away.
    pub turned_away: u64,
    /// Late.
    pub late: u64,
    /// What failed.
    pub troubles: BTreeMap<Trouble, u64>,
}

/// Counts.
#[derive(Debug)]
pub struct Recorder(Mutex<Figures>);

/// Empty histograms, to be copied.
#[derive(Debug, Clone)]
struct Blank {
    /// Three digits.
    wide: Histogram<u64>,
    /// Two digits, for a slot.
    narrow: Histogram<u32>,
}

impl Blank {
    fn new() -> Result<Self, BenchError> {
        let failed = |error: hdrhistogram::CreationError| BenchError::said(error.to_string());
        Ok(Self {
            wide: Histogram::new_with_bounds(1, LONGEST, 3).map_err(failed)?,
            narrow: Histogram::new_with_bounds(1, LONGEST, 2).map_err(failed)?,
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros())
        .unwrap_or(LONGEST)
        .clamp(1, LONGEST)
}

impl Live {
    fn new(blank: &Blank) -> Self {
        Self {
            offered: 0,
            took: blank.wide.clone(),
            turned_away: 0,
            late: 0,
            troubles: BTreeMap::new(),
        }
    }
}

impl Recorder {
    /// For these phases.
    ///
    /// # Errors
    /// When a histogram cannot be made, which its bounds rule out.
    pub fn new(phases: &[Phase]) -> Result<Self, BenchError> {
        let blank = Blank::new()?;
        let seconds: f64 = phases.iter().map(|phase| phase.seconds).sum();
        let kind = || KindFigures {
            offered: 0,
            took: blank.wide.clone(),
            turned_away: blank.wide.clone(),
            troubles: BTreeMap::new(),
        };
        let phase = |_: &Phase| PhaseFigures {
            kinds: Kind::ALL.iter().map(|_| kind()).collect(),
            late: 0,
        };
        Ok(Self(Mutex::new(Figures {
            slot_seconds: (seconds / SLOTS).ceil().max(1.0),
            slots: Vec::new(),
            phases: phases.iter().map(phase).collect(),
            live: Live::new(&blank),
            blank,
        })))
    }

    /// An operation begins, or should.
    pub fn begins(&self, due: &Due) {
        let mut figures = self.figures();
        figures.live.offered += 1;
        if let Some(slot) = figures.slot(due.at) {
            slot.offered += 1;
        }
        if let Some(kind) = figures.kind(due) {
            kind.offered += 1;
        }
    }

    /// An operation ended.
    pub fn ended(&self, due: &Due, ended: &Ended) {
        let mut figures = self.figures();
        let (took, time) = (ended.took, micros(ended.took));
        let late = u64::from(ended.waited.is_some_and(|waited| waited > LATE));
        figures.live.late += late;
        if let Some(phase) = figures.phases.get_mut(due.phase) {
            phase.late += late;
        }
        match ended.outcome {
            Outcome::Done => {
                figures.live.took.saturating_record(time);
                if let Some(kind) = figures.kind(due) {
                    kind.took.saturating_record(time);
                }
                if let Some(slot) = figures.slot(due.at + took) {
                    slot.done_here += 1;
                }
                figures.record(due, time);
            }
            Outcome::TurnedAway => {
                figures.live.turned_away += 1;
                if let Some(kind) = figures.kind(due) {
                    let answered = micros(ended.last.unwrap_or(took));
                    kind.turned_away.saturating_record(answered);
                }
                if let Some(slot) = figures.slot(due.at) {
                    slot.turned_away += 1;
                }
            }
            Outcome::Failed(trouble) => {
                *figures.live.troubles.entry(trouble).or_default() += 1;
                if let Some(kind) = figures.kind(due) {
                    *kind.troubles.entry(trouble).or_default() += 1;
                }
                if let Some(slot) = figures.slot(due.at) {
                    slot.failed += 1;
                }
            }
        }
    }

    /// What happened since the last look.
    #[must_use]
    pub fn look(&self) -> Live {
        let mut figures = self.figures();
        let next = Live::new(&figures.blank);
        std::mem::replace(&mut figures.live, next)
    }

    /// Everything so far.
    #[must_use]
    pub fn all(&self) -> Figures {
        self.figures().clone()
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    fn slot(&mut self, at: Duration) -> Option<&mut Slot> {
        let place = (at.as_secs_f64() / self.slot_seconds) as usize;
        // An operation that is given up ends within minutes; more slots than this there are not.
        if place >= self.slots.len() && place < 10_000 {
            self.slots.resize_with(place + 1, Slot::default);
        }
        self.slots.get_mut(place)
    }

    fn record(&mut self, due: &Due, time: u64) {
        // Made apart, so that the slot can be borrowed: a slot makes four of them at most.
        let blank = self.blank.narrow.clone();
        if let Some(slot) = self.slot(due.at) {
            slot.record(due.kind, time, &blank);
        }
    }

    fn kind(&mut self, due: &Due) -> Option<&mut KindFigures> {
        let place = Kind::ALL.iter().position(|kind| *kind == due.kind)?;
        self.phases.get_mut(due.phase)?.kinds.get_mut(place)
    }
}

impl Slot {
    fn record(&mut self, kind: Kind, time: u64, blank: &Histogram<u32>) {
        let place = Kind::ALL.iter().position(|it| *it == kind);
        if let Some(took) = place.and_then(|place| self.took.get_mut(place)) {
            let took = took.get_or_insert_with(|| blank.clone());
            took.saturating_record(time);
        }
    }

    /// How long operations of a kind took, in the order of [`Kind::ALL`]; none when there was none.
    #[must_use]
    pub fn kind(&self, place: usize) -> Option<&Histogram<u32>> {
        self.took.get(place)?.as_ref()
    }

    /// How long operations of every kind took; none when there was none.
    #[must_use]
    pub fn all(&self) -> Option<Histogram<u32>> {
        together(self.took.iter().flatten())
    }
}

/// Several histograms of the same bounds as one; none of none.
#[must_use]
pub fn together<'a, C: hdrhistogram::Counter + 'a>(
    of: impl Iterator<Item = &'a Histogram<C>>,
) -> Option<Histogram<C>> {
    of.cloned().reduce(|mut all, one| {
        // The same bounds: nothing of it is out of reach.
        let _ = all.add(&one);
        all
    })
}

/// A percentile, ms; none of nothing.
#[must_use]
pub fn percentile<C: hdrhistogram::Counter>(of: &Histogram<C>, percent: f64) -> Option<f64> {
    (!of.is_empty()).then(|| of.value_at_percentile(percent) as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_the_second_in_which_it_was_to_begin() {
        let phases = [Phase {
            rate: 1.0,
            seconds: 10.0,
        }];
        let recorder = Recorder::new(&phases).unwrap();
        let due = Due {
            at: Duration::from_millis(1_500),
            kind: Kind::Login,
            phase: 0,
        };
        recorder.begins(&due);
        recorder.ended(
            &due,
            &Ended {
                outcome: Outcome::Done,
                took: Duration::from_secs(3),
                waited: Some(Duration::from_secs(1)),
                last: None,
            },
        );
        let figures = recorder.all();
        let p99: Vec<_> = figures
            .slots
            .iter()
            .map(|slot| {
                slot.all()
                    .and_then(|all| percentile(&all, 99.0))
                    .unwrap_or_default()
            })
            .collect();
        assert_eq!(p99.len(), 5);
        assert!((p99[1] - 3_000.0).abs() < 40.0, "{p99:?}");
        assert_eq!(figures.slots[4].done_here, 1);
        assert_eq!(figures.phases[0].late, 1);
    }
}
