//! The program as an operator meets it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Engine, Outcome, Place, Server, Site, fresh_key, now_step, run_program};

both_engines!(
    a_configuration_is_checked_and_a_fault_named,
    relying_parties_are_added_listed_and_revoked,
    a_port_that_is_taken_is_named,
    a_newer_schema_is_refused,
    the_data_directory_and_its_files_are_private,
    metrics_are_served_on_their_own_listener,
);

async fn a_configuration_is_checked_and_a_fault_named(engine: Engine) {
    let site = Site::new(engine);
    let good = fs::read_to_string(&site.config).unwrap();
    let check = |text: &str| -> Outcome {
        fs::write(&site.config, text).unwrap();
        site.warifu(&["config", "check"])
    };
    check(&good).require_success();
    for (text, word) in [
        (format!("{good}\n[token_servce]\n"), "token_servce"),
        (good.replace("listen =", "listne ="), "listne"),
        (good.replace("127.0.0.1:0", "127.0.0.1"), "listen"),
        (format!("colour = 'red'\n{good}"), "colour"),
        (
            good.replace("[metrics]", "queue = 0\n[metrics]"),
            "token_service.queue",
        ),
        (
            good.replace("provision_burst = 1000000", "provision_burst = 0"),
            "provision_burst",
        ),
        (
            format!("{good}[keys]\nfile = 'a'\nenvironment = 'B'\n"),
            "one of file, environment and command",
        ),
        (
            good.replace(
                "provision_burst",
                "database_environment = 'WARIFU_IT_NONE'\nprovision_burst",
            ),
            "database",
        ),
        ("data_dir = ".to_owned(), "warifu.toml"),
    ] {
        if text == good {
            panic!("nothing was changed for {word}");
        }
        if engine == Engine::Sqlite && word == "database" {
            check(&text).require_failure(&["WARIFU_IT_NONE", "not set"]);
        } else {
            check(&text).require_failure(&[word]);
        }
    }
    fs::remove_file(&site.config).unwrap();
    let gone = site.warifu(&["config", "check"]);
    gone.require_failure(&["cannot read the configuration", "warifu.toml"]);
}

async fn relying_parties_are_added_listed_and_revoked(engine: Engine) {
    let site = Site::new(engine);
    let added = site
        .warifu(&["relying-party", "add", "例銀行"])
        .require_success();
    let key = added.stdout.strip_suffix('\n').unwrap();
    assert!(key.starts_with("warifu_") && !key.contains(char::is_whitespace));
    assert!(added.stderr.contains("shown once") && !added.stderr.contains(key));
    let twice = site.warifu(&["relying-party", "add", "例銀行"]);
    twice.require_failure(&["例銀行", "exists already"]);
    assert_eq!(twice.stdout, "");
    let other = site.add_party("Shop");
    assert_ne!(other, key);

    let server = site.serve();
    let token = server.client().token();
    for key in [key, &other] {
        assert_eq!(server.party(key).status(token.id).status, 200);
    }
    let revoke = || site.warifu(&["relying-party", "revoke", "例銀行"]);
    revoke().require_success();
    revoke().require_failure(&["例銀行"]);
    let nobody = site.warifu(&["relying-party", "revoke", "Nobody"]);
    nobody.require_failure(&["Nobody"]);
    // A name that was revoked is not given to another.
    let again = site.warifu(&["relying-party", "add", "例銀行"]);
    again.require_failure(&["not used twice"]);
    assert_eq!(server.party(key).status(token.id).status, 401);
    assert_eq!(server.party(&other).status(token.id).status, 200);

    let list = site
        .warifu(&["relying-party", "list"])
        .require_success()
        .stdout;
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("例銀行") && lines[0].contains("revoked 20"),
        "{list}"
    );
    assert!(
        lines[1].contains("Shop") && lines[1].contains("in force"),
        "{list}"
    );
    assert!(!list.contains("warifu_"));
    for name in ["", " Bank", "a\nb", &"x".repeat(65)] {
        let outcome = site.warifu(&["relying-party", "add", name]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
    }
    // Two added, one revoked, and the rows of the token and the trail itself.
    let rows = site
        .place
        .count("SELECT COUNT(*) FROM audit WHERE kind IN (8, 9)");
    assert_eq!(rows, 3);
    site.require_whole();
}

