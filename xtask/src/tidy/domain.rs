//! The domain crates know no network, no database, no clock and no randomness.

use super::edges::Package;

const DOMAIN: [&str; 4] = [
    "warifu-oath",
    "warifu-wire",
    "warifu-credentials",
    "warifu-bank",
];

/// Whole names, and with a `*` at the end beginnings of names.
const BARRED: [&str; 33] = [
    "actix-*",
    "async-std",
    "axum*",
    "chrono",
    "diesel*",
    "fastrand",
    "fs-err",
    "futures*",
    "getrandom",
    "h2",
    "http",
    "http-body*",
    "hyper*",
    "libsqlite3-sys",
    "mio",
    "postgres*",
    "quinn*",
    "r2d2*",
    "rand",
    "rand_chacha",
    "rand_core",
    "reqwest",
    "rusqlite",
    "rustls*",
    "smol",
    "sqlx*",
    "time",
    "tokio*",
    "tonic",
    "tower*",
    "tracing-subscriber",
    "ureq",
    "web-time",
];

/// Faults: a dependency by which a rule could reach out of its crate. Tests may use what they like.
pub(crate) fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        if !DOMAIN.contains(&package.name.as_str()) {
            continue;
        }
        for dependency in package.dependencies.iter().filter(|d| !d.only_tests) {
            if BARRED
                .iter()
                .any(|pattern| matches(pattern, &dependency.name))
            {
                faults.push(format!(
                    "{} depends on {}: a domain crate takes time, random bytes and rows as arguments",
                    package.name, dependency.name
                ));
            }
        }
    }
    faults
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::edges::Dependency;
    use super::*;

    fn package(name: &str, dependency: &str, only_tests: bool) -> Vec<Package> {
        vec![Package {
            name: name.to_owned(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                only_tests,
                optional: false,
                in_workspace: false,
            }],
        }]
    }

    #[test]
    fn a_domain_crate_with_a_database_fails() {
        assert_eq!(
            check(&package("warifu-credentials", "rusqlite", false)).len(),
            1
        );
        assert_eq!(
            check(&package("warifu-credentials", "tokio-postgres", false)).len(),
            1
        );
    }

    #[test]
    fn its_tests_may_draw_random_bytes() {
        assert!(check(&package("warifu-credentials", "rand", true)).is_empty());
    }

    #[test]
    fn the_server_may_have_both() {
        assert!(check(&package("warifu", "rusqlite", false)).is_empty());
    }
}
