//! Decisions are numbered from 0001 without a gap and without a double.

const FOLDER: &str = "docs/decisions/";

/// Faults: a decision that is missing, doubled, or named otherwise.
pub(crate) fn check(paths: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut numbers = Vec::new();
    let files = paths.iter().filter_map(|path| path.strip_prefix(FOLDER));
    for file in files.filter(|file| file.ends_with(".md") && *file != "README.md") {
        match number(file) {
            Some(number) => numbers.push(number),
            None => faults.push(format!(
                "{FOLDER}{file} is not named like 0001-what-it-says.md"
            )),
        }
    }
    numbers.sort_unstable();
    for (expected, found) in (1..).zip(&numbers) {
        if expected != *found {
            faults.push(format!(
                "{FOLDER}: number {expected:04} is missing, or {found:04} is there twice"
            ));
            break;
        }
    }
    faults
}

fn number(file: &str) -> Option<u32> {
    let (digits, rest) = file.split_once('-')?;
    if digits.len() != 4 || rest == ".md" {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_files(files: &[&str]) -> Vec<String> {
        let paths: Vec<String> = files.iter().map(|f| format!("{FOLDER}{f}")).collect();
        check(&paths)
    }

    #[test]
    fn a_row_without_a_gap_passes() {
        assert!(check_files(&["0002-b.md", "0001-a.md", "README.md"]).is_empty());
    }

    #[test]
    fn a_gap_a_double_and_a_bad_name_fail() {
        assert_eq!(check_files(&["0001-a.md", "0003-c.md"]).len(), 1);
        assert_eq!(check_files(&["0001-a.md", "0001-b.md"]).len(), 1);
        assert_eq!(check_files(&["1-a.md"]).len(), 1);
    }
}
