//! Words that must not stay in the code.

use super::Source;

/// Each with the reason; split, so that this file does not fail by itself.
const BARRED: [(&str, &str); 6] = [
    (concat!("todo", "!("), "finish it or open an issue"),
    (concat!("unimplemented", "!("), "finish it or open an issue"),
    (concat!("FIX", "ME"), "mend it or open an issue"),
    (concat!("TO", "DO"), "do it or open an issue"),
    (concat!("#[al", "low("), "use #[expect(…, reason = \"…\")]"),
    (
        concat!("#![al", "low("),
        "use #![expect(…, reason = \"…\")]",
    ),
];

const IGNORE: &str = concat!("#[ig", "nore]");

/// Faults: a barred word, or a test that is ignored without saying why.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let code = [".rs", ".mjs", ".js", ".html"];
    for source in sources.iter().filter(|source| source.ends_with_any(&code)) {
        for (number, line) in (1..).zip(source.text.lines()) {
            for (word, advice) in BARRED {
                if line.contains(word) {
                    faults.push(format!("{}:{number}: {word} {advice}", source.path));
                }
            }
            if line.contains(IGNORE) {
                faults.push(format!(
                    "{}:{number}: an ignored test needs a reason: #[ignore = \"…\"]",
                    source.path
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_barred_word_is_found() {
        for (word, _) in BARRED {
            let text = format!("fn a() {{}}\n// {word}");
            let faults = check(&[Source::new("crates/a/src/b.rs", &text)]);
            assert_eq!(faults.len(), 1, "{word}");
            assert!(faults[0].contains("b.rs:2"));
        }
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        assert_eq!(check(&[Source::new("a.rs", IGNORE)]).len(), 1);
        assert!(check(&[Source::new("a.rs", "#[ignore = \"takes an hour\"]")]).is_empty());
    }

    #[test]
    fn prose_may_use_them() {
        assert!(check(&[Source::new("docs/a.md", BARRED[3].0)]).is_empty());
    }
}
