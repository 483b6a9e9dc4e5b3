//! The texts of mails: `locales/{ja,en}/mail.ftl`.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

use crate::token_api::Language;

/// All texts in one language.
pub(super) struct Texts(FluentBundle<FluentResource>);

/// The texts of a language as they were written.
pub(super) fn source(language: Language) -> &'static str {
    match language {
        Language::Japanese => include_str!("../../locales/ja/mail.ftl"),
        Language::English => include_str!("../../locales/en/mail.ftl"),
    }
}

impl Texts {
    pub(super) fn new(language: Language) -> Self {
        let tag = match language {
            Language::Japanese => "ja",
            Language::English => "en",
        };
        let mut bundle = FluentBundle::new(vec![tag.parse().unwrap_or_default()]);
        // Isolation marks (U+2068, U+2069) are boxes in many mail programs, and both languages run left to right.
        bundle.set_use_isolating(false);
        // What a damaged source still holds is used; a test reads both sources with no error.
        let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(source(language).into());
        let _ = bundle.add_resource(resource);
        Self(bundle)
    }

    /// The text of `key` with its values; the key itself where there is none, which a test rules out.
    pub(super) fn say(&self, key: &str, values: &FluentArgs<'_>) -> String {
        let pattern = self.0.get_message(key).and_then(|message| message.value());
        match pattern {
            Some(pattern) => self
                .0
                .format_pattern(pattern, Some(values), &mut Vec::new())
                .into_owned(),
            None => key.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(language: Language) -> Vec<&'static str> {
        source(language)
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .collect()
    }

    #[test]
    fn both_languages_are_read_without_an_error_and_have_the_same_keys() {
        for language in [Language::Japanese, Language::English] {
            assert!(FluentResource::try_new(source(language).into()).is_ok());
        }
        assert_eq!(keys(Language::Japanese), keys(Language::English));
        assert!(keys(Language::Japanese).contains(&"registered-body"));
    }
}
