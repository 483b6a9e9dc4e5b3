//! What the machine is and how it feels at the moment.

use std::cell::Cell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use warifu::ambient::stopwatch;

use crate::Result;
use crate::used::busy;

/// One line on the machine: cores, load, and the disk that `folder` is on.
pub(crate) fn describe(folder: &Path) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load: Vec<_> = load.split_whitespace().take(3).collect();
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    Ok(format!(
        "{cores} cores ({model}), load {}, databases on {}, profile {}",
        load.join(" "),
        disk(folder)?,
        if cfg!(debug_assertions) {
            "DEBUG: no figure counts"
        } else {
            "release"
        },
    ))
}

/// The device and the file system that hold `folder`: the longest mount point above it (proc_pid_mountinfo(5)).
fn disk(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
    let mut best = (0, String::from("an unknown disk"));
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = before.split(' ').nth(4) else {
            continue;
        };
        let mut after = after.split(' ');
        if let (Some(kind), Some(device)) = (after.next(), after.next())
            && folder.starts_with(point)
            && point.len() >= best.0
        {
            best = (point.len(), format!("{device} ({kind})"));
        }
    }
    Ok(best.1)
}

/// Cores that other programs may take while a round counts.
pub(crate) const OTHERS: f64 = 0.5;

/// Waits for the disk to be as good as it was and for others to be done, but not for ever.
pub(crate) struct Disk {
    folder: PathBuf,
    best: Cell<Duration>,
    patience: Cell<Duration>,
}

/// How long it looks at what others do, again and again until they do little.
const PAUSE: Duration = Duration::from_millis(300);

impl Disk {
    /// The disk that `folder` is on; all waiting together is as long as `patience`.
    pub(crate) fn new(folder: &Path, patience: Duration) -> Self {
        Self {
            folder: folder.to_owned(),
            best: Cell::new(Duration::MAX),
            patience: Cell::new(patience),
        }
    }

    /// What fdatasync takes just now, if possible at most twice the best so far.
    pub(crate) fn fdatasync(&self) -> Result<Duration> {
        loop {
            let before = busy()?;
            std::thread::sleep(PAUSE);
            let idle = busy()?.saturating_sub(before) < PAUSE.mul_f64(OTHERS);
            let found = self.probe()?;
            self.best.set(self.best.get().min(found));
            let even = found <= self.best.get().saturating_mul(2);
            if (idle && even) || self.patience.get() < PAUSE {
                return Ok(found);
            }
            self.patience.set(self.patience.get().saturating_sub(PAUSE));
        }
    }

    /// The median of 100 appends of 4 KiB, each brought to the disk: what one commit costs at least.
    fn probe(&self) -> Result<Duration> {
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let mut times = Vec::with_capacity(100);
        for _ in 0..100 {
            let start = stopwatch();
            file.write_all(&[0x5a; 4096])?;
            file.sync_data()?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(50).copied().unwrap_or_default())
    }
}

/// The resident memory of a process, KiB.
pub(crate) fn resident_kib(process: &str) -> Result<u64> {
    status_kib(process, "VmRSS:")
}

/// The largest resident memory of a process so far, KiB.
pub(crate) fn highest_kib(process: &str) -> Result<u64> {
    status_kib(process, "VmHWM:")
}

fn status_kib(process: &str, name: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| format!("/proc/PID/status has no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
