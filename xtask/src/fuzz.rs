//! `cargo xtask fuzz`: libFuzzer on everything that reads bytes from outside, one target after the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{run, workspace};

/// Bytes of an input at most: each line, form and answer that a target reads has its own bound far below or near.
const LONGEST: &str = "-max_len=4096";

/// Seconds after which one input counts as a fault.
const SLOWEST: &str = "-timeout=10";

/// `cargo xtask fuzz`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this target; may be given several times.
    #[arg(long)]
    only: Vec<String>,
}

/// What came of one target.
struct Outcome {
    target: String,
    executions: u64,
    inputs: usize,
    fault: Option<String>,
}

/// Builds every target, runs each, and says what was found; a fault of one does not keep the others from running.
pub(crate) fn run(args: &Args) -> Result<()> {
    let targets = chosen(&all()?, &args.only)?;
    if !run::exists("cargo-fuzz") {
        println!("installing cargo-fuzz (it compiles for a minute)");
        run::checked(run::cargo().args(["install", "cargo-fuzz", "--locked"]))?;
    }
    let folder = workspace::target_dir()?.join("fuzz");
    // No code of ours is unsafe: without a sanitizer the stable toolchain does, and overflows are caught all the same.
    let mut build = run::cargo();
    build.args(["fuzz", "build", "--sanitizer", "none", "--target-dir"]);
    run::checked(build.arg(&folder))?;
    // Cargo-fuzz puts what it built in a folder of the machine's triple.
    let programs = folder.join(workspace::host()?).join("release");
    let mut outcomes = Vec::new();
    for target in targets {
        println!("\n── {target}, {} s", args.seconds);
        outcomes.push(attack(&target, args.seconds, &programs, &folder)?);
    }
    summary(&outcomes, args.seconds)
}

/// The names of the targets: those of their files.
fn all() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).context("the fuzz targets")? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(all: &[String], only: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!(
            "no target is called {unknown}; there are {}",
            all.join(", ")
        );
    }
    let wanted = |name: &&String| only.is_empty() || only.contains(name);
    Ok(all.iter().filter(wanted).cloned().collect())
}

/// Runs one target: what it finds worth keeping goes to `target`, the corpus of the repository is only read.
fn attack(target: &str, seconds: u64, programs: &Path, folder: &Path) -> Result<Outcome> {
    let kept = made(folder.join("corpus").join(target))?;
    let faults = made(folder.join("artifacts").join(target))?;
    let mut command = run::program(programs.join(target));
    command
        .arg(&kept)
        .arg(workspace::root().join("fuzz/corpus").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", faults.display()))
        .args([LONGEST, SLOWEST, "-print_final_stats=1"]);
    let (text, passed) = heard(&mut command)?;
    let fault = (!passed).then(|| last_words(&text));
    if let Some(words) = &fault {
        println!("{words}");
    }
    Ok(Outcome {
        target: target.to_owned(),
        executions: executions(&text).unwrap_or(0),
        inputs: std::fs::read_dir(&kept)?.count(),
        fault,
    })
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

fn heard(command: &mut Command) -> Result<(String, bool)> {
    let output = command.output().context("starting a fuzz target")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((text, output.status.success()))
}

/// `stat::number_of_executed_units: N` of libFuzzer's closing lines.
fn executions(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|count| count.trim().parse().ok())
}

/// What libFuzzer said about a fault: without the lines about its progress.
fn last_words(text: &str) -> String {
    let progress = |line: &&str| !line.starts_with('#') && !line.starts_with("stat::");
    let lines: Vec<&str> = text.lines().filter(progress).collect();
    let from = lines.len().saturating_sub(40);
    lines.get(from..).unwrap_or_default().join("\n")
}

fn summary(outcomes: &[Outcome], seconds: u64) -> Result<()> {
    println!("\n══ {seconds} s each");
    println!(
        "{:<20} {:>14} {:>10}  found",
        "target", "executions", "inputs"
    );
    for outcome in outcomes {
        println!(
            "{:<20} {:>14} {:>10}  {}",
            outcome.target,
            outcome.executions,
            outcome.inputs,
            if outcome.fault.is_some() {
                "A FAULT"
            } else {
                "nothing"
            }
        );
    }
    let faults = outcomes
        .iter()
        .filter(|outcome| outcome.fault.is_some())
        .count();
    if faults > 0 {
        bail!("{faults} targets found a fault: the inputs are in target/fuzz/artifacts");
    }
    // A target that did nothing found nothing either.
    if outcomes.iter().any(|outcome| outcome.executions == 0) || outcomes.is_empty() {
        bail!("a target was not run");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_executions_is_read() {
        let text = "#1 INITED\nstat::number_of_executed_units: 4242\nstat::average: 1\n";
        assert_eq!(executions(text), Some(4242));
        assert_eq!(executions("#1 INITED\n"), None);
    }

    #[test]
    fn a_target_that_found_a_fault_or_did_nothing_fails_the_whole() {
        let outcome = |executions, fault: Option<&str>| Outcome {
            target: "a".to_owned(),
            executions,
            inputs: 1,
            fault: fault.map(str::to_owned),
        };
        assert!(summary(&[outcome(1, None)], 1).is_ok());
        assert!(summary(&[outcome(1, None), outcome(1, Some("x"))], 1).is_err());
        assert!(summary(&[outcome(0, None)], 1).is_err());
        assert!(summary(&[], 1).is_err());
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let all = ["a".to_owned(), "b".to_owned()];
        assert_eq!(chosen(&all, &[]).unwrap().len(), 2);
        assert_eq!(chosen(&all, &["b".to_owned()]).unwrap(), ["b"]);
        assert!(chosen(&all, &["c".to_owned()]).is_err());
    }
}
