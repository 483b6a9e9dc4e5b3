//! The desktop program's workspace repeats what the root's says: it cannot inherit it.

use toml::Table;

use super::Source;
use crate::workspace::DESKTOP;

const ROOT: &str = "Cargo.toml";

/// What both say of `[workspace]`.
const REPEATED: [&str; 2] = ["package", "lints"];

/// Faults: a table that is missing or differs.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let workspace = |path: &str| -> Result<Table, String> {
        let source = sources.iter().find(|source| source.path == path);
        let text = &source.ok_or_else(|| format!("{path} is missing"))?.text;
        let table: Table = text.parse().map_err(|error| format!("{path}: {error}"))?;
        match table.get("workspace") {
            Some(toml::Value::Table(workspace)) => Ok(workspace.clone()),
            _ => Err(format!("{path} has no [workspace]")),
        }
    };
    match (workspace(ROOT), workspace(DESKTOP)) {
        (Ok(root), Ok(desktop)) => REPEATED
            .iter()
            .filter(|key| !root.contains_key(**key) || root.get(**key) != desktop.get(**key))
            .map(|key| format!("{DESKTOP}: [workspace.{key}] is not that of {ROOT}"))
            .collect(),
        (root, desktop) => root.err().into_iter().chain(desktop.err()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[workspace.package]\nedition = \"2024\"\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";

    fn faults(desktop: &str) -> Vec<String> {
        check(&[Source::new(ROOT, TEXT), Source::new(DESKTOP, desktop)])
    }

    #[test]
    fn a_twin_passes() {
        assert_eq!(faults(TEXT), Vec::<String>::new());
    }

    #[test]
    fn a_weaker_lint_another_edition_and_a_missing_file_fail() {
        assert_eq!(faults(&TEXT.replace("forbid", "warn")).len(), 1);
        assert_eq!(faults(&TEXT.replace("2024", "2021")).len(), 1);
        assert_eq!(faults("[workspace]").len(), 2);
        assert_eq!(faults("[package]").len(), 1);
        assert_eq!(check(&[]).len(), 2);
    }
}
