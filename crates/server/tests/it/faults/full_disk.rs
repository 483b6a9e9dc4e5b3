//! A full disk: what is not durable is answered 503 in words, and once there is room it goes on by itself.

use std::io::Write as _;

use super::*;

both_engines!(
    on_a_full_disk_nothing_is_accepted_and_with_room_again_everything_is_settled,
    a_log_that_cannot_be_written_stops_nobody,
    a_checkpoint_that_was_cut_off_does_not_spoil_the_next,
);

async fn on_a_full_disk_nothing_is_accepted_and_with_room_again_everything_is_settled(
    engine: Engine,
) {
    let stage = Stage::new(engine);
    let server = stage.serve();
    let mut client = server.client();
    let tokens: Vec<Token> = (0..8).map(|_| client.token()).collect();
    let mut party = stage.party(&server);
    let mut asked = vec![ask(&mut party, &tokens[0])];
    assert_eq!(asked[0].answer.as_deref(), Some("accepted"));

    stage.disk.order("full");
    until_there_is_no_room(&mut party, &asked[0]);
    let next = tokens[0].text(now_step().offset(1));
    asked.push(ask_about(&mut party, &tokens[0], next));
    assert_eq!(asked[1].answer, None);
    let japanese = in_japanese(&stage, &server, &asked[1]);
    asked.extend(tokens[1..].iter().map(|token| ask(&mut party, token)));
    // PostgreSQL may have room for another credential's row on another page.
    let refused = asked[2..].iter().filter(|asked| asked.answer.is_none());
    assert!(refused.count() == tokens.len() - 1 || engine == Engine::Postgres);
    assert!(
        japanese.contains("同じ Idempotency-Key で再送"),
        "{japanese}"
    );
    client.get("/readyz").require(503, ProblemType::Unavailable);
    require_pages_without_database(&server);
    // What is only read is answered.
    assert_eq!(party.status(tokens[0].id).status, 200);
    let log = server.log();
    assert!(log.contains("the database takes no writes"), "{log}");
    let cause = match engine {
        Engine::Sqlite => "database or disk is full",
        Engine::Postgres => "No space left on device",
    };
    assert!(log.contains(cause), "{log}");

    stage.disk.heal();
    wait_until_ready(&server, 200);
    assert!(server.log().contains("the database takes writes again"));
    for asked in &asked {
        settle(&mut party, asked);
    }
    stage.site.require_whole();
    server.kill();
    let server = stage.serve();
    let mut party = stage.party(&server);
    for asked in &asked {
        settle(&mut party, asked);
    }
}

/// The problem that a request that is refused reads in Japanese.
fn in_japanese(stage: &Stage, server: &Server, asked: &Asked) -> String {
    let body = serde_json::json!({ "code": asked.code, "purpose": "login" }).to_string();
    let path = format!("/v1/credentials/{}/validate", asked.token.id);
    let authorization = format!("Bearer {}", stage.key);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept-Language", "ja"),
        ("Idempotency-Key", &asked.key),
    ];
    let reply = server
        .client()
        .request("POST", &path, &headers, body.as_bytes())
        .unwrap();
    reply.require(503, ProblemType::Unavailable);
    reply.text().to_owned()
}

async fn a_log_that_cannot_be_written_stops_nobody(engine: Engine) {
    let site = Site::with(engine, "", "debug", "");
    let key = site.add_party("Bank");
    let disk = Disk::under(&site.data, site.place.folder.path());
    let mut command = site.command();
    disk.arm(&mut command);
    command.env("WARIFU_FAULT_STDERR", "1");
    let mut server = Server::spawn(command, &site.config.with_extension("log"));
    let tokens: Vec<Token> = (0..4).map(|_| server.client().token()).collect();
    disk.order("full");
    let mut party = server.party(&key);
    // On SQLite the database lies on the same disk; every thread that says so says it in vain.
    let asked: Vec<Asked> = tokens.iter().map(|token| ask(&mut party, token)).collect();
    for _ in 0..20 {
        assert_eq!(server.party("nobody").status(tokens[0].id).status, 401);
    }
    let length = server.log().len();
    server.client().get("/readyz");
    assert_eq!(server.log().len(), length, "the log was to be full");
    disk.heal();
    wait_until_ready(&server, 200);
    for asked in &asked {
        settle(&mut party, asked);
    }
    assert!(server.log().len() > length);
    assert!(server.is_alive());
    site.require_whole();
}

async fn a_checkpoint_that_was_cut_off_does_not_spoil_the_next(engine: Engine) {
    let site = Site::new(engine);
    let _ = site.add_party("Bank");
    assert!(site.serve().stop().success());
    let whole = std::fs::read(site.checkpoints()).unwrap();
    let mut file = std::fs::File::options()
        .append(true)
        .open(site.checkpoints())
        .unwrap();
    file.write_all(&whole[..40]).unwrap();
    assert!(site.serve().stop().success());
    site.require_whole();
    let text = std::fs::read_to_string(site.checkpoints()).unwrap();
    // One at each start and one at each end, at least.
    assert!(text.lines().count() >= 4);
}

#[test]
fn on_a_full_disk_it_does_not_start_and_says_why() {
    let site = Site::new(Engine::Sqlite);
    let disk = Disk::under(&site.data, site.place.folder.path());
    disk.order("full");
    let mut command = site.command();
    disk.arm(&mut command);
    let outcome = crate::harness::run_program(command.arg("serve"));
    outcome.require_failure(&["database or disk is full"]);
    disk.heal();
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    let asked = ask(&mut server.party(&key), &token);
    assert_eq!(asked.answer.as_deref(), Some("accepted"));
}
