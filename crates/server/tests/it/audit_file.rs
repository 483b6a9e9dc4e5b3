//! S9 as an auditor meets it: `warifu audit verify` and its checkpoint files.

use std::fs;

use crate::harness::{Engine, Server, Site, fresh_key, now_step};

both_engines!(
    the_trail_of_a_server_is_verified_beside_it_and_after_it,
    a_tampered_trail_fails_the_command,
    a_trail_without_its_checkpoints_fails_the_command,
);

/// A site whose server did some work and stopped.
fn worked(engine: Engine) -> Site {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    work(&server, &key, 5);
    assert!(server.stop().success());
    site
}

fn work(server: &Server, key: &str, count: usize) {
    let mut bank = server.party(key);
    for _ in 0..count {
        let token = server.client().token();
        let answer = bank.validate(token.id, &fresh_key(), &token.text(now_step()));
        assert_eq!(answer.unwrap().result(), "accepted");
    }
}

async fn the_trail_of_a_server_is_verified_beside_it_and_after_it(engine: Engine) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| work(&server, &key, 40));
        let mut times = 0;
        while times < 2 || !busy.is_finished() {
            site.require_whole();
            times += 1;
        }
    });
    assert!(server.stop().success());
    site.require_whole();
    // The last checkpoint names the last rows: nothing can be cut off.
    let lines = fs::read_to_string(site.checkpoints()).unwrap();
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let named: i64 = last["heads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|head| head["sequence"].as_i64().unwrap())
        .sum();
    assert_eq!(named, site.place.count("SELECT COUNT(*) FROM audit"));
}

async fn a_tampered_trail_fails_the_command(engine: Engine) {
    let site = worked(engine);
    site.require_whole();
    site.place.disarm();
    site.place.meddle(
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_heads AS SELECT * FROM audit_streams",
    );
    for (sql, word) in [
        ("UPDATE audit SET outcome = 2 WHERE outcome = 1", "changed"),
        ("UPDATE audit SET kind = 77 WHERE kind = 3", "audit.kind"),
        ("DELETE FROM audit WHERE kind = 2", "removed"),
        (
            "DELETE FROM audit WHERE position = (SELECT MAX(position) FROM audit)",
            "cut",
        ),
        ("DELETE FROM audit", "cut"),
        (
            "DELETE FROM audit; UPDATE audit_streams SET sequence = 0",
            "",
        ),
    ] {
        site.place.meddle(sql);
        site.warifu(&["audit", "verify"]).require_failure(&[word]);
        site.place.meddle(
            "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
             DELETE FROM audit_streams; INSERT INTO audit_streams SELECT * FROM kept_heads",
        );
        site.require_whole();
    }
}

async fn a_trail_without_its_checkpoints_fails_the_command(engine: Engine) {
    let site = worked(engine);
    let path = site.checkpoints();
    let whole = fs::read_to_string(&path).unwrap();
    assert!(
        whole.lines().count() >= 2,
        "one at the start, one at the end"
    );
    let verify = || site.warifu(&["audit", "verify"]);

    // A line that a crash cut off while it was written says nothing, and breaks nothing.
    fs::write(&path, format!("{whole}{}", &whole[..40])).unwrap();
    verify().require_success();
    fs::write(&path, format!("{}\n{whole}", &whole[..40])).unwrap();
    verify().require_failure(&["line 1"]);
    let changed = whole.replacen("\"sequence\":", "\"sequence\":1", 1);
    assert_ne!(changed, whole);
    fs::write(&path, changed).unwrap();
    verify().require_failure(&["signature"]);
    fs::write(&path, "").unwrap();
    verify().require_failure(&["no checkpoint"]);
    fs::remove_file(&path).unwrap();
    verify().require_failure(&["audit-checkpoints.jsonl", "cannot be read"]);
    fs::write(&path, &whole).unwrap();
    verify().require_success();
}
