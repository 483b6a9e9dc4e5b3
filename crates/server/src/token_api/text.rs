//! The two languages of the interface's own words.

use axum::http::{HeaderMap, header};

use crate::ambient;

/// A language of people who read problem documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, unless Japanese is asked for.
    English,
    /// 日本語
    Japanese,
}

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// 日本語
    pub ja: &'static str,
}

impl Text {
    /// The text in a language.
    #[must_use]
    pub fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

impl Language {
    /// The language of the terminal: Japanese when the locale says so, else English.
    #[must_use]
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| ambient::environment(name).filter(|value| !value.is_empty()));
        if locale.is_some_and(|locale| locale.starts_with("ja")) {
            Self::Japanese
        } else {
            Self::English
        }
    }

    /// The first of the languages in `Accept-Language` that is one of ours (RFC 9110 §12.5.4, by order and weight).
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(wanted) = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
        else {
            return Self::English;
        };
        let mut best = (Self::English, 0.0_f32);
        for range in wanted.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |weight| {
                    weight.parse().unwrap_or(0.0_f32).clamp(0.0, 1.0)
                });
            let language = match tag.split('-').next() {
                Some("ja") => Self::Japanese,
                Some("en" | "*") => Self::English,
                _ => continue,
            };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_asked_for_most_is_spoken() {
        for (wanted, language) in [
            ("ja", Language::Japanese),
            ("ja-JP,en;q=0.8", Language::Japanese),
            ("en-US,ja;q=0.8", Language::English),
            ("en;q=0.3,ja;q=0.8", Language::Japanese),
            ("de,fr", Language::English),
            ("ja;q=0", Language::English),
            ("ja;q=nan", Language::English),
            ("", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap());
            assert_eq!(Language::of(&headers), language, "{wanted}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
