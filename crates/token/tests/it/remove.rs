use std::io::Write;
use std::process::Stdio;

use crate::rig::{Rig, Run};
use crate::test_service::TestService;

fn answered(rig: &Rig, answer: &str) -> Run {
    // The passphrase is not needed: who lost it must be able to start over.
    let mut child = rig
        .bare(&["remove"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{answer}").unwrap();
    Run::of(child.wait_with_output().unwrap())
}

#[test]
fn removing_asks_first_and_says_what_to_do_at_the_bank() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    for answer in ["", "y", "no", "YES!"] {
        let run = answered(&rig, answer);
        assert_eq!(run.code, 1, "{answer}: {run:?}");
        assert!(
            run.out.contains("トークンの変更") && run.out.contains("WRCA 1234 5670"),
            "{run:?}"
        );
        assert!(rig.vault().exists(), "{answer}");
    }
    let run = answered(&rig, "yes");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!rig.vault().exists());
}

#[test]
fn after_a_removal_the_next_start_is_a_new_token() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    assert_eq!(rig.run(&["remove", "--yes"]).code, 0);
    let run = rig.run(&["show"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("no token here"), "{run:?}");
    let run = rig.run(&[&service.url]);
    assert!(run.out.contains("WRCA 1234 5671"), "{run:?}");
    assert_eq!(service.registered(), 2);
}

#[test]
fn where_no_token_is_there_is_nothing_to_remove() {
    let run = Rig::new().run(&["remove", "--yes"]);
    assert_eq!(run.code, 1, "{run:?}");
}
