//! S8: secrets are sealed under a key from outside, and the key changes without anybody noticing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::harness::{Engine, Server, Service, Site, Token, fresh_key, now_step, run_program};

both_engines!(
    a_wrong_or_missing_key_keeps_the_server_from_starting,
    a_key_changes_under_load_and_nobody_notices,
    a_rotation_that_was_killed_is_run_again,
    keys_come_from_the_environment_or_a_command,
);

/// Every spelling in which a secret could lie about.
pub(crate) fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut spellings = vec![secret.to_vec()];
    for encoding in [
        HEXLOWER,
        HEXUPPER,
        BASE32_NOPAD,
        BASE64_NOPAD,
        BASE64URL_NOPAD,
    ] {
        spellings.push(encoding.encode(secret).into_bytes());
    }
    spellings
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn master_keys(site: &Site) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(site.key_file()).unwrap();
    let key = |line: &str| BASE64URL_NOPAD.decode(line.split_once(':').unwrap().1.as_bytes());
    text.lines().map(|line| key(line).unwrap()).collect()
}

#[test]
fn no_secret_lies_in_the_files_in_clear() {
    let site = Site::new(Engine::Sqlite);
    let key = site.add_party("Bank of Somewhere");
    let server = site.serve();
    let tokens: Vec<Token> = (0..5).map(|_| server.client().token()).collect();
    let code = tokens[0].text(now_step());
    let answer = server.party(&key).validate(tokens[0].id, "a-key", &code);
    assert_eq!(answer.unwrap().result(), "accepted");
    // Killed, so that the log of the database lies there as well.
    server.kill();
    let mut files = Vec::new();
    for entry in fs::read_dir(&site.data).unwrap() {
        let path = entry.unwrap().path();
        if path != site.key_file() {
            files.extend(fs::read(&path).unwrap());
        }
    }
    assert!(
        contains(&files, b"Bank of Somewhere"),
        "the search finds what is there"
    );
    for token in &tokens {
        for spelling in spellings(&token.secret) {
            assert!(!contains(&files, &spelling));
        }
    }
    for key in master_keys(&site) {
        for spelling in spellings(&key) {
            assert!(!contains(&files, &spelling));
        }
    }
    assert!(!contains(&files, key.as_bytes()), "the API key");
}

#[test]
fn no_secret_lies_in_the_tables_of_postgresql_in_clear() {
    let site = Site::new(Engine::Postgres);
    let key = site.add_party("Bank of Somewhere");
    let server = site.serve();
    let tokens: Vec<Token> = (0..5).map(|_| server.client().token()).collect();
    drop(server);
    let mut client = ::postgres::Client::connect(site.place.url(), ::postgres::NoTls).unwrap();
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut dump = String::new();
    for table in client.query(tables, &[]).unwrap() {
        let name: String = table.get(0);
        for row in client
            .query(&format!("SELECT t::TEXT FROM {name} AS t"), &[])
            .unwrap()
        {
            dump.push_str(row.get(0));
        }
    }
    assert!(
        dump.contains("Bank of Somewhere"),
        "the search finds what is there"
    );
    for secret in tokens
        .iter()
        .map(|token| token.secret.to_vec())
        .chain(master_keys(&site))
    {
        // PostgreSQL writes bytes as lower-case hexadecimal digits.
        let raw_in_hex = HEXLOWER.encode(&secret);
        assert!(!dump.contains(&raw_in_hex));
        for spelling in spellings(&secret) {
            assert!(!dump.contains(&HEXLOWER.encode(&spelling)));
        }
    }
    assert!(!dump.contains(&key));
}

async fn a_wrong_or_missing_key_keeps_the_server_from_starting(engine: Engine) {
    let site = Site::new(engine);
    site.add_party("Bank");
    let path = site.key_file();
    let right = fs::read_to_string(&path).unwrap();
    let write = |text: &str| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let commands: [&[&str]; 3] = [&["serve"], &["audit", "verify"], &["key", "rotate"]];
    let refused = |words: &[&str]| {
        for command in commands {
            // No checkpoint is there yet; a file of none will do to come as far as the key.
            fs::write(site.checkpoints(), "").unwrap();
            let outcome = site.warifu(command);
            outcome.require_failure(words);
            let secret = right.trim_end().split_once(':').unwrap().1;
            assert!(!outcome.stderr.contains(secret) && !outcome.stdout.contains(secret));
        }
    };
    fs::remove_file(&path).unwrap();
    refused(&["cannot read the master key file", "master.key"]);
    assert!(!path.exists(), "a sealed database is never given a new key");
    write(&format!("1:{}\n", BASE64URL_NOPAD.encode(&[7; 32])));
    refused(&["master key 1", "not the one"]);
    write(&format!("2:{}\n", BASE64URL_NOPAD.encode(&[7; 32])));
    refused(&["master key 1", "missing"]);
    write("");
    refused(&["no key"]);
    write("# nothing\n1:short\n");
    refused(&["line 2"]);
    write(&format!("{right}{right}"));
    refused(&["twice"]);
    write(&right);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    refused(&["chmod 600"]);
    write(&right);
    assert!(site.serve().stop().success());
}

