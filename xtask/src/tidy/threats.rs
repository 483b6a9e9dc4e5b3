//! `docs/security.md` names of every threat the asset, the attacker, the way, the answer, and a test that exists.

use std::collections::BTreeSet;

use super::House;
use super::rules::{quoted, test_exists};

const FILE: &str = "docs/security.md";

/// The columns of a table of threats.
const COLUMNS: [&str; 5] = ["asset", "attacker", "way", "what answers it", "test"];

/// Faults: a row that is not whole, an asset or an attacker that is not declared or in no row, a test that is not there.
pub(crate) fn check(house: &House) -> Vec<String> {
    let Some(document) = house.sources.iter().find(|source| source.path == FILE) else {
        return vec![format!("{FILE} is missing")];
    };
    let (mut assets, mut attackers) = (BTreeSet::new(), BTreeSet::new());
    let (mut attacked, mut attacking) = (BTreeSet::new(), BTreeSet::new());
    let mut threats = Vec::new();
    let mut header: Vec<&str> = Vec::new();
    for (number, line) in (1..).zip(document.text.lines()) {
        let Some(cells) = cells(line) else {
            header.clear();
            continue;
        };
        if cells.iter().all(|cell| cell.starts_with("--")) {
            continue;
        }
        if header.is_empty() {
            header = cells;
        } else if header == COLUMNS {
            threats.push((number, cells));
        } else if let [name, ..] = cells.as_slice() {
            match header.first() {
                Some(&"asset") => drop(assets.insert(*name)),
                Some(&"attacker") => drop(attackers.insert(*name)),
                _ => {}
            }
        }
    }
    let mut faults = Vec::new();
    for (number, cells) in &threats {
        let at = format!("{FILE}:{number}");
        let [asset, attacker, .., tests] = cells.as_slice() else {
            faults.push(format!("{at}: a row without cells"));
            continue;
        };
        if cells.len() != COLUMNS.len() || cells.iter().any(|cell| cell.is_empty()) {
            faults.push(format!("{at}: a threat has {}", COLUMNS.join(", ")));
            continue;
        }
        attacked.insert(*asset);
        attacking.insert(*attacker);
        let named = quoted(tests);
        if named.is_empty() {
            faults.push(format!("{at} names no `test`, in backquotes"));
        }
        for test in named {
            if !test_exists(test, house) {
                faults.push(format!("{at} names the test {test}, which is not there"));
            }
        }
    }
    if threats.is_empty() {
        faults.push(format!("{FILE} has no table of {}", COLUMNS.join(", ")));
    }
    for (what, declared, used) in [
        ("asset", &assets, &attacked),
        ("attacker", &attackers, &attacking),
    ] {
        for name in declared.symmetric_difference(used) {
            faults.push(format!(
                "{FILE}: the {what} “{name}” is declared and in a row, or neither"
            ));
        }
    }
    faults
}

/// The cells of a table's line.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix('|')?.trim_end();
    let row = row.strip_suffix('|').unwrap_or(row);
    Some(row.split('|').map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    const GOOD: &str = "| asset | what |\n|---|---|\n| money | yen |\n\n| attacker | has |\n|---|---|\n| thief | a code |\n\n\
        | asset | attacker | way | what answers it | test |\n|---|---|---|---|---|\n| money | thief | twice | once | `it_holds` |\n";

    fn faults(text: &str) -> Vec<String> {
        let sources = vec![
            Source::new(FILE, text),
            Source::new("src/a.rs", "#[test]\nfn it_holds() {}"),
        ];
        let paths = Vec::new();
        check(&House { sources, paths })
    }

    #[test]
    fn a_whole_table_passes() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    #[test]
    fn a_missing_cell_test_asset_or_attacker_fails() {
        for (from, to) in [
            ("| once |", "| |"),
            ("`it_holds`", "`it_fails`"),
            ("`it_holds`", "trust us"),
            ("| money | thief |", "| gold | thief |"),
            ("| thief | a code |", "| thief | a code |\n| liar | a key |"),
        ] {
            assert!(!faults(&GOOD.replace(from, to)).is_empty(), "{from} {to}");
        }
    }

    #[test]
    fn no_table_at_all_fails() {
        assert!(!faults("# Security").is_empty());
    }
}
