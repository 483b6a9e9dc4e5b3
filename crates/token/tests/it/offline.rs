use crate::rig::Rig;
use crate::test_service::{Mood, TestService};

#[test]
fn show_asks_no_service() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let (id, secret) = service.credential(0);
    rig.assert_right_codes(&id, &secret, 0);
    assert_eq!(service.requests(), ["POST /v1/credentials HTTP/1.1"]);
}

#[test]
fn doctor_tells_what_is_well_and_learns_the_clock() {
    let (rig, service) = (Rig::new(), TestService::start(0, Mood::Willing));
    rig.run(&[&service.url]);
    let run = rig.run(&["doctor"]);
    assert_eq!(run.code, 0, "{run:?}");
    for expected in [
        "Version: ",
        "token.vault",
        "0600",
        "Argon2id, 64 MiB, 3 passes",
        "WRCA 1234 5670",
        "round trip",
        "Clock: right",
    ] {
        assert!(run.out.contains(expected), "{expected}: {run:?}");
    }
    assert_eq!(service.requests().last().unwrap(), "GET /v1/time HTTP/1.1");
}

#[test]
fn after_a_restart_with_no_service_the_token_has_the_same_id_and_right_codes() {
    let (rig, service) = (Rig::new(), TestService::start(95, Mood::Willing));
    rig.run(&[&service.url]);
    let (id, secret) = service.credential(0);
    service.stop();
    rig.assert_right_codes(&id, &secret, 95);
    let run = rig.run(&["doctor"]);
    assert_eq!(run.code, 0, "being offline is no illness: {run:?}");
    assert!(
        run.out.contains("cannot be reached") && run.out.contains("just now"),
        "{run:?}"
    );
}

#[test]
fn a_first_start_with_no_service_leaves_no_half_vault() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let url = service.url.clone();
    service.stop();
    let run = rig.run(&[&url]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("cannot be reached"), "{run:?}");
    assert!(!rig.vault().exists());
}