/// Validates fresh codes until it is told to stop; every one of them must be accepted.
fn customers(server: &Server, key: &str, stop: &AtomicBool) -> usize {
    let (mut bank, mut client, mut count) = (server.party(key), server.client(), 0);
    while !stop.load(Ordering::SeqCst) {
        let token = client.token();
        for offset in -1..=1 {
            let code = token.text(now_step().offset(offset));
            let reply = bank.validate(token.id, &fresh_key(), &code).unwrap();
            let result = reply.result();
            // The machine's clock may go on to the next step in between.
            assert!(
                result == "accepted" || result == "resync_needed",
                "{result}"
            );
            count += usize::from(result == "accepted");
        }
    }
    count
}

async fn a_key_changes_under_load_and_nobody_notices(engine: Engine) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    let old: Vec<Token> = (0..20).map(|_| server.client().token()).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| customers(&server, &key, &stop)))
            .collect();
        for version in 2..=3 {
            site.warifu(&["key", "new"]).require_success();
            let rotated = site.warifu(&["key", "rotate"]).require_success();
            let said = format!("master key {version}");
            assert!(rotated.stdout.contains(&said), "{rotated:?}");
        }
        stop.store(true, Ordering::SeqCst);
        for customer in busy {
            assert!(customer.join().unwrap() > 0);
        }
    });
    let stale = |site: &Site| {
        site.place
            .count("SELECT COUNT(*) FROM credentials WHERE key_version <> 3")
    };
    assert_eq!(stale(&site), 0);
    let services = "SELECT COUNT(*) FROM service_secrets WHERE key_version <> 3";
    assert_eq!(site.place.count(services), 0);
    assert!(server.stop().success());

    // The old keys are taken out of the file; what was sealed under them opens all the same.
    let text = fs::read_to_string(site.key_file()).unwrap();
    let newest = text.lines().last().unwrap();
    assert!(text.lines().count() == 3 && newest.starts_with("3:"));
    fs::write(site.key_file(), format!("{newest}\n")).unwrap();
    let server = site.serve();
    let mut bank = server.party(&key);
    for token in old.iter().chain([&server.client().token()]) {
        let reply = bank.validate(token.id, &fresh_key(), &token.text(now_step()));
        assert_eq!(reply.unwrap().result(), "accepted");
    }
    site.require_whole();
}

async fn a_rotation_that_was_killed_is_run_again(engine: Engine) {
    let service = Service::new(engine);
    let mut tasks = Vec::new();
    for _ in 0..2_000 {
        let running = service.running();
        tasks.push(tokio::spawn(async move {
            let request = crate::harness::Beginning::new().request(warifu_wire::Platform::Web);
            running.provision(&request, "192.0.2.1").await.map(drop)
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let token = service.token().await;
    let site = Site::on(service.into_place(), "", "info", "");
    let key = site.add_party("Shop");
    site.warifu(&["key", "new"]).require_success();
    let stale = || {
        site.place
            .count("SELECT COUNT(*) FROM credentials WHERE key_version = 1")
    };
    let mut rotation = site
        .command()
        .args(["key", "rotate"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while stale() > 1_700 {
        assert!(
            rotation.try_wait().unwrap().is_none(),
            "it ended before the kill"
        );
    }
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    assert!(stale() > 0, "it was killed in the middle");

    // In the middle both keys are needed and everything works.
    let server = site.serve();
    let check = |server: &Server| {
        let reply = server
            .party(&key)
            .validate(token.id, &fresh_key(), "000000");
        assert!(["rejected", "accepted"].contains(&reply.unwrap().result().as_str()));
    };
    check(&server);
    site.warifu(&["key", "rotate"]).require_success();
    assert_eq!(stale(), 0);
    check(&server);
    site.warifu(&["key", "rotate"]).require_success();
    drop(server);
}

async fn keys_come_from_the_environment_or_a_command(engine: Engine) {
    let line = format!("1:{}", BASE64URL_NOPAD.encode(&[9; 32]));
    let site = Site::with(
        engine,
        "",
        "info",
        "[keys]\nenvironment = 'WARIFU_IT_KEYS'\n",
    );
    let list = |value: Option<&str>| {
        let mut command = site.command();
        command
            .env_remove("WARIFU_IT_KEYS")
            .args(["relying-party", "list"]);
        command.envs(value.map(|value| ("WARIFU_IT_KEYS", value)));
        run_program(&mut command)
    };
    list(None).require_failure(&["WARIFU_IT_KEYS", "not set"]);
    list(Some(&line)).require_success();
    assert!(!site.key_file().exists());
    let other = format!("1:{}", BASE64URL_NOPAD.encode(&[8; 32]));
    list(Some(&other)).require_failure(&["not the one"]);

    let stored = site.place.folder.path().join("stored-key");
    fs::write(&stored, &line).unwrap();
    let sections = format!("[keys]\ncommand = ['cat', '{}']\n", stored.display());
    let site = Site::on(site.place, "", "info", &sections);
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    // A new key comes from the command while the server runs.
    let printed = site.warifu(&["key", "new"]).require_success().stdout;
    assert!(printed.starts_with("2:"), "{printed}");
    fs::write(&stored, format!("{line}\n{printed}")).unwrap();
    site.warifu(&["key", "rotate"]).require_success();
    let reply = server
        .party(&key)
        .validate(token.id, &fresh_key(), &token.text(now_step()));
    assert_eq!(reply.unwrap().result(), "accepted");
    fs::remove_file(&stored).unwrap();
    site.warifu(&["key", "list"])
        .require_failure(&["cat", "failed"]);
}
