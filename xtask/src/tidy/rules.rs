//! `docs/rules.md` maps every rule to the file that holds it and the test that proves it.

use std::collections::{BTreeMap, BTreeSet};

use super::House;

const FILE: &str = "docs/rules.md";

/// The rules by their letter, and how many each has.
pub(crate) const KNOWN: [(&str, u32); 5] = [("T", 8), ("S", 9), ("B", 18), ("F", 5), ("M", 5)];

/// Rules whose part of the product may still be missing.
fn may_wait(id: &str) -> bool {
    id.starts_with(['B', 'F', 'M']) || matches!(id, "T4" | "T7" | "T8")
}

/// How the table says that a rule's part of the product is missing.
const NOT_BUILT: &str = "not built yet";

struct Row<'a> {
    number: usize,
    id: &'a str,
    files: Vec<&'a str>,
    tests: Vec<&'a str>,
    not_built: bool,
    in_not_built_section: bool,
}

/// Faults of the table, and how many rules it maps.
pub(crate) fn check(house: &House) -> (Vec<String>, usize) {
    let Some(table) = house.sources.iter().find(|source| source.path == FILE) else {
        return (vec![format!("{FILE} is missing")], 0);
    };
    let mut faults = Vec::new();
    // By rule: is it mapped to a file and a test?
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows(&table.text) {
        let at = format!("{FILE}:{}: {}", row.number, row.id);
        if !known(row.id) {
            faults.push(format!("{at} is not a rule"));
            continue;
        }
        let complaints = if row.not_built {
            waiting(&row)
        } else {
            mapped(&row, house)
        };
        faults.extend(complaints.into_iter().map(|said| format!("{at} {said}")));
        *seen.entry(row.id).or_default() |= !row.not_built;
    }
    for (letter, count) in KNOWN {
        for id in (1..=count).map(|number| format!("{letter}{number}")) {
            if !seen.contains_key(id.as_str()) {
                faults.push(format!("{FILE}: rule {id} has no row"));
            }
        }
    }
    let mapped: BTreeSet<_> = seen.iter().filter(|(_, mapped)| **mapped).collect();
    (faults, mapped.len())
}

fn waiting(row: &Row) -> Vec<String> {
    let mut faults = Vec::new();
    if !may_wait(row.id) {
        faults.push("must be built and mapped".to_owned());
    }
    if !row.in_not_built_section {
        faults.push(format!(
            "is `{NOT_BUILT}` outside a section for the parts that are not built"
        ));
    }
    faults
}

fn mapped(row: &Row, house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    if row.files.is_empty() || row.tests.is_empty() {
        faults.push("names no `file` and `test`, in backquotes".to_owned());
    }
    for file in &row.files {
        if !house.paths.iter().any(|path| path == file) {
            faults.push(format!("names the file {file}, which is not there"));
        }
    }
    for test in &row.tests {
        if !test_exists(test, house) {
            faults.push(format!("names the test {test}, which is not there"));
        }
    }
    faults
}

/// A function of that name in a Rust file, or a title in a browser test.
pub(super) fn test_exists(test: &str, house: &House) -> bool {
    let name = test.rsplit("::").next().unwrap_or(test);
    let function = format!("fn {name}(");
    house.sources.iter().any(|source| {
        if source.path.ends_with(".rs") {
            source.text.contains(&function)
        } else if source.path.starts_with("tests/browser/") && source.path.ends_with(".mjs") {
            ['"', '\'', '`']
                .iter()
                .any(|quote| source.text.contains(&format!("{quote}{test}{quote}")))
        } else {
            false
        }
    })
}

fn known(id: &str) -> bool {
    KNOWN.iter().any(|(letter, count)| {
        id.strip_prefix(letter)
            .and_then(|number| number.parse::<u32>().ok())
            .is_some_and(|number| (1..=*count).contains(&number))
    })
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut in_not_built_section = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with('#') {
            in_not_built_section = line.to_lowercase().contains("not built");
        }
        let Some(row) = line.trim().strip_prefix('|') else {
            continue;
        };
        let cells: Vec<&str> = row
            .trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        let id = cells.first().copied().unwrap_or_default();
        let id = id.trim_matches(['`', '*']);
        if !looks_like_id(id) {
            continue;
        }
        rows.push(Row {
            number,
            id,
            files: cells.get(2).copied().map(quoted).unwrap_or_default(),
            tests: cells.get(3).copied().map(quoted).unwrap_or_default(),
            not_built: cells.iter().any(|cell| cell.contains(NOT_BUILT)),
            in_not_built_section,
        });
    }
    rows
}

fn looks_like_id(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_uppercase())
        && !letters.as_str().is_empty()
        && letters.all(|letter| letter.is_ascii_digit())
}

/// What stands in backquotes.
pub(super) fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn faults(change: impl Fn(String) -> String) -> (Vec<String>, usize) {
        let mut built = "# Rules\n| rule | what | file | test |\n|---|---|---|---|\n".to_owned();
        let mut later = "\n## Not built yet\n| rule | what | file | test |\n".to_owned();
        for (letter, count) in KNOWN {
            for id in (1..=count).map(|number| format!("{letter}{number}")) {
                if may_wait(&id) {
                    later += &format!("| {id} | what | not built yet | |\n");
                } else {
                    built += &format!("| {id} | what | `src/a.rs` | `a::it_holds`, `Title 1` |\n");
                }
            }
        }
        let sources = vec![
            Source::new(FILE, &change(built + &later)),
            Source::new("src/a.rs", "#[test]\nfn it_holds() {}"),
            Source::new("tests/browser/a.test.mjs", "test('Title 1', () => {});"),
        ];
        let paths = sources.iter().map(|source| source.path.clone()).collect();
        check(&House { sources, paths })
    }

    #[test]
    fn a_full_table_passes() {
        assert_eq!(faults(|table| table), (Vec::new(), 14));
    }

    #[test]
    fn a_missing_row_file_or_test_fails() {
        assert!(faults(|t| t.replace("| S3 |", "| |")).0[0].contains("S3 has no row"));
        assert_eq!(
            faults(|t| t.replacen("src/a.rs", "src/gone.rs", 1)).0.len(),
            1
        );
        assert_eq!(faults(|t| t.replacen("it_holds", "it_fails", 1)).0.len(), 1);
        assert_eq!(faults(|t| t.replacen("Title 1", "Title 2", 1)).0.len(), 1);
        assert_eq!(faults(|t| t.replacen("`src/a.rs`", "", 1)).0.len(), 1);
    }

    #[test]
    fn an_unknown_rule_fails() {
        let added = faults(|table| table + "| S10 | what | `src/a.rs` | `it_holds` |\n");
        assert!(added.0[0].contains("S10 is not a rule"), "{:?}", added.0);
    }

    #[test]
    fn a_rule_of_the_token_service_may_not_wait() {
        let text = "| S1 | what | `src/a.rs` | `a::it_holds`, `Title 1` |";
        let (faults, mapped) = faults(|t| t.replace(text, "| S1 | what | not built yet | |"));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(mapped, 13);
    }

    #[test]
    fn a_waiting_rule_stands_in_its_section() {
        let (faults, _) = faults(|t| t.replace("## Not built yet", "## Bank"));
        assert_eq!(faults.len(), 31, "{faults:?}");
    }
}
