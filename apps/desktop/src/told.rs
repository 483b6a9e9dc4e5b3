//! Why something was not done, as the page is told: a word that it has a text for, and what the system or the service
//! said. Nothing of a secret is in any of them.

use std::io;

use serde::Serialize;
use warifu_token::{
    AddressError, CodesError, FirstStartError, KeyStoreError, OpenError, PassphraseError,
    ServiceError, VaultError,
};

/// One refusal. The words are those of `page/rust.js` and the keys of `page/desktop_ja.js`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    said: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

impl Told {
    /// The words alone.
    pub(crate) fn of(kind: &'static str) -> Self {
        Self::because(kind, String::new())
    }

    /// With what was said.
    pub(crate) fn because(kind: &'static str, said: String) -> Self {
        Self {
            kind,
            said,
            id: String::new(),
        }
    }
}

impl From<VaultError> for Told {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Io { path, source } => {
                Self::because("disk", format!("{}: {source}", path.display()))
            }
            VaultError::Missing => Self::of("gone"),
            VaultError::Damaged => Self::because("disk", error.to_string()),
            VaultError::FromTheFuture { .. } => Self::of("newer"),
            VaultError::WrongPassphrase => Self::of("wrong-passphrase"),
            VaultError::KeyStore(error) => error.into(),
            VaultError::NoEntropy(error) => Self::because("other", error.to_string()),
        }
    }
}

impl From<KeyStoreError> for Told {
    fn from(error: KeyStoreError) -> Self {
        Self::because("key-store", error.to_string())
    }
}

impl From<OpenError> for Told {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Vault(error) => error.into(),
            OpenError::PassphraseNeeded => Self::of("passphrase-needed"),
        }
    }
}

impl From<ServiceError> for Told {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unreachable(_) | ServiceError::Status(500..) => Self::of("away"),
            ServiceError::Refused(detail) => Self::because("refused", detail),
            ServiceError::Status(_) | ServiceError::NotUnderstood => Self::of("strange"),
        }
    }
}

impl From<FirstStartError> for Told {
    fn from(error: FirstStartError) -> Self {
        match error {
            FirstStartError::AlreadyHere => Self::of("already-here"),
            FirstStartError::Vault(error) => error.into(),
            FirstStartError::Service(error) => error.into(),
            FirstStartError::Secret(_) => Self::of("weak"),
            FirstStartError::OtherCodes => Self::of("other-codes"),
            FirstStartError::Void { id, source } => Self {
                id: id.to_string(),
                ..Self::because("void", source.to_string())
            },
            FirstStartError::NoEntropy(error) => Self::because("other", error.to_string()),
        }
    }
}

impl From<PassphraseError> for Told {
    fn from(PassphraseError::TooShort: PassphraseError) -> Self {
        Self::of("passphrase-short")
    }
}

impl From<AddressError> for Told {
    fn from(error: AddressError) -> Self {
        Self::of(match error {
            AddressError::Malformed => "address-malformed",
            AddressError::NotHttps => "address-not-https",
        })
    }
}

impl From<CodesError> for Told {
    fn from(error: CodesError) -> Self {
        Self::of(match error {
            CodesError::BeforeEpoch => "clock",
            CodesError::Generator => "other",
        })
    }
}

impl From<io::Error> for Told {
    fn from(error: io::Error) -> Self {
        Self::because("disk", error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_text_or_an_error_of_the_page() {
        let (texts, page) = (
            include_str!("../page/desktop_ja.js"),
            include_str!("../page/rust.js"),
        );
        let source = include_str!("told.rs").split("mod tests").next().unwrap();
        let others = [
            include_str!("desk.rs"),
            include_str!("held.rs"),
            include_str!("commands.rs"),
        ];
        let mut seen = 0;
        for text in [source].into_iter().chain(others) {
            for part in text
                .split("Self::of(\"")
                .chain(text.split("Told::of(\""))
                .skip(1)
            {
                let Some((kind, _)) = part.split_once("\")") else {
                    continue;
                };
                if kind.contains([' ', '\n']) {
                    continue;
                }
                let known = texts.contains(&format!("'desktop-trouble-{kind}'"))
                    || page.contains(&format!("case '{kind}'"));
                assert!(known, "{kind}");
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn a_service_in_trouble_is_away_and_a_stranger_is_strange() {
        assert_eq!(Told::from(ServiceError::Status(503)).kind, "away");
        assert_eq!(Told::from(ServiceError::Status(302)).kind, "strange");
        let refused = Told::from(ServiceError::Refused("混雑しています".to_owned()));
        assert_eq!(
            serde_json::to_string(&refused).unwrap(),
            "{\"kind\":\"refused\",\"said\":\"混雑しています\"}"
        );
    }
}
