//! Known faults of what we depend on, by a copy of the RustSec database.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::tz::Offset;
use rustsec::advisory::Informational;
use rustsec::report::Settings;
use rustsec::{Database, Lockfile, Report};

use super::LOCK_FILES;
use crate::workspace;

/// The copy that cargo-audit or cargo-deny left in cargo's home; of several the one that was changed last.
pub(super) fn usual_place() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let mut copies = vec![home.join("advisory-db")];
    if let Ok(entries) = std::fs::read_dir(home.join("advisory-dbs")) {
        copies.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    copies
        .into_iter()
        .filter(|copy| copy.join("crates").is_dir())
        .max_by_key(|copy| copy.metadata().and_then(|it| it.modified()).ok())
}

/// Holds every lock file to the database in `folder`.
pub(super) fn check(folder: &Path, max_age_days: i64) -> Result<()> {
    let database =
        Database::open(folder).with_context(|| format!("reading {}", folder.display()))?;
    let today = Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    println!("{}", state(&database, folder, today, max_age_days)?);
    let mut faults = Vec::new();
    for file in LOCK_FILES {
        let lock = Lockfile::load(workspace::root().join(file))
            .with_context(|| format!("reading {file}"))?;
        println!("{file}: {} packages", lock.packages.len());
        faults.extend(
            found(&database, &lock)
                .into_iter()
                .map(|fault| format!("{file}: {fault}")),
        );
    }
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} advisories hold for what is built", faults.len())
}

/// How old the copy is, by its newest advisory: one is added every few days.
fn state(database: &Database, folder: &Path, today: Date, max_age_days: i64) -> Result<String> {
    let count = database.iter().count();
    let newest = database
        .iter()
        .map(|advisory| advisory.date().as_str())
        .max();
    let newest = newest.context("the database holds no advisory")?;
    let date: Date = newest.parse().context("the date of an advisory")?;
    let age = i64::from(date.until(today)?.get_days());
    if age > max_age_days {
        bail!(
            "the copy in {} is too old: its newest advisory is of {newest}, {age} days ago, and {max_age_days} are the most",
            folder.display()
        );
    }
    Ok(format!(
        "{}: {count} advisories, the newest of {newest}, {age} days ago",
        folder.display()
    ))
}

/// Faults of the packages of a lock file: vulnerable, unsound or unmaintained, as deny.toml has it.
fn found(database: &Database, lock: &Lockfile) -> Vec<String> {
    let settings = Settings {
        informational_warnings: vec![Informational::Unmaintained, Informational::Unsound],
        ..Settings::default()
    };
    let report = Report::generate(database, lock, &settings);
    let mut faults = Vec::new();
    for fault in &report.vulnerabilities.list {
        let (package, advisory) = (&fault.package, &fault.advisory);
        faults.push(format!(
            "{} {}: {}: {}",
            package.name, package.version, advisory.id, advisory.title
        ));
    }
    for warning in report.warnings.values().flatten() {
        let (package, kind) = (&warning.package, warning.kind.as_str());
        let id = warning
            .advisory
            .as_ref()
            .map(|advisory| advisory.id.to_string());
        faults.push(format!(
            "{} {}: {kind}: {}",
            package.name,
            package.version,
            id.unwrap_or_default()
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"sample\"\nversion = \"1.2.0\"\n\
        source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
        checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";

    fn advisory(id: &str, package: &str, more: &str, patched: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-03-01\"\n{more}\n\
             [versions]\npatched = [{patched}]\n```\n\n# A sample fault\n\nWhat it is about.\n"
        )
    }

    fn database(advisories: &[(&str, &str, &str, &str)]) -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        for collection in ["rust", "crates"] {
            std::fs::create_dir_all(folder.path().join(collection)).unwrap();
        }
        for (id, package, more, patched) in advisories {
            let of = folder.path().join("crates").join(package);
            std::fs::create_dir_all(&of).unwrap();
            std::fs::write(
                of.join(format!("{id}.md")),
                advisory(id, package, more, patched),
            )
            .unwrap();
        }
        let database = Database::open(folder.path()).unwrap();
        (folder, database)
    }

    #[test]
    fn a_fault_of_what_is_built_is_found_and_no_other() {
        let lock: Lockfile = LOCK.parse().unwrap();
        let (_folder, with) = database(&[
            ("RUSTSEC-2026-0001", "sample", "", "\">= 1.2.1\""),
            (
                "RUSTSEC-2026-0002",
                "sample",
                "informational = \"unmaintained\"",
                "",
            ),
            ("RUSTSEC-2026-0003", "sample", "", "\">= 1.2.0\""),
            ("RUSTSEC-2026-0004", "another", "", ""),
        ]);
        let faults = found(&with, &lock);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("sample 1.2.0: RUSTSEC-2026-0001"));
        assert!(faults[1].contains("unmaintained") && faults[1].contains("0002"));
    }

    #[test]
    fn a_copy_that_is_too_old_or_empty_is_not_believed() {
        let (folder, some) = database(&[("RUSTSEC-2026-0001", "sample", "", "")]);
        let at = |day: &str| state(&some, folder.path(), day.parse().unwrap(), 90);
        let said = at("2026-04-01").unwrap();
        assert!(said.contains("2026-03-01, 31 days ago"), "{said}");
        assert!(at("2026-05-30").is_ok());
        assert!(
            at("2026-05-31")
                .unwrap_err()
                .to_string()
                .contains("too old")
        );
        let (folder, none) = database(&[]);
        assert!(state(&none, folder.path(), "2026-04-01".parse().unwrap(), 90).is_err());
    }
}
