//! Relative links in Markdown lead somewhere.

use super::Source;

/// Faults: a relative link to a file that is not there.
pub(crate) fn check(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (number, target) in targets(&source.text) {
            match resolve(&source.path, target) {
                Some(path) if exists(&path) => {}
                _ => faults.push(format!(
                    "{}:{number}: the link to {target} leads nowhere",
                    source.path
                )),
            }
        }
    }
    faults
}

/// The relative targets of the links in a text, with their line, code blocks left out.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (target, remainder) = after.split_once(')').unwrap_or((after, ""));
            rest = remainder;
            let target = target.split_whitespace().next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = file.contains("://") || file.starts_with("mailto:");
            if !file.is_empty() && !elsewhere {
                found.push((number, file));
            }
        }
    }
    found
}

/// The target's path from the root, when it stays inside the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    (!target.starts_with('/')).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let there = |path: &str| ["docs/a.md", "README.md"].contains(&path);
        check(&[Source::new("docs/b.md", text)], &there)
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        assert!(faults("[a](a.md) and [b](../README.md#top \"title\")").is_empty());
        assert!(faults("[x](https://example.com/y) [here](#there)").is_empty());
        assert!(faults("```\n[a](nowhere.md)\n```").is_empty());
    }

    #[test]
    fn links_that_lead_nowhere_fail() {
        assert!(faults("one\n[a](gone.md)")[0].contains("docs/b.md:2"));
        assert_eq!(faults("[a](a.md) [b](gone.md)").len(), 1);
        assert_eq!(faults("[a](/docs/a.md)").len(), 1);
        assert_eq!(faults("[a](../../outside.md)").len(), 1);
    }
}