async fn a_port_that_is_taken_is_named(engine: Engine) {
    let site = Site::new(engine);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let good = fs::read_to_string(&site.config).unwrap();
    for (nth, section) in ["token_service", "metrics"].into_iter().enumerate() {
        let place = good.match_indices("127.0.0.1:0").nth(nth).unwrap().0;
        let mut text = good.clone();
        text.replace_range(place..place + 11, &format!("127.0.0.1:{port}"));
        fs::write(&site.config, text).unwrap();
        site.warifu(&["serve"])
            .require_failure(&[section, &port, "taken"]);
    }
}

async fn a_newer_schema_is_refused(engine: Engine) {
    let site = Site::new(engine);
    site.add_party("Bank");
    site.place
        .meddle("INSERT INTO schema_migrations VALUES (999, 'of the future', 1)");
    for command in [
        &["serve"][..],
        &["migrate"],
        &["relying-party", "list"],
        &["key", "rotate"],
    ] {
        site.warifu(command).require_failure(&["999", "newer"]);
    }
}

async fn the_data_directory_and_its_files_are_private(engine: Engine) {
    let site = Site::new(engine);
    // However generous the user's mask is.
    let mut generous = std::process::Command::new("sh");
    generous.args(["-c", "umask 000; exec \"$@\"", "sh"]);
    generous.arg(env!("CARGO_BIN_EXE_warifu"));
    generous.arg("--config").arg(&site.config);
    let server = Server::spawn(generous, &site.config.with_extension("log"));
    server.client().token();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.data), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&site.data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    let expected: &[&str] = match engine {
        Engine::Sqlite => &[
            "master.key",
            "audit-checkpoints.jsonl",
            "tokens.db",
            "tokens.db-wal",
        ],
        Engine::Postgres => &["master.key", "audit-checkpoints.jsonl"],
    };
    for name in expected {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
}

async fn metrics_are_served_on_their_own_listener(engine: Engine) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    let mut bank = server.party(&key);
    for expected in ["accepted", "replayed"] {
        let reply = bank.validate(token.id, &fresh_key(), &token.text(now_step()));
        assert_eq!(reply.unwrap().result(), expected);
    }
    let mut metrics = crate::harness::Client::new(server.metrics);
    let reply = metrics.get("/metrics");
    for line in [
        "warifu_validations_total{result=\"accepted\"} 1",
        "warifu_validations_total{result=\"replayed\"} 1",
        "warifu_provisioned_total 1",
        "# EOF",
    ] {
        assert!(
            reply.text().lines().any(|found| found == line),
            "{line}: {}",
            reply.text()
        );
    }
    assert!(
        !reply.text().contains(&token.id.to_string()),
        "no label names a token"
    );
    assert_eq!(metrics.get("/v1/time").status, 404);
    assert_eq!(server.client().get("/metrics").status, 404);
}

#[test]
fn a_postgresql_database_is_migrated_on_purpose_only() {
    let site = Site::on(Place::empty(Engine::Postgres), "", "info", "");
    site.warifu(&["serve"]).require_failure(&["warifu migrate"]);
    let migrated = site.warifu(&["migrate"]).require_success();
    let all = format!("{} migration", warifu::store::MIGRATIONS.len());
    assert!(migrated.stdout.starts_with(&all), "{migrated:?}");
    let again = site.warifu(&["migrate"]).require_success();
    assert!(again.stdout.contains("already"), "{again:?}");
    let unreachable = "[token_service]\nlisten = '127.0.0.1:0'\ndatabase = 'postgres://postgres:Perilous@127.0.0.1:1/none'\n\
         [metrics]\nlisten = '127.0.0.1:0'\n[bank]\nenabled = false\n";
    fs::write(&site.config, unreachable).unwrap();
    let refused = site.warifu(&["migrate"]);
    refused.require_failure(&["PostgreSQL"]);
    assert!(!refused.stderr.contains("Perilous"));
    site.warifu(&["serve"]).require_failure(&["PostgreSQL"]);
}

