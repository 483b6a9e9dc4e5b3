//! The CPU that a process and its descendants have used, out of /proc.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};

/// Linux counts in hundredths of a second (`USER_HZ`), whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// What a line of /proc/PID/stat says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Of its own and of the children that it has waited for.
    ticks: u32,
}

/// The CPU time of a process and of all its descendants, those that are over included.
pub(super) fn used(root: u32) -> Result<Duration> {
    let mut stats = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("CPU is counted on Linux only")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that is over by now is counted at its parent.
        if let Ok(line) = std::fs::read_to_string(format!("/proc/{id}/stat"))
            && let Some(stat) = parse(&line)
        {
            stats.insert(id, stat);
        }
    }
    stats
        .contains_key(&root)
        .then(|| TICK * sum(&stats, root))
        .with_context(|| format!("there is no process {root}"))
}

/// The name of the program stands in parentheses and may hold anything, so the last one counts.
fn parse(line: &str) -> Option<Stat> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(Stat {
        parent: number(1)?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
    })
}

fn sum(stats: &HashMap<u32, Stat>, root: u32) -> u32 {
    let own = stats.get(&root).map_or(0, |stat| stat.ticks);
    let children = stats.iter().filter(|(_, stat)| stat.parent == root);
    own + children.map(|(child, _)| sum(stats, *child)).sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 4194560 9 9 0 0 10 20 30 40 20 0 1 0 5 6 7";
        let read = Stat {
            parent: 3,
            ticks: 100,
        };
        assert_eq!(parse(line), Some(read));
        assert_eq!(parse("7 (a) S 3"), None);
    }

    #[test]
    fn descendants_count_and_others_do_not() {
        let stat = |parent, ticks| Stat { parent, ticks };
        let stats = HashMap::from([
            (1, stat(0, 1000)),
            (5, stat(1, 1)),
            (6, stat(5, 2)),
            (7, stat(6, 4)),
            (8, stat(1, 500)),
        ]);
        assert_eq!(sum(&stats, 5), 7);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(used(u32::MAX).is_err());
        assert!(used(std::process::id()).is_ok());
    }
}
