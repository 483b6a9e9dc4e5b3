//! A plan is carried out against a little server.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::super::test_server::{Manner, start};
use super::plan::Plan;
use super::{Args, measure, run};

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
body = { id = "{id}", code = "{code}" }
[[answer]]
means = "accepted"
pointer = "/result"
values = ["accepted"]
"#;

fn plan(folder: &Path, manners: &[Manner]) -> Args {
    std::fs::write(folder.join("adapter.toml"), ADAPTER).unwrap();
    std::fs::write(folder.join("pid"), format!("{}\nmore", std::process::id())).unwrap();
    let mut text = String::new();
    for (number, manner) in manners.iter().enumerate() {
        let url = start(*manner);
        writeln!(
            text,
            "[[server]]\nname = 'S{number}'\nadapter = 'adapter.toml'\nurl = '{url}'\n\
             credentials = 'S{number}.txt'\ncount = 200\nprocesses = {{ server = 'pid' }}"
        )
        .unwrap();
    }
    std::fs::write(folder.join("plan.toml"), text).unwrap();
    Args {
        plan: folder.join("plan.toml"),
        enrol: true,
        only: String::new(),
        connections: vec![4],
        seconds: 1,
        rounds: 1,
    }
}

/// Enrols first, then loads, as one would from the command line.
fn both(args: &Args) -> anyhow::Result<()> {
    run(args)?;
    let servers = Plan::read(&args.plan)?.servers("")?;
    measure(args, &servers, Duration::ZERO)?.verdict()
}

#[test]
fn a_right_server_accepts_every_code() {
    let folder = tempfile::tempdir().unwrap();
    let args = plan(folder.path(), &[Manner::Right, Manner::Right]);
    both(&args).unwrap();
    let text = std::fs::read_to_string(folder.path().join("S1.txt")).unwrap();
    assert_eq!(text.lines().count(), 200);
    run(&args).unwrap();
    let again = std::fs::read_to_string(folder.path().join("S1.txt")).unwrap();
    assert_eq!(again, text, "what is enrolled is not enrolled once more");
}

#[test]
fn a_server_that_refuses_right_codes_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let error = both(&plan(folder.path(), &[Manner::Failing])).unwrap_err();
    assert!(error.to_string().contains("S0: status 503"), "{error:#}");
}

#[test]
fn a_plan_without_the_named_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = plan(folder.path(), &[Manner::Right]);
    args.only = "another".to_owned();
    assert!(run(&args).is_err());
}
