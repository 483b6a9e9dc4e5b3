use std::fmt;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use jiff::SignedDuration;

/// The languages of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Japanese,
    English,
}

impl Language {
    /// `--lang` where it is given, else the first of LC_ALL, LC_MESSAGES and LANG that is set
    /// (the order of setlocale(3)). `ja…` is Japanese, everything else English.
    pub(crate) fn choose(asked: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = asked.map(str::to_owned).or_else(|| {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(variable)
        });
        match locale {
            Some(locale) if locale.starts_with("ja") => Self::Japanese,
            _ => Self::English,
        }
    }

    /// The tag of RFC 5646, for `Accept-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Japanese => include_str!("../../locales/ja/token.ftl"),
            Self::English => include_str!("../../locales/en/token.ftl"),
        }
    }
}

/// Everything the token says, in one language.
pub(crate) struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    pub(crate) fn new(language: Language) -> Self {
        let mut bundle = FluentBundle::new(vec![language.tag().parse().unwrap_or_default()]);
        // Terminals show the isolation marks (U+2068, U+2069) as boxes, and both languages run left to right.
        bundle.set_use_isolating(false);
        // What a damaged source still holds is used; a test reads both sources with no error.
        let (Ok(resource) | Err((resource, _))) =
            FluentResource::try_new(language.source().to_owned());
        let _ = bundle.add_resource(resource);
        Self { language, bundle }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// The text of `key`; the key itself where there is none, which a test rules out.
    pub(crate) fn say(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of `key` with its values.
    pub(crate) fn say_with<const N: usize>(
        &self,
        key: &str,
        values: [(&'static str, FluentValue<'_>); N],
    ) -> String {
        let args: FluentArgs<'_> = values.into_iter().collect();
        self.format(key, Some(&args))
    }

    /// The clock warning of rule T6: by how much, and which way.
    pub(crate) fn clock_off(&self, offset: SignedDuration) -> String {
        let seconds = (offset.abs().as_millis() + 500) / 1000;
        let seconds = FluentValue::from(i64::try_from(seconds).unwrap_or(i64::MAX));
        if offset.is_positive() {
            self.say_with("clock-slow", [("seconds", seconds)])
        } else {
            self.say_with("clock-fast", [("seconds", seconds)])
        }
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value());
        match pattern {
            Some(pattern) => self
                .bundle
                .format_pattern(pattern, args, &mut Vec::new())
                .into_owned(),
            None => key.to_owned(),
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.language.tag())
    }
}

#[cfg(test)]
mod tests;
