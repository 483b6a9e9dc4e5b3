//! What the clients did: written down before it is sent, and what came of it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A code to be checked, over `/v1`.
    Validation,
    /// A transfer with its code, over the bank's pages.
    Transfer,
}

/// A code that was sent under a key.
#[derive(Debug, Clone)]
pub(super) struct Validation {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) code: String,
    pub(super) accepted: bool,
}

/// A transfer that was confirmed.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    /// Which client's which customer.
    pub(super) whose: (usize, usize),
    pub(super) key: String,
    /// 受付番号; none: it was refused, and not done.
    pub(super) receipt: Option<String>,
}

/// Everything that was settled, and when something was acknowledged.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) validations: Vec<Validation>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) acknowledged: Vec<(Instant, Kind)>,
    /// Requests whose outcome was not known at first.
    pub(super) unknown: usize,
    /// What must not be.
    pub(super) faults: Vec<String>,
}

/// What all clients share.
pub(super) struct Record {
    settled: Mutex<Settled>,
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    ended: bool,
    working: usize,
}

/// A client's paper: what is on it is on the disk before it is sent.
pub(super) struct Paper(File);

impl Paper {
    /// A new one.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        Ok(Self(file))
    }

    /// Writes a line down, durably.
    pub(super) fn write(&mut self, line: &str) -> Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(self.0.sync_data()?)
    }
}

impl Record {
    /// Nothing yet; the gate is closed.
    pub(super) fn new() -> Self {
        let gate = Gate {
            closed: true,
            ..Gate::default()
        };
        Self {
            settled: Mutex::default(),
            gate: Mutex::new(gate),
            changed: Condvar::new(),
        }
    }

    /// What was settled.
    pub(super) fn settled(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is acknowledged in this moment.
    pub(super) fn acknowledged(&self, kind: Kind) {
        self.settled().acknowledged.push((Instant::now(), kind));
    }

    /// Something that must not be.
    pub(super) fn fault(&self, text: String) {
        self.settled().faults.push(text);
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client waits until it may begin something; false: never again.
    pub(super) fn begin(&self) -> bool {
        let mut gate = self.gate();
        while gate.closed && !gate.ended {
            gate = self
                .changed
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
        gate.working += usize::from(!gate.ended);
        !gate.ended
    }

    /// A client has settled what it began.
    pub(super) fn end(&self) {
        self.gate().working -= 1;
        self.changed.notify_all();
    }

    /// The clients may go on.
    pub(super) fn open(&self) {
        self.gate().closed = false;
        self.changed.notify_all();
    }

    /// The clients may begin nothing more, now or ever.
    pub(super) fn finish(&self) {
        self.gate().ended = true;
        self.changed.notify_all();
    }

    /// Waits until every client has settled what it began.
    pub(super) fn close(&self, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        let mut gate = self.gate();
        gate.closed = true;
        while gate.working > 0 {
            let Some(left) = patience.checked_sub(begun.elapsed()) else {
                bail!("{} clients do not come to an end", gate.working);
            };
            (gate, _) = self
                .changed
                .wait_timeout(gate, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The longest time without anything of this kind acknowledged, from a moment until now.
    pub(super) fn longest_gap(&self, kind: Kind, since: Instant) -> Duration {
        let settled = self.settled();
        let moments = settled
            .acknowledged
            .iter()
            .filter(|(_, found)| *found == kind)
            .map(|(at, _)| *at)
            .filter(|at| *at > since);
        longest_gap(since, moments, Instant::now())
    }

    /// How many of this kind were acknowledged since a moment.
    pub(super) fn count_since(&self, kind: Kind, since: Instant) -> usize {
        let settled = self.settled();
        let all = settled.acknowledged.iter();
        all.filter(|(at, found)| *found == kind && *at > since)
            .count()
    }
}

fn longest_gap(from: Instant, moments: impl Iterator<Item = Instant>, until: Instant) -> Duration {
    let (mut last, mut longest) = (from, Duration::ZERO);
    for at in moments.chain([until]) {
        longest = longest.max(at.saturating_duration_since(last));
        last = last.max(at);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_from_the_fault_and_to_the_end() {
        let from = Instant::now();
        let at = |seconds| from + Duration::from_secs(seconds);
        let gap = |moments: &[u64], until| {
            longest_gap(from, moments.iter().map(|it| at(*it)), at(until)).as_secs()
        };
        assert_eq!(gap(&[1, 2, 9, 10], 11), 7);
        assert_eq!(gap(&[5, 6], 7), 5);
        assert_eq!(gap(&[1], 9), 8);
        assert_eq!(gap(&[], 9), 9);
    }

    #[test]
    fn a_closed_gate_waits_for_whoever_works() {
        let record = Record::new();
        record.open();
        assert!(record.begin());
        assert!(record.close(Duration::from_millis(10)).is_err());
        record.end();
        record.close(Duration::from_millis(10)).unwrap();
        record.finish();
        assert!(!record.begin());
    }
}
