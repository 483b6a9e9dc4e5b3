use std::process::Stdio;

use crate::rig::{Rig, Run};
use crate::test_service::{Mood, TestService};

#[test]
fn the_first_start_registers_says_welcome_and_shows_the_id() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let run = rig.run(&[&service.url]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out.contains("Welcome") && run.out.contains("WRCA 1234 5670"),
        "{run:?}"
    );
    assert!(run.out.contains("smartphone"), "the advice of T7: {run:?}");
    assert_eq!(service.registered(), 1);
    let (id, secret) = service.credential(0);
    rig.assert_right_codes(&id, &secret, 0);
}

#[test]
fn in_japanese_the_welcome_is_japanese() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let output = rig
        .command(&[&service.url])
        .env("LANG", "ja_JP.UTF-8")
        .output()
        .unwrap();
    let run = Run::of(output);
    assert!(run.out.contains("トークンID: WRCA 1234 5670"), "{run:?}");
    let run = rig.run(&["--lang", "ja", "show"]);
    assert!(
        run.out.contains("セキュリティコード: ") && run.out.contains("残り: "),
        "{run:?}"
    );
}

#[test]
fn a_second_start_finds_the_token_and_registers_nothing() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    for args in [vec![], vec![service.url.as_str()]] {
        let run = rig.run(&args);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.out.contains("WRCA 1234 5670"), "{run:?}");
    }
    assert_eq!(service.registered(), 1);
}

#[test]
fn two_first_starts_at_once_make_one_registration() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let start = || {
        rig.command(&[&service.url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs: Vec<Run> = [start(), start(), start(), start()]
        .map(|child| Run::of(child.wait_with_output().unwrap()))
        .into();
    for run in &runs {
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.out.contains("WRCA 1234 5670"), "{run:?}");
    }
    assert_eq!(
        runs.iter()
            .filter(|run| run.out.contains("Welcome"))
            .count(),
        1
    );
    assert_eq!(service.registered(), 1);
}

#[test]
fn without_an_address_the_first_start_asks_for_one() {
    let rig = Rig::new();
    let run = rig.run(&[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("warifu-token https://"), "{run:?}");
    assert!(!rig.vault().exists());
}

#[test]
fn another_address_than_the_registered_one_changes_nothing() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let other = TestService::willing();
    rig.run(&[&service.url]);
    let before = std::fs::read(rig.vault()).unwrap();
    let run = rig.run(&[&other.url]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.err.contains(&service.url) && run.err.contains(&other.url),
        "{run:?}"
    );
    assert_eq!(other.requests(), [""; 0]);
    assert_eq!(std::fs::read(rig.vault()).unwrap(), before);
}

#[test]
fn a_clock_95_s_off_is_told_and_corrected() {
    for (ahead, told) in [(95, "s slow"), (-95, "s fast")] {
        let (rig, service) = (Rig::new(), TestService::start(ahead, Mood::Willing));
        let run = rig.run(&[&service.url]);
        assert!(run.out.contains(told), "{run:?}");
        let (id, secret) = service.credential(0);
        rig.assert_right_codes(&id, &secret, ahead);
        let run = rig.run(&["show"]);
        assert!(run.err.contains(told), "{run:?}");
        let offset = rig.shown()["clock_offset_seconds"].as_f64().unwrap();
        // The service tells whole seconds, and asking takes a moment.
        assert!(
            (offset - f64::from(i32::try_from(ahead).unwrap())).abs() < 5.0,
            "{offset}"
        );
    }
}
