//! Where the server's time goes while it validates: samples of its stacks, taken by perf.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use crate::Result;

/// Samples a second and core. Odd, so that nothing that happens a thousand times a second is always or never met.
const RATE: &str = "1999";

/// perf at work on the whole machine: on virtual ones it does not attach to one process by the clock.
pub(crate) struct Sampling {
    perf: Child,
    file: PathBuf,
}

impl Sampling {
    /// Begins; it ends by itself after `length`.
    pub(crate) fn begin(file: &Path, length: Duration) -> Result<Self> {
        let perf = Command::new("perf")
            .args([
                "record",
                "--event",
                "cpu-clock",
                "--freq",
                RATE,
                "--all-cpus",
                "-g",
                "--output",
            ])
            .arg(file)
            .args(["--", "sleep", &length.as_secs_f64().to_string()])
            .spawn()
            .map_err(|error| format!("cannot start perf (Debian's package linux-perf): {error}"))?;
        Ok(Self {
            perf,
            file: file.to_owned(),
        })
    }

    /// Writes the stacks of one process, as `perf script` prints them.
    pub(crate) fn write(mut self, process: &str, stacks: &Path) -> Result<()> {
        if !self.perf.wait()?.success() {
            return Err("perf record failed".into());
        }
        let mut script = Command::new("perf");
        script.args(["script", "--no-inline", "--pid", process, "--input"]);
        if !script
            .arg(&self.file)
            .stdout(File::create(stacks)?)
            .status()?
            .success()
        {
            return Err("perf script failed".into());
        }
        Ok(())
    }
}
