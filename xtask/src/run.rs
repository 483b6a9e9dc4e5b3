//! Running other programs, step by step, each with its duration.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Variables that `cargo run` sets for xtask itself. Some build scripts ask to be run again when
/// one changes, so handing them on would rebuild crates at every turn.
const CARGO_RUN: [&str; 5] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "OUT_DIR",
];

/// A program, run from the root of the repository.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(crate::workspace::root());
    for (key, _) in std::env::vars_os() {
        let own = key
            .to_str()
            .is_some_and(|key| CARGO_RUN.iter().any(|prefix| key.starts_with(prefix)));
        if own {
            command.env_remove(key);
        }
    }
    command
}

/// Cargo, run from the root of the repository.
pub(crate) fn cargo() -> Command {
    program("cargo")
}

/// Is there a program of this name?
pub(crate) fn exists(name: &str) -> bool {
    find(name).is_some()
}

/// Where a program of this name is.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Runs a command to its end with its output shown; anything but success is an error.
pub(crate) fn checked(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// Runs a command and returns what it printed; anything but success is an error with its complaint.
pub(crate) fn captured(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// What became of a step.
enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// The steps of a longer command: says each as it starts and ends, and sums up.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, Outcome)>,
}

impl Steps {
    /// Runs one step and keeps its outcome; true when it passed.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n── {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        let took = start.elapsed();
        match &outcome {
            Outcome::Failed(why) => println!("── {name}: FAILED in {}: {why}", seconds(took)),
            _ => println!("── {name}: passed in {}", seconds(took)),
        }
        let passed = matches!(outcome, Outcome::Passed);
        self.done.push((name.to_owned(), took, outcome));
        passed
    }

    /// Notes a step that was not run, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n── {name}: skipped: {why}");
        let outcome = Outcome::Skipped(why.to_owned());
        self.done.push((name.to_owned(), Duration::ZERO, outcome));
    }

    /// The closing summary; an error when a step failed, or when none was run.
    pub(crate) fn summary(self) -> Result<()> {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!("\n══ summary");
        for (name, took, outcome) in &self.done {
            let said = match outcome {
                Outcome::Passed => {
                    passed += 1;
                    "passed".to_owned()
                }
                Outcome::Skipped(why) => {
                    skipped += 1;
                    format!("skipped: {why}")
                }
                Outcome::Failed(why) => {
                    failed += 1;
                    format!("FAILED: {}", why.lines().next().unwrap_or_default())
                }
            };
            println!("{name:<32} {:>8}  {said}", seconds(*took));
        }
        println!("\nsteps: {passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.done.len());
        }
        if passed == 0 {
            bail!("no step was run");
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_whole() {
        let mut steps = Steps::default();
        assert!(steps.step("good", || Ok(())));
        assert!(!steps.step("bad", || bail!("broken")));
        assert!(steps.summary().is_err());
    }

    #[test]
    fn skipped_steps_alone_are_no_success() {
        let mut steps = Steps::default();
        steps.skip("something", "not here");
        assert!(steps.summary().is_err());
    }

    #[test]
    fn a_command_that_fails_is_an_error_that_names_it() {
        let error = checked(program("false").arg("x")).unwrap_err();
        assert!(error.to_string().contains("false x"), "{error}");
    }
}
