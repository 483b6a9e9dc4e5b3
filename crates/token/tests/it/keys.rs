use std::fs;

use crate::rig::{Rig, Run};
use crate::test_service::TestService;

#[test]
fn a_wrong_passphrase_is_told_and_opens_nothing() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    fs::write(rig.path("passphrase"), "correct horse bakery\n").unwrap();
    for args in [
        vec!["show"],
        vec!["show", "--json"],
        vec![service.url.as_str()],
    ] {
        let run = rig.run(&args);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(
            run.err.contains("passphrase is wrong") && run.out.is_empty(),
            "{run:?}"
        );
    }
    assert_eq!(service.registered(), 1);
}

#[test]
fn a_short_passphrase_makes_no_vault_and_no_token() {
    let (rig, service) = (Rig::new(), TestService::willing());
    fs::write(rig.path("passphrase"), "short\n").unwrap();
    let run = rig.run(&[&service.url]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("8 characters"), "{run:?}");
    assert!(!rig.vault().exists());
    assert_eq!(service.registered(), 0);
}

#[test]
fn with_no_key_store_and_no_passphrase_nothing_is_stored_in_the_clear() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let run = Run::of(rig.bare(&[&service.url]).output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.err.contains("key store cannot be used") && run.err.contains("--passphrase-file"),
        "{run:?}"
    );
    assert!(!rig.vault().exists());
    assert_eq!(service.registered(), 0);
}

#[test]
fn where_the_key_store_is_demanded_no_passphrase_stands_in_for_it() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let run = rig.run(&[&service.url, "--key-store", "os"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("no system key store"), "{run:?}");
    assert_eq!(service.registered(), 0);
}
