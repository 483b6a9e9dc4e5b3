//! Every crate takes its lints, licence and edition from the workspace.

use toml::Table;

use super::Source;

const INHERITED: [(&str, &str); 5] = [
    ("package", "edition"),
    ("package", "license"),
    ("package", "rust-version"),
    ("package", "version"),
    ("package", "publish"),
];

/// Faults: a manifest that sets for itself what the workspace sets for all.
pub(crate) fn check(manifests: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for manifest in manifests {
        let table: Table = match manifest.text.parse() {
            Ok(table) => table,
            Err(error) => {
                faults.push(format!("{}: {error}", manifest.path));
                continue;
            }
        };
        if !from_workspace(table.get("lints")) {
            faults.push(format!(
                "{}: `[lints] workspace = true` is missing",
                manifest.path
            ));
        }
        for (section, key) in INHERITED {
            let value = table.get(section).and_then(|section| section.get(key));
            if !from_workspace(value) {
                faults.push(format!(
                    "{}: `{key}.workspace = true` is missing in [{section}]",
                    manifest.path
                ));
            }
        }
    }
    faults
}

fn from_workspace(value: Option<&toml::Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(toml::Value::as_bool)
        == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\n\
        edition.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\
        rust-version.workspace = true\n[lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_that_inherits_passes() {
        assert_eq!(
            check(&[Source::new("Cargo.toml", GOOD)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_that_does_not_fails() {
        for (from, to) in [
            ("[lints]\nworkspace = true\n", ""),
            ("license.workspace = true", "license = \"MIT\""),
            ("edition.workspace = true", "edition = \"2021\""),
            ("[package]", "[package"),
        ] {
            let bad = GOOD.replace(from, to);
            assert_eq!(check(&[Source::new("Cargo.toml", &bad)]).len(), 1, "{bad}");
        }
    }
}
