//! No giant files.

use super::{Source, is_test_file};

const LONGEST: usize = 600;
const LONGEST_TEST: usize = 900;

/// Faults: a Rust file that is too long to be read in one sitting.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        let longest = if is_test_file(&source.path) {
            LONGEST_TEST
        } else {
            LONGEST
        };
        let lines = source.text.lines().count();
        if lines > longest {
            faults.push(format!(
                "{} has {lines} lines, {longest} are the most: split it by what it is about",
                source.path
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_giant_file_fails_and_a_test_has_more_room() {
        let long = "//\n".repeat(601);
        assert_eq!(check(&[Source::new("crates/a/src/b.rs", &long)]).len(), 1);
        assert!(check(&[Source::new("crates/a/tests/it/b.rs", &long)]).is_empty());
        let longer = "//\n".repeat(901);
        assert_eq!(
            check(&[Source::new("crates/a/tests/it/b.rs", &longer)]).len(),
            1
        );
        assert!(check(&[Source::new("docs/b.md", &longer)]).is_empty());
    }
}
