//! How much an installation carries: the rate is raised step by step until the answers bend.

use serde::Serialize;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Operations a second that were to begin.
    pub rate: f64,
    /// The share of them that was carried out, 0 to 1.
    pub done: f64,
    /// Operations a second that were carried out.
    pub answered: f64,
    /// ms
    pub p50: f64,
    /// ms
    pub p99: f64,
    /// Whether the installation carried it.
    pub carried: bool,
}

/// The rate is raised by this factor until it is too much.
const RAISED: f64 = 1.4;

/// How often the gap between what is carried and what is not is halved.
const HALVED: u32 = 3;

/// Where it bends: more than one operation in a thousand is not carried out, or p99 is five times that of the first step
/// and above this, ms.
const FLOOR_MS: f64 = 50.0;

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    /// The steps so far.
    pub steps: Vec<Step>,
    next: f64,
    halved: u32,
    /// The p99 above which it is too much, ms; given, or learned of the first step.
    limit: Option<f64>,
}

impl Search {
    /// Begins at a rate; with a limit of p99 (ms), or with one learned of the first step.
    #[must_use]
    pub fn new(rate: f64, limit: Option<f64>) -> Self {
        Self {
            steps: Vec::new(),
            next: rate,
            halved: 0,
            limit,
        }
    }

    /// The rate of the next step; none when the search is over.
    #[must_use]
    pub fn next_rate(&self) -> Option<f64> {
        (self.halved <= HALVED && self.steps.len() < 40 && self.next >= 1.0).then_some(self.next)
    }

    /// What is carried: the highest rate that was.
    #[must_use]
    pub fn capacity(&self) -> Option<f64> {
        let carried = self.steps.iter().filter(|step| step.carried);
        carried.map(|step| step.rate).reduce(f64::max)
    }

    /// Notes what a step came to.
    pub fn note(&mut self, mut step: Step) {
        let limit = *self
            .limit
            .get_or_insert_with(|| (5.0 * step.p99).max(FLOOR_MS));
        step.carried = step.done >= 0.999 && step.p99 <= limit;
        self.steps.push(step);
        let carried = self.capacity();
        let refused = self.steps.iter().filter(|step| !step.carried);
        let refused = refused.map(|step| step.rate).reduce(f64::min);
        self.next = match (carried, refused) {
            (Some(carried), None) => carried * RAISED,
            (Some(carried), Some(refused)) => {
                self.halved += 1;
                f64::midpoint(carried, refused)
            }
            (None, Some(refused)) => refused / 2.0,
            (None, None) => self.next,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An installation that carries so much, and is slower and slower beyond.
    fn step(rate: f64, carries: f64) -> Step {
        Step {
            rate,
            done: (carries / rate).min(1.0),
            answered: rate.min(carries),
            p50: 2.0,
            p99: if rate > carries { 900.0 } else { 8.0 },
            carried: false,
        }
    }

    #[test]
    fn the_capacity_is_found_from_below_and_from_above() {
        for (begin, carries) in [(50.0, 730.0), (5_000.0, 730.0), (700.0, 730.0)] {
            let mut search = Search::new(begin, None);
            if begin > carries {
                search = Search::new(begin, Some(100.0));
            }
            while let Some(rate) = search.next_rate() {
                search.note(step(rate, carries));
            }
            let found = search.capacity().unwrap();
            assert!((0.85..=1.0).contains(&(found / carries)), "{found}");
        }
    }

    #[test]
    fn what_carries_nothing_has_no_capacity_and_the_search_ends() {
        let mut search = Search::new(100.0, Some(50.0));
        while let Some(rate) = search.next_rate() {
            search.note(step(rate, 0.01));
        }
        assert_eq!(search.capacity(), None);
    }
}
