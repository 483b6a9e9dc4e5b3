//! Alerts and dashboard look at metrics that the program has: a name that it does not know would stay silent for ever.

use std::collections::BTreeSet;

use super::Source;

/// Where the metrics are registered.
const METRICS: &str = "crates/server/src/metrics.rs";
/// Where they are looked at.
const LOOKERS: [&str; 3] = [
    "deploy/prometheus/warifu.rules.yml",
    "deploy/grafana/warifu.json",
    "docs/operating.md",
];

/// Faults: a metric that nobody writes, a looker that is gone, a metric that no alert and no panel shows.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let text = |path: &str| {
        sources
            .iter()
            .find(|source| source.path == path)
            .map(|source| source.text.as_str())
    };
    let Some(metrics) = text(METRICS) else {
        return vec![format!("{METRICS} is not there")];
    };
    let registered = registered(metrics);
    let mut faults = Vec::new();
    let mut shown = BTreeSet::new();
    for looker in LOOKERS {
        let Some(text) = text(looker) else {
            faults.push(format!("{looker} is not there"));
            continue;
        };
        for name in named(text) {
            match base(&name, &registered) {
                Some(base) => {
                    shown.insert(base);
                }
                None => faults.push(format!("{looker} looks at {name}, which {METRICS} has not")),
            }
        }
    }
    for name in registered.difference(&shown) {
        faults.push(format!("warifu_{name} is shown by nobody"));
    }
    faults
}

/// The first argument of each `registry.register(`.
fn registered(text: &str) -> BTreeSet<String> {
    text.split("registry.register(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// Every word that begins with `warifu_` and goes on like a metric.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|word| word.starts_with("warifu_"))
        .map(str::to_owned)
        .collect()
}

/// The registered metric that a name in a query is of.
fn base(name: &str, registered: &BTreeSet<String>) -> Option<String> {
    let name = name.strip_prefix("warifu_")?;
    ["", "_total", "_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|ending| name.strip_suffix(ending))
        .find(|name| registered.contains(*name))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(rules: &str) -> Vec<Source> {
        let metrics =
            "registry.register(\"queue_depth\", \"x\", a);\nregistry.register(\n    \"seconds\",";
        vec![
            Source::new(METRICS, metrics),
            Source::new("deploy/prometheus/warifu.rules.yml", rules),
            Source::new("deploy/grafana/warifu.json", "warifu_queue_depth"),
            Source::new("docs/operating.md", ""),
        ]
    }

    #[test]
    fn a_metric_that_nobody_writes_is_a_fault() {
        let rules = "rate(warifu_seconds_bucket[5m]) warifu_nothing_total";
        let faults = check(&house(rules));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults
                .iter()
                .all(|fault| fault.contains("warifu_nothing_total"))
        );
    }

    #[test]
    fn a_metric_that_nobody_looks_at_is_a_fault() {
        let faults = check(&house(""));
        assert_eq!(faults, ["warifu_seconds is shown by nobody"]);
        assert!(check(&house("warifu_seconds_count")).is_empty());
    }
}
