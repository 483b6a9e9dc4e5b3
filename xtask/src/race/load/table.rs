//! The medians of all rounds as a table.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use super::round::Outcome;

/// The rounds of each server and number of connections, in the order of their first.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    server: String,
    connections: usize,
    rounds: Vec<Outcome>,
}

impl Table {
    /// Adds a round.
    pub(super) fn add(&mut self, server: &str, connections: usize, outcome: Outcome) {
        let same = |row: &&mut Row| row.server == server && row.connections == connections;
        match self.rows.iter_mut().find(same) {
            Some(row) => row.rounds.push(outcome),
            None => self.rows.push(Row {
                server: server.to_owned(),
                connections,
                rounds: vec![outcome],
            }),
        }
    }

    /// An error when right codes were not accepted, or when nothing was measured.
    pub(super) fn verdict(&self) -> Result<()> {
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        for row in &self.rows {
            for (what, count) in row.rounds.iter().flat_map(|round| &round.others) {
                *others.entry(format!("{}: {what}", row.server)).or_default() += count;
            }
            if row.rounds.iter().any(|round| round.latencies.is_empty()) {
                bail!("a round of {} in which nothing was accepted", row.server);
            }
        }
        if self.rows.is_empty() {
            bail!("no round was run");
        }
        if !others.is_empty() {
            bail!("right codes that were not accepted: {others:?}");
        }
        Ok(())
    }
}

impl Row {
    fn medians(&self, value: impl Fn(&Outcome) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn processes(&self) -> String {
        let names = self.rounds.first().map(|round| round.cpu.keys());
        let each = names.into_iter().flatten().filter_map(|name| {
            let median = self.medians(|round| round.cpu_each(name))?;
            Some(format!("{name} {median:.3}"))
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| server | connections | a second, median (least to most) | p50 ms | p99 ms | CPU ms each |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let rates = || row.rounds.iter().map(Outcome::rate);
            let (least, most) = (
                rates().fold(f64::INFINITY, f64::min),
                rates().fold(0.0, f64::max),
            );
            let figure = |value: Option<f64>| value.unwrap_or(f64::NAN);
            writeln!(
                f,
                "| {} | {} | {:.1} ({least:.1} to {most:.1}) | {:.2} | {:.2} | {} |",
                row.server,
                row.connections,
                figure(row.medians(|round| Some(round.rate()))),
                figure(row.medians(|round| round.percentile(50))),
                figure(row.medians(|round| round.percentile(99))),
                row.processes(),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn round(accepted: usize, milliseconds: u64) -> Outcome {
        Outcome {
            latencies: vec![Duration::from_millis(milliseconds); accepted],
            elapsed: Duration::from_secs(1),
            cpu: [("server".to_owned(), Duration::from_secs(1))].into(),
            ..Outcome::default()
        }
    }

    #[test]
    fn a_row_has_the_medians_of_its_rounds() {
        let mut table = Table::default();
        for (accepted, milliseconds) in [(100, 9), (1000, 2), (250, 4)] {
            table.add("A", 8, round(accepted, milliseconds));
        }
        let printed = table.to_string();
        let row = "| A | 8 | 250.0 (100.0 to 1000.0) | 4.00 | 4.00 | server 4.000 |";
        assert_eq!(printed.lines().nth(2), Some(row));
        assert!(table.verdict().is_ok());
    }

    #[test]
    fn a_right_code_that_was_refused_is_found() {
        let mut table = Table::default();
        assert!(table.verdict().is_err());
        let mut refused = round(5, 1);
        refused.others.insert("Locked".to_owned(), 2);
        table.add("A", 1, refused);
        let error = table.verdict().unwrap_err().to_string();
        assert!(error.contains(r#""A: Locked": 2"#), "{error}");
    }
}
