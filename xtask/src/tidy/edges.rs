//! Which crate of the workspace may know which.

use anyhow::{Context, Result};
use serde_json::Value;

/// Each crate, what it may depend on, and what its tests may use besides.
const ALLOWED: [(&str, &[&str], &[&str]); 9] = [
    ("warifu-oath", &[], &[]),
    ("warifu-wire", &[], &[]),
    ("warifu-credentials", &["warifu-oath", "warifu-wire"], &[]),
    ("warifu-bank", &["warifu-wire"], &[]),
    ("warifu-token", &["warifu-oath", "warifu-wire"], &[]),
    (
        "warifu",
        &["warifu-credentials", "warifu-bank", "warifu-wire"],
        &["warifu-token", "warifu-oath"],
    ),
    (
        "warifu-outside",
        &[
            "warifu",
            "warifu-credentials",
            "warifu-bank",
            "warifu-token",
            "warifu-oath",
            "warifu-wire",
        ],
        &[],
    ),
    ("warifu-desktop", &["warifu-token"], &[]),
    ("xtask", &[], &[]),
];

/// A package of the workspace, as far as the rules look at it.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's dependencies.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) only_tests: bool,
    pub(crate) optional: bool,
    pub(crate) in_workspace: bool,
}

/// The packages in an answer of `cargo metadata --no-deps`.
pub(crate) fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let list = |value: &Value, key: &str| {
        let entries = value.get(key).and_then(Value::as_array).cloned();
        entries.with_context(|| format!("cargo metadata without {key}"))
    };
    let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    let mut packages = Vec::new();
    for package in list(metadata, "packages")? {
        let mut dependencies = Vec::new();
        for entry in list(&package, "dependencies")? {
            dependencies.push(Dependency {
                name: text(&entry, "name").context("a dependency without name")?,
                only_tests: text(&entry, "kind").as_deref() == Some("dev"),
                optional: entry.get("optional").and_then(Value::as_bool) == Some(true),
                in_workspace: text(&entry, "path").is_some(),
            });
        }
        let name = text(&package, "name").context("a package without name")?;
        packages.push(Package { name, dependencies });
    }
    Ok(packages)
}

/// Faults: an edge that the architecture does not have.
pub(crate) fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let name = &package.name;
        let Some((_, always, in_tests)) = ALLOWED.iter().find(|(known, ..)| known == name) else {
            faults.push(format!(
                "{name} is a new crate: say in xtask/src/tidy/edges.rs what it may depend on"
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.in_workspace) {
            let wanted = dependency.name.as_str();
            let tests = dependency.only_tests && in_tests.contains(&wanted);
            if !always.contains(&wanted) && !tests {
                let may = if always.is_empty() {
                    "nothing".to_owned()
                } else {
                    always.join(", ")
                };
                faults.push(format!(
                    "{name} depends on {wanted}, but of the workspace it may know {may} alone"
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str, kind: Value) -> Vec<Package> {
        let metadata = serde_json::json!({"packages": [{"name": name, "dependencies": [
            {"name": dependency, "kind": kind, "path": "somewhere"},
            {"name": "serde", "kind": null, "path": null},
        ]}]});
        packages(&metadata).unwrap()
    }

    #[test]
    fn an_allowed_edge_passes() {
        assert!(check(&package("warifu-bank", "warifu-wire", Value::Null)).is_empty());
    }

    #[test]
    fn the_bank_may_not_know_the_credentials() {
        let faults = check(&package("warifu-bank", "warifu-credentials", Value::Null));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("warifu-bank depends on warifu-credentials"));
    }

    #[test]
    fn a_build_dependency_is_an_edge_too() {
        assert_eq!(
            check(&package("warifu-oath", "warifu-wire", "build".into())).len(),
            1
        );
    }

    #[test]
    fn the_server_may_use_the_token_in_its_tests_alone() {
        assert!(check(&package("warifu", "warifu-token", "dev".into())).is_empty());
        assert_eq!(
            check(&package("warifu", "warifu-token", Value::Null)).len(),
            1
        );
    }

    #[test]
    fn an_unknown_crate_must_be_named_first() {
        assert!(check(&package("warifu-new", "warifu-wire", Value::Null))[0].contains("new crate"));
    }
}
