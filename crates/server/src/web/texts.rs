//! Texts of pages and mails: Fluent, Japanese first.

use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::token_api::Language;

/// Every text in one language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
}

static JAPANESE: LazyLock<Texts> = LazyLock::new(|| {
    Texts::new(
        "ja",
        &[
            include_str!("../../locales/ja/bank.ftl"),
            include_str!("../../locales/ja/operation.ftl"),
            include_str!("../../locales/ja/staff.ftl"),
        ],
    )
});

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| {
    Texts::new(
        "en",
        &[
            include_str!("../../locales/en/bank.ftl"),
            include_str!("../../locales/en/operation.ftl"),
            include_str!("../../locales/en/staff.ftl"),
        ],
    )
});

impl Texts {
    fn new(tag: &str, sources: &[&str]) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // Both languages run left to right: marks of isolation would only be in the way of whoever copies a number.
        bundle.set_use_isolating(false);
        for source in sources {
            // What a damaged source still holds is used; a test reads every source without error.
            let (Ok(resource) | Err((resource, _))) = FluentResource::try_new((*source).to_owned());
            let _ = bundle.add_resource(resource);
        }
        Self { bundle }
    }

    /// The texts of a language.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Japanese => &JAPANESE,
            Language::English => &ENGLISH,
        }
    }

    /// The text of `key`; the key itself where there is none, which a test rules out.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of `key` with its values.
    #[must_use]
    pub fn with(&self, key: &str, values: &[(&'static str, &str)]) -> String {
        let args: FluentArgs<'_> = values
            .iter()
            .map(|(name, value)| (*name, FluentValue::from(*value)))
            .collect();
        self.format(key, Some(&args))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        match self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
        {
            Some(pattern) => self
                .bundle
                .format_pattern(pattern, args, &mut Vec::new())
                .into_owned(),
            None => key.to_owned(),
        }
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts(…)")
    }
}

/// The language of a page: what was chosen (the cookie), else what the browser asks for, else Japanese.
#[must_use]
pub fn language(headers: &HeaderMap, chosen: Option<&str>) -> Language {
    match chosen {
        Some("ja") => Language::Japanese,
        Some("en") => Language::English,
        _ => {
            let wanted = headers
                .get(header::ACCEPT_LANGUAGE)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let named = wanted
                .split(',')
                .any(|range| matches!(range.trim().split(['-', ';']).next(), Some("ja" | "en")));
            if named {
                Language::of(headers)
            } else {
                Language::Japanese
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const SOURCES: [(&str, &str, &str); 3] = [
        (
            "bank",
            include_str!("../../locales/ja/bank.ftl"),
            include_str!("../../locales/en/bank.ftl"),
        ),
        (
            "operation",
            include_str!("../../locales/ja/operation.ftl"),
            include_str!("../../locales/en/operation.ftl"),
        ),
        (
            "staff",
            include_str!("../../locales/ja/staff.ftl"),
            include_str!("../../locales/en/staff.ftl"),
        ),
    ];

    /// Each key of a source with the variables of its text.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        let mut current = String::new();
        for line in source.lines() {
            if let Some((key, _)) = line.split_once(" =")
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !key.is_empty()
            {
                current = key.to_owned();
                assert!(
                    keys.insert(current.clone(), BTreeSet::new()).is_none(),
                    "{current} twice"
                );
            }
            for piece in line.split("{ $").skip(1) {
                let name: String = piece
                    .chars()
                    .take_while(|letter| letter.is_ascii_alphanumeric())
                    .collect();
                if let Some(variables) = keys.get_mut(&current) {
                    variables.insert(name);
                }
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_values() {
        for (name, ja, en) in SOURCES {
            assert!(FluentResource::try_new(ja.to_owned()).is_ok(), "ja/{name}");
            assert!(FluentResource::try_new(en.to_owned()).is_ok(), "en/{name}");
            assert_eq!(keys(ja), keys(en), "{name}");
        }
    }

    #[test]
    fn every_text_is_used_and_every_text_that_is_used_is_there() {
        let all: BTreeSet<String> = SOURCES
            .iter()
            .flat_map(|(_, ja, _)| keys(ja).into_keys())
            .collect();
        let apart = ["src/mail", "src/bench", "src/cli/bench.rs"];
        let mut code = String::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        folders.push(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web").into());
        folders.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../bank/src").into());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if apart.iter().any(|end| path.ends_with(end)) {
                    // Mails have texts of their own, and a test of their own; a load's report says both languages in place.
                } else if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    code.push_str(&text);
                }
            }
        }
        let quoted: BTreeSet<&str> = code.split('"').collect();
        // Texts about an event, a refusal, a kind of order or a row of a trail are found by a word of theirs.
        let built = |key: &str| {
            ["approval-", "event-", "loss-", "trail-"]
                .iter()
                .any(|start| {
                    key.strip_prefix(start)
                        .is_some_and(|word| quoted.contains(word))
                })
        };
        let unused: Vec<_> = all
            .iter()
            .filter(|key| !quoted.contains(key.as_str()) && !built(key))
            .collect();
        assert!(unused.is_empty(), "no code says {unused:?}");
        let said = code
            .split(".say(\"")
            .skip(1)
            .chain(code.split(".with(\"").skip(1))
            .chain(code.split("say!(\"").skip(1));
        let missing: BTreeSet<_> = said
            .filter_map(|rest| rest.split('"').next())
            .filter(|key| !all.contains(*key) && !key.is_empty())
            .collect();
        assert!(missing.is_empty(), "no text for {missing:?}");
    }
}
