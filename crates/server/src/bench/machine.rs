//! The machine that the load runs on, and the server's process where it runs beside it (Linux, proc(5)).

use serde::Serialize;

/// The kernel counts a process's time in hundredths of a second, whatever its own clock is (`USER_HZ`).
const TICKS: f64 = 100.0;

/// The machine.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Machine {
    /// The processor, as it calls itself.
    pub processor: String,
    /// Cores.
    pub cores: usize,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// The operating system.
    pub system: String,
}

/// A process at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Used {
    /// Resident memory, KiB.
    pub resident_kib: u64,
    /// Time on a core so far, seconds.
    pub cpu_seconds: f64,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let processor = field(&read("/proc/cpuinfo"), "model name");
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
        let release = read("/proc/sys/kernel/osrelease");
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: kib / 1024,
            system: format!("{} {}", std::env::consts::OS, release.trim()),
        }
    }
}

/// The value of the first `NAME: VALUE` line.
fn field(text: &str, name: &str) -> String {
    let found = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name);
    found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

/// What a process uses; none when there is no such process, or no way to know.
#[must_use]
pub fn used(process: u32) -> Option<Used> {
    let read = |file| std::fs::read_to_string(format!("/proc/{process}/{file}")).ok();
    let resident = field(&read("status")?, "VmRSS");
    let stat = read("stat")?;
    // The name may hold anything, a parenthesis too; what follows the last one are numbers.
    let (_, numbers) = stat.rsplit_once(')')?;
    let ticks: f64 = numbers
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    Some(Used {
        resident_kib: resident.trim_end_matches(" kB").parse().ok()?,
        cpu_seconds: ticks / TICKS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_memory_and_nobody_has_no_process() {
        let here = used(std::process::id()).unwrap();
        assert!(here.resident_kib > 500, "{here:?}");
        assert_eq!(used(u32::MAX), None);
        assert!(Machine::here().cores > 0);
    }
}
