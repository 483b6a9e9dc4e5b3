use std::fs;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::rig::Rig;
use crate::test_service::TestService;

#[test]
fn the_vault_holds_no_clear_secret() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let (_, secret) = service.credential(0);
    let bytes = fs::read(rig.vault()).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(&secret[..4]));
    for text in
        [HEXLOWER, HEXUPPER, BASE64, BASE64URL_NOPAD].map(|encoding| encoding.encode(&secret))
    {
        assert!(!holds(&text.as_bytes()[..8]), "{text}");
    }
    assert!(
        holds(b"\"warifu_token_vault\":1"),
        "the header is there to be read"
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&rig.vault()), 0o600);
    assert_eq!(mode(rig.vault().parent().unwrap()), 0o700);
    fs::set_permissions(rig.vault(), fs::Permissions::from_mode(0o644)).unwrap();
    let run = rig.run(&["doctor"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out.contains("0644") && run.out.contains("chmod 600"),
        "{run:?}"
    );
}

#[test]
fn a_damaged_vault_is_told_and_never_replaced_by_a_new_token() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let sound = fs::read(rig.vault()).unwrap();
    let mut changed = sound.clone();
    *changed.last_mut().unwrap() ^= 1;
    for damaged in [&[][..], &sound[..10], &sound[..sound.len() - 1], &changed] {
        fs::write(rig.vault(), damaged).unwrap();
        for args in [vec![service.url.as_str()], vec!["show"], vec!["doctor"]] {
            let run = rig.run(&args);
            assert_eq!(run.code, 1, "{run:?}");
            assert!((run.err + &run.out).contains("damaged"));
        }
        assert_eq!(fs::read(rig.vault()).unwrap(), damaged);
    }
    assert_eq!(service.registered(), 1);
    fs::write(rig.vault(), sound).unwrap();
    assert_eq!(rig.run(&["show"]).code, 0);
}

#[test]
fn a_vault_of_a_newer_program_is_told_and_left_alone() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let newer = b"{\"warifu_token_vault\":2}\n";
    fs::write(rig.vault(), newer).unwrap();
    let run = rig.run(&[&service.url]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("newer warifu-token (format 2)"), "{run:?}");
    assert_eq!(fs::read(rig.vault()).unwrap(), newer);
    assert_eq!(service.registered(), 1);
}