#[test]
fn two_copies_begin_on_an_empty_postgresql_at_once() {
    let site = Site::new(Engine::Postgres);
    let (config, _) = site.another_copy("second");
    site.warifu(&["key", "new"]).require_success();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| Server::start(&config));
        (site.serve(), second.join().unwrap())
    });
    let key = site.add_party("Bank");
    // What one made known the other checks, and the request of one is that of the other.
    let token = first.client().token();
    let code = token.text(now_step());
    for server in [&second, &first] {
        let reply = server.party(&key).validate(token.id, "one", &code);
        assert_eq!(reply.unwrap().result(), "accepted");
    }
    let reply = first.party(&key).validate(token.id, "two", &code);
    assert_eq!(reply.unwrap().result(), "replayed");
}

#[test]
fn a_second_server_on_one_sqlite_is_refused_and_the_first_goes_on() {
    let site = Site::new(Engine::Sqlite);
    let server = site.serve();
    site.warifu(&["serve"]).require_failure(&["another warifu"]);
    assert_eq!(server.client().get("/readyz").status, 200);
    server.kill();
    assert!(
        site.serve().stop().success(),
        "a kill leaves no lock behind"
    );
}

#[test]
fn a_backup_beside_a_running_server_is_whole_and_starts() {
    let site = Site::new(Engine::Sqlite);
    let key = site.add_party("Bank");
    let server = site.serve();
    let (token, code) = (server.client().token(), now_step());
    let code = token.text(code);
    let reply = server.party(&key).validate(token.id, "one", &code);
    assert_eq!(reply.unwrap().result(), "accepted");
    let copy = site.place.folder.path().join("copy");
    let copy_name = copy.to_str().unwrap();
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let mut bank = server.party(&key);
            for _ in 0..30 {
                let token = server.client().token();
                let reply = bank.validate(token.id, &fresh_key(), &token.text(now_step()));
                assert_eq!(reply.unwrap().result(), "accepted");
            }
        });
        let made = site.warifu(&["backup", copy_name]).require_success();
        assert!(made.stdout.contains(copy_name));
        busy.join().unwrap();
    });
    site.warifu(&["backup", copy_name])
        .require_failure(&["exists already"]);
    assert!(!copy.join("master.key").exists());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&copy), mode(&copy.join("tokens.db"))), (0o700, 0o600));

    let text = fs::read_to_string(&site.config).unwrap();
    let text = text.replace(site.data.to_str().unwrap(), copy_name);
    let config = site.place.folder.path().join("copy.toml");
    let keys = format!("{text}[keys]\nfile = '{}'\n", site.key_file().display());
    fs::write(&config, keys).unwrap();
    let mut verify = std::process::Command::new(env!("CARGO_BIN_EXE_warifu"));
    verify
        .arg("--config")
        .arg(&config)
        .args(["audit", "verify"]);
    run_program(&mut verify).require_success();
    let restored = Server::start(&config);
    for (request, result) in [("one", "accepted"), ("two", "replayed")] {
        let reply = restored.party(&key).validate(token.id, request, &code);
        assert_eq!(reply.unwrap().result(), result);
    }
}

#[test]
fn a_backup_of_postgresql_is_left_to_postgresql() {
    let site = Site::new(Engine::Postgres);
    let copy = site.place.folder.path().join("copy");
    let refused = site.warifu(&["backup", copy.to_str().unwrap()]);
    refused.require_failure(&["PostgreSQL has its own backups"]);
    assert!(!copy.exists());
}

#[test]
fn completions_are_printed_for_every_shell() {
    for (shell, word) in [
        ("bash", "complete"),
        ("zsh", "#compdef"),
        ("fish", "complete -c warifu"),
    ] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_warifu"));
        let printed = run_program(program.args(["completions", shell])).require_success();
        for word in [word, "relying-party", "rotate"] {
            assert!(printed.stdout.contains(word), "{shell}: {word}");
        }
    }
}
