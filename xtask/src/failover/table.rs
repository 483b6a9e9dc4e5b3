//! What came of each fault, in one table.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};

/// What came of one fault.
pub(super) struct Row {
    pub(super) fault: &'static str,
    /// What is to be said of it.
    pub(super) said: String,
    /// Until all was whole again and the load flowed.
    pub(super) took: Duration,
    /// The longest time without an acknowledged validation, and transfer.
    pub(super) gaps: [Duration; 2],
    /// Acknowledged validations and transfers during the fault.
    pub(super) acknowledged: [usize; 2],
    /// Requests whose outcome was unknown at first; all were settled by their keys.
    pub(super) unknown: usize,
    /// Validations and transfers that were asked for again.
    pub(super) asked: (usize, usize),
    /// What is wrong.
    pub(super) faults: Vec<String>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

const HEAD: &str = "| fault | cluster | whole again | without validations | without transfers | acknowledged meanwhile | unknown, settled by key | asked again | |\n|---|---|---|---|---|---|---|---|---|\n";

impl Row {
    /// A line of the table.
    pub(super) fn line(&self) -> String {
        let verdict = if self.faults.is_empty() {
            "green"
        } else {
            "RED"
        };
        let [validations, transfers] = self.gaps.map(|gap| gap.as_secs_f64());
        let [accepted, done] = self.acknowledged;
        format!(
            "| {} | {} | {:.1} s | {validations:.1} s | {transfers:.1} s | {accepted} + {done} | {} | {} + {} | {verdict} |",
            self.fault,
            self.said,
            self.took.as_secs_f64(),
            self.unknown,
            self.asked.0,
            self.asked.1,
        )
    }
}

impl Table {
    /// One more.
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The table, what is wrong, and a last line.
    pub(super) fn text(&self, papers: usize, took: Duration) -> String {
        let mut text = format!("\n{HEAD}");
        for row in &self.0 {
            let _ = writeln!(text, "{}", row.line());
        }
        for row in &self.0 {
            for fault in &row.faults {
                let _ = writeln!(text, "\nRED: {}: {fault}", row.fault);
            }
        }
        let green = self.0.iter().filter(|row| row.faults.is_empty()).count();
        let _ = writeln!(
            text,
            "\n{green} of {} green in {:.0} s; {papers} requests were written down before they were sent",
            self.0.len(),
            took.as_secs_f64()
        );
        text
    }

    /// An error unless all of it is green.
    pub(super) fn verdict(&self) -> Result<()> {
        let red = self.0.iter().filter(|row| !row.faults.is_empty()).count();
        if red > 0 || self.0.is_empty() {
            bail!("{red} of {} faults are red", self.0.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(faults: &[&str]) -> Row {
        Row {
            fault: "a fault",
            said: "node1 stays".into(),
            took: Duration::from_secs(3),
            gaps: [Duration::from_millis(1_500), Duration::from_secs(2)],
            acknowledged: [5, 6],
            unknown: 7,
            asked: (8, 9),
            faults: faults.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn one_red_row_makes_the_whole_red_and_so_does_no_row() {
        let mut table = Table::default();
        assert!(table.verdict().is_err());
        table.add(row(&[]));
        table.verdict().unwrap();
        table.add(row(&["a journal too many"]));
        assert!(table.verdict().is_err());
        let text = table.text(3, Duration::from_secs(60));
        assert!(text.contains(
            "| a fault | node1 stays | 3.0 s | 1.5 s | 2.0 s | 5 + 6 | 7 | 8 + 9 | RED |"
        ));
        assert!(text.contains("RED: a fault: a journal too many"));
        assert!(text.contains("1 of 2 green in 60 s"));
    }
}
