//! A disk that can only be read, as a file system is after an error; a PostgreSQL that only reads, as a standby is.

use ::postgres::{Client, NoTls};

use super::*;
use crate::harness::apart;

both_engines!(while_nothing_can_be_written_nothing_is_accepted_and_afterwards_it_goes_on);

/// Makes that nothing can be written, or that it can again.
fn set(stage: &Stage, engine: Engine, read_only: bool) {
    match (engine, read_only) {
        (Engine::Sqlite, true) => stage.disk.order("read-only"),
        (Engine::Sqlite, false) => stage.disk.heal(),
        (Engine::Postgres, true) => stranger(
            stage,
            "ALTER DATABASE warifu_fault_tokens SET default_transaction_read_only = on;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
        (Engine::Postgres, false) => stranger(
            stage,
            "BEGIN READ WRITE;
             ALTER DATABASE warifu_fault_tokens RESET default_transaction_read_only;
             COMMIT",
        ),
    }
}

/// Statements over a connection that need not take writes.
fn stranger(stage: &Stage, sql: &str) {
    let url = stage.site.place.url();
    apart(|| {
        let mut client = Client::connect(url, NoTls).unwrap();
        client.batch_execute(sql).unwrap();
    });
}

async fn while_nothing_can_be_written_nothing_is_accepted_and_afterwards_it_goes_on(
    engine: Engine,
) {
    let stage = Stage::new(engine);
    let server = stage.serve();
    let mut client = server.client();
    let tokens: Vec<Token> = (0..6).map(|_| client.token()).collect();
    let mut party = stage.party(&server);
    let mut asked = vec![ask(&mut party, &tokens[0])];
    assert_eq!(asked[0].answer.as_deref(), Some("accepted"));

    set(&stage, engine, true);
    asked.extend(tokens[1..].iter().map(|token| ask(&mut party, token)));
    assert!(asked[1..].iter().all(|asked| asked.answer.is_none()));
    client.get("/readyz").require(503, ProblemType::Unavailable);
    require_pages_without_database(&server);
    let log = server.log();
    assert!(log.contains("the database takes no writes"), "{log}");
    let causes = match engine {
        Engine::Sqlite => ["disk I/O error", "disk I/O error"],
        // Found by a write, or already by whoever connects anew.
        Engine::Postgres => [
            "read-only transaction (25006)",
            "the database cannot be reached",
        ],
    };
    assert!(causes.iter().any(|cause| log.contains(cause)), "{log}");

    set(&stage, engine, false);
    wait_until_ready(&server, 200);
    for asked in &asked {
        settle(&mut party, asked);
    }
    stage.site.require_whole();
}

#[test]
fn on_a_disk_that_can_only_be_read_it_does_not_start_and_says_why() {
    let site = Site::new(Engine::Sqlite);
    let _ = site.add_party("Bank");
    let disk = Disk::under(&site.data, site.place.folder.path());
    disk.order("read-only");
    let mut command = site.command();
    disk.arm(&mut command);
    let outcome = crate::harness::run_program(command.arg("serve"));
    outcome.require_failure(&["Read-only file system"]);
}
