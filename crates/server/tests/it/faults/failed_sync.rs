//! An fsync that fails: what it was for is not known to be durable, and after a failure the operating system forgets that
//! it is not. So nothing is answered accepted that a power cut would take back.

use std::process::Command;

use super::*;

both_engines!(
    a_commit_whose_sync_failed_is_answered_503_and_settled_by_its_key,
    while_every_sync_fails_nothing_is_accepted,
    what_was_accepted_between_failing_syncs_survives_a_power_cut,
);

/// The files whose sync makes a commit durable.
fn log_files(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "tokens.db-wal",
        Engine::Postgres => "pg_wal",
    }
}

/// Asks until the order to fail once was carried out; that one has no answer.
fn fail_once(stage: &Stage, engine: Engine, party: &mut Party, token: &Token) -> Asked {
    stage
        .disk
        .order(&format!("sync-once {}", log_files(engine)));
    let asked = ask(party, token);
    // PostgreSQL's own processes sync as well, and may have obeyed before: it is down all the same.
    assert!(stage.disk.obeyed());
    asked
}

async fn a_commit_whose_sync_failed_is_answered_503_and_settled_by_its_key(engine: Engine) {
    let stage = Stage::new(engine);
    let server = stage.serve();
    let tokens: Vec<Token> = (0..3).map(|_| server.client().token()).collect();
    let mut party = stage.party(&server);
    let mut all = Vec::new();
    for token in &tokens {
        let asked = fail_once(&stage, engine, &mut party, token);
        assert_eq!(asked.answer, None);
        all.push(asked);
        wait_until_ready(&server, 200);
        // Another request with the same code does not wait for the first to be asked again.
        let first = all.last().unwrap();
        let other = crate::overload::settle(&mut party, &first.token, &fresh_key(), &first.code);
        let again = crate::overload::settle(&mut party, &first.token, &first.key, &first.code);
        // It was accepted for one of the two, whichever was durable first.
        let mut answers = [other.as_str(), again.as_str()];
        answers.sort_unstable();
        assert_eq!(answers, ["accepted", "replayed"]);
    }
    let log = server.log();
    assert!(log.contains("the database takes no writes"), "{log}");
    if engine == Engine::Sqlite {
        // SQLITE_IOERR_FSYNC
        assert!(log.contains("disk I/O error (1034)"), "{log}");
    }
    stage.site.require_whole();
}

async fn while_every_sync_fails_nothing_is_accepted(engine: Engine) {
    let stage = Stage::new(engine);
    let server = stage.serve();
    let tokens: Vec<Token> = (0..6).map(|_| server.client().token()).collect();
    let mut party = stage.party(&server);
    stage.disk.order(&format!("sync {}", log_files(engine)));
    let asked: Vec<Asked> = tokens.iter().map(|token| ask(&mut party, token)).collect();
    assert!(asked.iter().all(|asked| asked.answer.is_none()));
    wait_until_ready(&server, 503);
    require_pages_without_database(&server);
    stage.disk.heal();
    if let Some(cluster) = &stage.cluster {
        // It ended when its log could not be made durable, and could not start anew.
        cluster.start_again(&stage.disk);
    }
    wait_until_ready(&server, 200);
    for asked in &asked {
        settle(&mut party, asked);
    }
    stage.site.require_whole();
}

mod at_length {
    use super::soak_twenty_power_cuts_after_failing_syncs;

    both_engines_at_length!(soak_twenty_power_cuts_after_failing_syncs);
}

async fn what_was_accepted_between_failing_syncs_survives_a_power_cut(engine: Engine) {
    cut_the_power_after_failing_syncs(&Stage::new(engine), engine);
}

async fn soak_twenty_power_cuts_after_failing_syncs(engine: Engine) {
    let stage = Stage::new(engine);
    for _ in 0..20 {
        cut_the_power_after_failing_syncs(&stage, engine);
    }
}

fn cut_the_power_after_failing_syncs(stage: &Stage, engine: Engine) {
    let mut command: Command = stage.command();
    if engine == Engine::Sqlite {
        stage.disk.keep_what_is_durable(&mut command);
    }
    let server = stage.serve_with(command);
    let mut client = server.client();
    let rounds: Vec<Vec<Token>> = (0..4)
        .map(|_| (0..6).map(|_| client.token()).collect())
        .collect();
    let mut party = stage.party(&server);
    let mut all = Vec::new();
    for (round, tokens) in rounds.iter().enumerate() {
        all.extend(tokens[..3].iter().map(|token| ask(&mut party, token)));
        all.push(fail_once(stage, engine, &mut party, &tokens[3]));
        if round < 3 {
            wait_until_ready(&server, 200);
            all.extend(tokens[4..].iter().map(|token| ask(&mut party, token)));
        }
    }
    let accepted = all.iter().filter(|asked| asked.answer.is_some()).count();
    match engine {
        Engine::Sqlite => assert_eq!(accepted, 4 * 3 + 3 * 2),
        // After each end of PostgreSQL each of two gatherers finds its connection lost with one request in its hands.
        Engine::Postgres => assert!(accepted >= 3 + 3 * 3, "{accepted}"),
    }
    server.kill();
    match &stage.cluster {
        None => stage.disk.cut_the_power(),
        Some(cluster) => cluster.start_again(&stage.disk),
    }
    let server = stage.serve();
    let mut party = stage.party(&server);
    for asked in &all {
        settle(&mut party, asked);
    }
    stage.site.require_whole();
}
