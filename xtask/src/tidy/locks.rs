//! The lock files of the workspaces beside the main one know what our crates depend on today: whoever builds one of them with
//! `--locked` would find out too late.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Source;
use super::edges::Package;

/// Faults: a dependency of one of our crates that a lock file does not know, or one that it knows and we have no more.
pub(crate) fn check(sources: &[Source], packages: &[Package]) -> Vec<String> {
    let locks = sources
        .iter()
        .filter(|source| source.path.ends_with("/Cargo.lock"));
    locks.flat_map(|lock| faults(lock, packages)).collect()
}

fn faults(lock: &Source, packages: &[Package]) -> Vec<String> {
    let table: Table = match lock.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{}: {error}", lock.path)],
    };
    let listed = table.get("package").and_then(Value::as_array);
    let mut faults = Vec::new();
    for entry in listed.into_iter().flatten() {
        let name = entry.get("name").and_then(Value::as_str);
        let Some(package) = packages
            .iter()
            .find(|package| entry.get("source").is_none() && Some(package.name.as_str()) == name)
        else {
            continue;
        };
        let known = entry.get("dependencies").and_then(Value::as_array);
        // "name", or "name version" where there are several.
        let known: BTreeSet<_> = known
            .into_iter()
            .flatten()
            .filter_map(|line| line.as_str()?.split(' ').next())
            .collect();
        for dependency in &package.dependencies {
            let needed = !dependency.only_tests && !dependency.optional;
            if needed && !known.contains(dependency.name.as_str()) {
                faults.push(format!(
                    "{} does not know that {} depends on {}: `cargo update --workspace` in its folder",
                    lock.path, package.name, dependency.name
                ));
            }
        }
        for gone in known.iter().filter(|known| {
            let mut ours = package.dependencies.iter();
            !ours.any(|dependency| dependency.name == **known)
        }) {
            faults.push(format!(
                "{} says that {} depends on {gone}: `cargo update --workspace` in its folder",
                lock.path, package.name
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::edges::Dependency;
    use super::*;

    fn found(lines: &str) -> usize {
        let lock = format!(
            "version = 4\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry\"\ndependencies = [\"x\"]\n\
             [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\ndependencies = [{lines}]\n"
        );
        let dependency = |name: &str, only_tests, optional| Dependency {
            name: name.to_owned(),
            only_tests,
            optional,
            in_workspace: false,
        };
        let ours = Package {
            name: "ours".to_owned(),
            dependencies: vec![
                dependency("serde", false, false),
                dependency("proptest", true, false),
                dependency("clap", false, true),
            ],
        };
        check(&[Source::new("fuzz/Cargo.lock", &lock)], &[ours]).len()
    }

    #[test]
    fn a_lock_file_that_knows_our_dependencies_passes() {
        for lines in ["\"serde\"", "\"clap\", \"proptest 1.2.3\", \"serde 1.0.0\""] {
            assert_eq!(found(lines), 0, "{lines}");
        }
    }

    #[test]
    fn one_that_lacks_or_keeps_something_fails() {
        for lines in ["", "\"serde\", \"tokio\"", "\"serde\" \"clap\""] {
            assert_eq!(found(lines), 1, "{lines}");
        }
    }
}
