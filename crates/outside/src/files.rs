//! Files that an operator hands over: configuration, master keys, checkpoints.

use std::path::Path;

use warifu::config::Config;
use warifu_credentials::checkpoint::{Checkpoint, CheckpointSigner};
use warifu_credentials::keyring::{KeyVersion, Keyring, read_source};

/// A configuration is refused in words, or everything that is asked of it has an answer.
pub(crate) fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Config::parse(text, Path::new("warifu.toml")) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(config) => {
            assert!(config.key_source().is_ok(), "the check looks at it");
            assert!(config.token_service.group > 0 && config.token_service.queue > 0);
            let _ = (
                config.token_service.provision_rate(),
                config.token_service.drain(),
            );
            let _ = (config.bank_settings(), config.bank.password_threads());
            let _ = format!("{config:?}");
        }
    }
}

/// A key source is refused with a line number and without a piece of it, or every version of it can be used.
pub(crate) fn key_source(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(written) = read_source(text) {
        let keyring = Keyring::of(written, |_, _| Ok::<_, ()>([1; 32].into()));
        assert!(keyring.is_ok_and(|keyring| keyring.newest() > KeyVersion(0)));
    }
    if let Ok(keyring) = Keyring::parse(text) {
        assert!(keyring.newest() > KeyVersion(0));
        for version in keyring.versions() {
            assert!(keyring.sealer(version).is_some());
            let check = keyring.check(version);
            assert!(check.is_some_and(|check| keyring.matches(version, check) == Some(true)));
        }
    }
}

/// No line of a checkpoint file that this service did not sign verifies.
pub(crate) fn checkpoint(bytes: &[u8]) {
    let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&checkpoint).unwrap_or_default();
    assert!(serde_json::from_slice::<Checkpoint>(&written).is_ok_and(|again| again == checkpoint));
    let signer = CheckpointSigner::new(&[1; 32].into());
    if let Ok(heads) = signer.verify(&checkpoint) {
        assert_eq!(signer.sign(checkpoint.at, &heads), checkpoint);
    }
}
