//! The two database engines have the same migrations: same numbers, same names.

use std::collections::BTreeSet;

const SQLITE: &str = "crates/server/migrations/sqlite/";
const POSTGRES: &str = "crates/server/migrations/postgres/";

/// Faults: a migration of one engine alone, a bad name, a gap or a double in the numbers.
pub(crate) fn check(paths: &[String]) -> Vec<String> {
    let sqlite = names(paths, SQLITE);
    let postgres = names(paths, POSTGRES);
    let mut faults = Vec::new();
    for name in sqlite.difference(&postgres) {
        faults.push(format!("{SQLITE}{name} has no counterpart in {POSTGRES}"));
    }
    for name in postgres.difference(&sqlite) {
        faults.push(format!("{POSTGRES}{name} has no counterpart in {SQLITE}"));
    }
    for (expected, name) in (1..).zip(&sqlite) {
        if number(name) != Some(expected) {
            faults.push(format!("{SQLITE}{name} should begin with {expected:04}_"));
            break;
        }
    }
    faults
}

fn names<'a>(paths: &'a [String], folder: &str) -> BTreeSet<&'a str> {
    paths
        .iter()
        .filter_map(|path| path.strip_prefix(folder))
        .filter(|name| name.ends_with(".sql"))
        .collect()
}

fn number(name: &str) -> Option<u32> {
    let (digits, _) = name.split_once('_')?;
    (digits.len() == 4).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(sqlite: &[&str], postgres: &[&str]) -> Vec<String> {
        let sqlite = sqlite.iter().map(|name| format!("{SQLITE}{name}"));
        let postgres = postgres.iter().map(|name| format!("{POSTGRES}{name}"));
        check(&sqlite.chain(postgres).collect::<Vec<_>>())
    }

    #[test]
    fn equal_lists_pass() {
        let list = ["0001_first.sql", "0002_second.sql"];
        assert!(faults(&list, &list).is_empty());
    }

    #[test]
    fn a_migration_of_one_engine_alone_fails() {
        assert_eq!(
            faults(&["0001_a.sql", "0002_b.sql"], &["0001_a.sql"]).len(),
            1
        );
        assert_eq!(faults(&["0001_a.sql"], &["0001_other.sql"]).len(), 2);
    }

    #[test]
    fn a_gap_fails() {
        let list = ["0001_a.sql", "0003_b.sql"];
        assert_eq!(faults(&list, &list).len(), 1);
    }
}
