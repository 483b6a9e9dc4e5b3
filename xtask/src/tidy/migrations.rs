//! The two database engines have the same migrations: same numbers, same names.

use std::collections::BTreeSet;

const SQLITE: &str = "crates/server/migrations/sqlite/";
const POSTGRES: &str = "crates/server/migrations/postgres/";
const BANK_SQLITE: &str = "crates/server/migrations/bank/sqlite/";
const BANK_POSTGRES: &str = "crates/server/migrations/bank/postgres/";

/// Faults: a migration of one engine alone, a bad name, a gap or a double in the numbers.
pub(crate) fn check(paths: &[String]) -> Vec<String> {
    let mut faults = pair(paths, SQLITE, POSTGRES);
    faults.extend(pair(paths, BANK_SQLITE, BANK_POSTGRES));
    faults
}

fn pair(paths: &[String], one: &str, other: &str) -> Vec<String> {
    let sqlite = names(paths, one);
    let postgres = names(paths, other);
    let mut faults = Vec::new();
    for name in sqlite.difference(&postgres) {
        faults.push(format!("{one}{name} has no counterpart in {other}"));
    }
    for name in postgres.difference(&sqlite) {
        faults.push(format!("{other}{name} has no counterpart in {one}"));
    }
    for (expected, name) in (1..).zip(&sqlite) {
        if number(name) != Some(expected) {
            faults.push(format!("{one}{name} should begin with {expected:04}_"));
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
    fn the_bank_has_its_own_list() {
        let alone = [format!("{BANK_SQLITE}0001_a.sql")];
        assert_eq!(check(&alone).len(), 1);
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
