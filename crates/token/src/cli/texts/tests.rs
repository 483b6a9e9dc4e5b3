use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// The names of the messages in a Fluent source: what stands before ` = ` at the beginning of a line.
fn keys(language: Language) -> BTreeSet<&'static str> {
    let starts = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
    language
        .source()
        .lines()
        .filter(starts)
        .map(|line| line.split_once(" =").unwrap().0)
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            files.push(path);
        }
    }
    files
}

/// Every string literal in the program that looks like the name of a message.
fn literals() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let mut literals = BTreeSet::new();
    for file in rust_files(&folder) {
        let source = std::fs::read_to_string(file).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        literals.extend(code.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    literals
}

#[test]
fn both_sources_are_read_with_no_error() {
    for language in [Language::Japanese, Language::English] {
        assert!(
            FluentResource::try_new(language.source().to_owned()).is_ok(),
            "{language:?}"
        );
    }
}

#[test]
fn both_languages_hold_the_same_keys() {
    assert_eq!(keys(Language::Japanese), keys(Language::English));
}

#[test]
fn every_key_in_the_program_has_a_text() {
    let known = keys(Language::English);
    let families: BTreeSet<&str> = known
        .iter()
        .map(|key| key.split('-').next().unwrap())
        .collect();
    for literal in literals() {
        let Some((family, _)) = literal.split_once('-') else {
            continue;
        };
        let looks_like_a_key = literal
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit());
        if families.contains(family) && looks_like_a_key {
            assert!(known.contains(literal.as_str()), "no text for {literal}");
        }
    }
}

#[test]
fn every_text_is_used() {
    let used = literals();
    for key in keys(Language::English) {
        // Help texts are found by the name of their argument; a test in args.rs reads them all.
        assert!(
            key.starts_with("help-") || used.contains(key),
            "{key} is not used"
        );
    }
}

#[test]
fn every_text_takes_the_same_values_in_both_languages() {
    let values = |language: Language, key: &str| -> BTreeSet<String> {
        let source = language.source();
        let start = source.find(&format!("\n{key} =")).unwrap_or(0);
        let text: String = source[start + 1..]
            .lines()
            .enumerate()
            .take_while(|(number, line)| *number == 0 || line.starts_with(' '))
            .map(|(_, line)| line)
            .collect();
        text.split('$')
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_lowercase).collect())
            .collect()
    };
    for key in keys(Language::English) {
        assert_eq!(
            values(Language::Japanese, key),
            values(Language::English, key),
            "{key}"
        );
    }
}

#[test]
fn the_language_follows_the_option_then_the_locale() {
    let none = |_: &str| None;
    assert_eq!(Language::choose(None, none), Language::English);
    assert_eq!(Language::choose(Some("ja"), none), Language::Japanese);
    let lang = |name: &str| (name == "LANG").then(|| "ja_JP.UTF-8".to_owned());
    assert_eq!(Language::choose(None, lang), Language::Japanese);
    assert_eq!(Language::choose(Some("en"), lang), Language::English);
    let all = |name: &str| {
        Some(if name == "LC_ALL" {
            "C".to_owned()
        } else {
            "ja_JP.UTF-8".to_owned()
        })
    };
    assert_eq!(Language::choose(None, all), Language::English);
}

#[test]
fn a_wrong_clock_is_told_with_its_direction_and_rounded_seconds() {
    let texts = Texts::new(Language::English);
    assert!(
        texts
            .clock_off(SignedDuration::from_millis(94_980))
            .contains("95 s slow")
    );
    assert!(
        texts
            .clock_off(SignedDuration::from_millis(-94_980))
            .contains("95 s fast")
    );
}
