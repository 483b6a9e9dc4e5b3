//! What the kernel counted for the processes that matter.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Result;

/// The kernel counts a process's time in hundredths of a second, whatever its own clock is (proc(5), USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// What the kernel counted so far.
#[derive(Debug)]
pub(crate) struct Used {
    /// Time on a core of each process that does the work, all its threads together.
    workers: BTreeMap<String, Duration>,
    /// The same of this process, where it only asks.
    loader: Duration,
    /// Bytes that this process or the server had written to the disk.
    written: u64,
    /// Time that the cores were not idle.
    busy: Duration,
}

/// What was used between two moments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// Time on a core of who does the work.
    pub(crate) cpu: Duration,
    /// Bytes that this process or the server had written to the disk.
    pub(crate) written: u64,
    /// Time on a core of everything else.
    pub(crate) others: Duration,
}

impl Used {
    /// This process, which does all the work itself but for what PostgreSQL does.
    pub(crate) fn here() -> Result<Self> {
        let mut workers = postgres()?;
        workers.insert("self".into(), time("self")?);
        Ok(Self {
            workers,
            loader: Duration::ZERO,
            written: written("self")?,
            busy: busy()?,
        })
    }

    /// A server that this process keeps busy.
    pub(crate) fn there(process: &str) -> Result<Self> {
        Ok(Self {
            workers: BTreeMap::from([(process.to_owned(), time(process)?)]),
            loader: time("self")?,
            written: written(process)?,
            busy: busy()?,
        })
    }

    /// What was used since `before`. A worker that came or went in between counts as one of the others.
    pub(crate) fn since(&self, before: &Self) -> Spent {
        let each = self.workers.iter().filter_map(|(process, now)| {
            let before = before.workers.get(process)?;
            Some(now.saturating_sub(*before))
        });
        let cpu = each.sum();
        let ours = cpu + self.loader.saturating_sub(before.loader);
        Spent {
            cpu,
            written: self.written.saturating_sub(before.written),
            others: self.busy.saturating_sub(before.busy).saturating_sub(ours),
        }
    }
}

/// The time that the machine's cores were not idle.
pub(crate) fn busy() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().ok_or("/proc/stat is empty")?;
    let ticks = line
        .split_whitespace()
        .skip(1)
        .map(str::parse::<u32>)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq; what follows is counted in them or is not ours (proc_stat(5)).
    let [user, nice, system, _, _, irq, softirq, ..] = ticks.as_slice() else {
        return Err("/proc/stat has too few fields".into());
    };
    Ok(TICK * (user + nice + system + irq + softirq))
}

/// The time of each process of PostgreSQL.
fn postgres() -> Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::new();
    for process in std::fs::read_dir("/proc")? {
        let name = process?.file_name();
        let Some(process) = name
            .to_str()
            .filter(|name| name.starts_with(char::is_numeric))
        else {
            continue;
        };
        let name = std::fs::read_to_string(format!("/proc/{process}/comm"));
        // A process may end while it is looked at.
        if name.is_ok_and(|name| name == "postgres\n")
            && let Ok(time) = time(process)
        {
            times.insert(process.to_owned(), time);
        }
    }
    Ok(times)
}

fn time(process: &str) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything, so the fields are counted from behind it: 14 and 15 of proc(5).
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat has no name")?;
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<std::result::Result<_, _>>()?;
    Ok(TICK * ticks)
}

fn written(process: &str) -> Result<u64> {
    let io = std::fs::read_to_string(format!("/proc/{process}/io"))?;
    let bytes = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "))
        .ok_or("/proc/PID/io has no write_bytes")?;
    Ok(bytes.trim().parse()?)
}
