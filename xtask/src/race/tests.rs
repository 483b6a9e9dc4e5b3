//! The race test tells a right server from a wrong one.

use super::adapter::Adapter;
use super::report::Report;
use super::test_server::{Manner, start};
use super::{Args, rounds};

const ADAPTER: &str = r#"
name = "test server"
totp = { algorithm = "SHA1", digits = 6, period = 30 }
lock = { wrong_codes = 5 }

[provision]
kind = "http"
request = { method = "POST", path = "/enrol" }
id = "/id"
secret = "/key/value"
encoding = "hex"
strip_prefix = "seed:"

[validate]
method = "POST"
path = "/check"
body = { id = "{id}", code = "{code}", key = "{key}" }

[[answer]]
means = "accepted"
pointer = "/result"
values = ["accepted"]
[[answer]]
means = "rejected"
pointer = "/result"
values = ["rejected"]
[[answer]]
means = "replayed"
pointer = "/result"
values = ["replayed"]
[[answer]]
means = "locked"
pointer = "/result"
values = ["locked"]
"#;

fn race(urls: Vec<String>, rounds: usize, lock_rounds: usize) -> Report {
    race_by(ADAPTER, urls, rounds, lock_rounds)
}

fn race_by(adapter: &str, urls: Vec<String>, rounds: usize, lock_rounds: usize) -> Report {
    let args = Args {
        adapter: "unused".into(),
        urls,
        callers: 8,
        rounds,
        lock_rounds,
        wrong_codes: 60,
        at_once: 16,
    };
    rounds::run(&args, &Adapter::parse(adapter).unwrap()).unwrap()
}

fn verdict(report: &Report) -> String {
    match report.verdict() {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_right_server_passes() {
    let report = race(vec![start(Manner::Right)], 10, 3);
    assert_eq!(verdict(&report), "", "{}", report.table());
    assert!(
        report.table().contains("5 to 5 (limit 5)"),
        "{}",
        report.table()
    );
}

/// The exchange of keys, the wait when it was too fast, the headers of a validation.
#[test]
fn a_server_that_speaks_like_warifu_passes() {
    let adapter = include_str!("../../adapters/warifu.toml");
    let adapter = adapter.replace("{env:WARIFU_API_KEY}", "key");
    let report = race_by(&adapter, vec![start(Manner::Right)], 3, 1);
    assert_eq!(verdict(&report), "", "{}", report.table());
}

#[test]
fn a_racy_server_is_found_out() {
    let report = race(vec![start(Manner::Racy)], 5, 2);
    let verdict = verdict(&report);
    assert!(verdict.contains("accepted more than once"), "{verdict}");
    assert!(verdict.contains("not the limit"), "{verdict}");
}

#[test]
fn a_lock_alone_that_is_racy_is_found_out() {
    let report = race(vec![start(Manner::Racy)], 0, 2);
    assert!(
        verdict(&report).contains("not the limit"),
        "{}",
        report.table()
    );
}

#[test]
fn a_failing_server_is_found_out() {
    let report = race(vec![start(Manner::Failing)], 0, 2);
    assert!(
        verdict(&report).contains("500 and above"),
        "{}",
        report.table()
    );
}

#[test]
fn two_servers_that_share_nothing_are_found_out() {
    let urls = vec![start(Manner::Right), start(Manner::Right)];
    let report = race(urls, 1, 0);
    // The second does not know the credential and drops the connection.
    assert!(verdict(&report).contains("no answer"), "{}", report.table());
}

#[test]
fn no_round_at_all_is_no_success() {
    let report = race(vec![start(Manner::Right)], 0, 0);
    assert!(verdict(&report).contains("no round was run"));
}

#[test]
fn the_adapters_that_are_shipped_can_be_read() {
    for name in ["warifu", "privacyidea"] {
        let path = crate::workspace::root().join(format!("xtask/adapters/{name}.toml"));
        Adapter::read(&path).unwrap();
    }
}
