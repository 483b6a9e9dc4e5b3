use std::io;

use warifu_token::{
    AddressError, CodesError, FirstStartError, KeyStoreError, MIN_PASSPHRASE_CHARS, OpenError,
    PassphraseError, SecretError, ServiceError, VaultError,
};

use crate::texts::Texts;

/// Why a command came to no good end. What the user reads comes from [`CliError::say`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("first start without a service address")]
    NoAddress,
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the vault's token belongs to {registered}, not to {given}")]
    OtherService { registered: String, given: String },
    #[error("no folder for the vault")]
    NoHome,
    #[error(transparent)]
    FirstStart(#[from] FirstStartError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    #[error("the passphrase file: {0}")]
    PassphraseFile(#[source] io::Error),
    #[error(transparent)]
    Codes(#[from] CodesError),
    #[error("no clipboard: {0}")]
    Clipboard(String),
    #[error("the vault was removed, or holds another token now")]
    RemovedMeanwhile,
    #[error("not confirmed")]
    NotConfirmed,
    #[error("the terminal: {0}")]
    Output(#[source] io::Error),
}

impl CliError {
    /// 2 where the words of the command line are to be mended, as clap does it; else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoAddress | Self::Address(_) => 2,
            _ => 1,
        }
    }

    /// `warifu-token show | head -0` is nothing to talk about.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn say(&self, texts: &Texts) -> String {
        match self {
            Self::NoAddress => texts.say("error-no-address"),
            Self::Address(AddressError::Malformed) => texts.say("error-address-malformed"),
            Self::Address(AddressError::NotHttps) => texts.say("error-address-not-https"),
            Self::OtherService { registered, given } => texts.say_with(
                "error-other-service",
                [
                    ("registered", registered.as_str().into()),
                    ("given", given.as_str().into()),
                ],
            ),
            Self::NoHome => texts.say("error-no-home"),
            Self::FirstStart(error) => first_start(error, texts),
            Self::Open(OpenError::Vault(error)) | Self::Vault(error) => vault(error, texts),
            Self::Open(OpenError::PassphraseNeeded) => texts.say("error-passphrase-needed"),
            Self::KeyStore(error) => key_store(error, texts),
            Self::Passphrase(PassphraseError::TooShort) => texts.say_with(
                "error-passphrase-short",
                [("characters", MIN_PASSPHRASE_CHARS.into())],
            ),
            Self::PassphrasesDiffer => texts.say("error-passphrases-differ"),
            Self::PassphraseFile(error) => because(texts, "error-passphrase-file", error),
            Self::Codes(CodesError::BeforeEpoch) => texts.say("error-clock-before-1970"),
            Self::Codes(CodesError::Generator) => texts.say("error-vault-damaged"),
            Self::Clipboard(reason) => because(texts, "error-clipboard", reason),
            Self::RemovedMeanwhile => texts.say("error-removed-meanwhile"),
            Self::NotConfirmed => texts.say("remove-not-confirmed"),
            Self::Output(error) => because(texts, "error-terminal", error),
        }
    }
}

fn because(texts: &Texts, key: &str, reason: impl ToString) -> String {
    texts.say_with(key, [("reason", reason.to_string().into())])
}

fn first_start(error: &FirstStartError, texts: &Texts) -> String {
    match error {
        FirstStartError::AlreadyHere => texts.say("error-already-here"),
        FirstStartError::Vault(error) => vault(error, texts),
        FirstStartError::Service(error) => service(error, texts),
        FirstStartError::Secret(SecretError::WeakServiceKey | SecretError::Derivation) => {
            texts.say("error-weak-service-key")
        }
        FirstStartError::OtherCodes => texts.say("error-other-codes"),
        FirstStartError::Void { id, source } => texts.say_with(
            "error-void",
            [
                ("id", id.grouped().into()),
                ("reason", vault(source, texts).into()),
            ],
        ),
        FirstStartError::NoEntropy(_) => texts.say("error-no-entropy"),
    }
}

/// What went wrong with the service, in the user's language.
pub(crate) fn service(error: &ServiceError, texts: &Texts) -> String {
    match error {
        ServiceError::Unreachable(reason) => because(texts, "error-unreachable", reason),
        ServiceError::Refused(detail) => because(texts, "error-refused", detail),
        ServiceError::Status(status) => {
            texts.say_with("error-status", [("status", (*status).into())])
        }
        ServiceError::NotUnderstood => texts.say("error-not-understood"),
    }
}

/// What is wrong with the vault, in the user's language.
pub(crate) fn vault(error: &VaultError, texts: &Texts) -> String {
    match error {
        VaultError::Io { path, source } => texts.say_with(
            "error-vault-io",
            [
                ("path", path.display().to_string().into()),
                ("reason", source.to_string().into()),
            ],
        ),
        VaultError::Missing => texts.say("error-vault-missing"),
        VaultError::Damaged => texts.say("error-vault-damaged"),
        VaultError::FromTheFuture { version } => {
            texts.say_with("error-vault-future", [("version", (*version).into())])
        }
        VaultError::WrongPassphrase => texts.say("error-wrong-passphrase"),
        VaultError::KeyStore(error) => key_store(error, texts),
        VaultError::NoEntropy(_) => texts.say("error-no-entropy"),
    }
}

/// What is wrong with the key store, in the user's language.
pub(crate) fn key_store(error: &KeyStoreError, texts: &Texts) -> String {
    match error {
        KeyStoreError::Unavailable(reason) => because(texts, "error-key-store-unavailable", reason),
        KeyStoreError::Refused(reason) => because(texts, "error-key-store-refused", reason),
        KeyStoreError::Gone => texts.say("error-key-store-gone"),
        KeyStoreError::Garbled => texts.say("error-key-store-garbled"),
    }
}
