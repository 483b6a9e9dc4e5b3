//! What the race test found.

use std::fmt::Write;

use anyhow::{Result, bail};

use super::adapter::Adapter;

/// The counts of a run.
#[derive(Debug)]
pub(crate) struct Report {
    name: String,
    callers: usize,
    limit: usize,
    told: bool,
    /// For each round with a right code: how many callers were told "accepted".
    accepted: Vec<usize>,
    /// For each round with wrong codes: how many were evaluated.
    evaluated: Vec<usize>,
    /// Rounds in which the right code was accepted in spite of the lock.
    past_the_lock: usize,
    server_errors: usize,
    no_answers: usize,
    unknown: usize,
    first_trouble: Option<String>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(adapter: &Adapter, callers: usize) -> Self {
        Self {
            name: adapter.name.clone(),
            callers,
            limit: adapter.lock.wrong_codes,
            told: adapter.lock.told,
            accepted: Vec::new(),
            evaluated: Vec::new(),
            past_the_lock: 0,
            server_errors: 0,
            no_answers: 0,
            unknown: 0,
            first_trouble: None,
        }
    }

    /// A round with a right code is over.
    pub(crate) fn right_code(&mut self, accepted: usize) {
        self.accepted.push(accepted);
    }

    /// A round with wrong codes is over.
    pub(crate) fn wrong_codes(&mut self, evaluated: usize, right_code_accepted: bool) {
        self.evaluated.push(evaluated);
        self.past_the_lock += usize::from(right_code_accepted);
    }

    /// A request found no answer.
    pub(crate) fn no_answer(&mut self, why: &str) {
        self.no_answers += 1;
        self.first_trouble.get_or_insert_with(|| why.to_owned());
    }

    /// An answer with a status of 500 or more.
    pub(crate) fn server_error(&mut self, status: u16, body: &str) {
        self.server_errors += 1;
        self.first_trouble
            .get_or_insert_with(|| format!("status {status}: {body}"));
    }

    /// An answer that the adapter does not know.
    pub(crate) fn unknown(&mut self, status: u16, body: &str) {
        self.unknown += 1;
        self.first_trouble
            .get_or_insert_with(|| format!("unknown answer, status {status}: {body}"));
    }

    fn rounds_with(&self, fits: impl Fn(usize) -> bool) -> usize {
        self.accepted.iter().filter(|count| fits(**count)).count()
    }

    /// The counts as a table.
    pub(crate) fn table(&self) -> String {
        let most = self.accepted.iter().max().copied().unwrap_or_default();
        let evaluated = match (self.evaluated.iter().min(), self.evaluated.iter().max()) {
            (Some(least), Some(most)) if self.told => {
                format!("{least} to {most} (limit {})", self.limit)
            }
            (Some(_), Some(_)) => "not told by its answers".to_owned(),
            _ => "not asked".to_owned(),
        };
        let lines = [
            ("server", self.name.clone()),
            ("callers at once", self.callers.to_string()),
            ("rounds with a right code", self.accepted.len().to_string()),
            (
                "  accepted exactly once",
                self.rounds_with(|count| count == 1).to_string(),
            ),
            (
                "  accepted more than once",
                format!(
                    "{} (at most {most} times)",
                    self.rounds_with(|count| count > 1)
                ),
            ),
            (
                "  accepted by none",
                self.rounds_with(|count| count == 0).to_string(),
            ),
            ("rounds with wrong codes", self.evaluated.len().to_string()),
            ("  wrong codes evaluated", evaluated),
            ("  right code past the lock", self.past_the_lock.to_string()),
            ("answers of 500 and above", self.server_errors.to_string()),
            ("requests without an answer", self.no_answers.to_string()),
            ("answers not understood", self.unknown.to_string()),
        ];
        let mut table = String::new();
        for (what, count) in lines {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{what:<28} {count}");
        }
        table
    }

    /// An error when the server failed, or when nothing was shown.
    pub(crate) fn verdict(&self) -> Result<()> {
        let mut faults = Vec::new();
        let mut fault = |bad: bool, what: &str| {
            if bad {
                faults.push(what.to_owned());
            }
        };
        fault(
            self.accepted.is_empty() && self.evaluated.is_empty(),
            "no round was run",
        );
        fault(
            self.rounds_with(|count| count > 1) > 0,
            "a code was accepted more than once",
        );
        fault(
            self.rounds_with(|count| count == 0) > 0,
            "a right code was accepted by none",
        );
        fault(
            self.told && self.evaluated.iter().any(|count| *count != self.limit),
            "the wrong codes evaluated are not the limit",
        );
        fault(self.past_the_lock > 0, "a right code passed the lock");
        fault(self.server_errors > 0, "the server failed (500 and above)");
        fault(self.no_answers > 0, "requests found no answer");
        fault(self.unknown > 0, "answers were not understood");
        if faults.is_empty() {
            return Ok(());
        }
        let trouble = self.first_trouble.as_deref().unwrap_or_default();
        bail!("{} {trouble}", faults.join("; "))
    }
}
