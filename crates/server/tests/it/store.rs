//! What the store promises by itself: the fold of requests, the triggers, the schema, and a backup's size.

use warifu::database::{MigrationState, migrate, migration_state};
use warifu::store::MIGRATIONS;
use warifu_wire::ValidateAnswer;

use crate::harness::{
    Engine, FOLDED, GENERATION, Place, Service, Token, fresh_key, relation, second,
};

both_engines!(
    audit_rows_can_be_neither_changed_nor_removed,
    an_audit_row_takes_at_most_400_bytes_on_disk,
    a_schema_is_brought_up_once_and_a_newer_one_refused,
    eight_that_migrate_at_once_do_it_once,
    a_panic_in_the_middle_of_work_leaves_nothing_behind,
    a_broken_row_is_nobody_elses_fault,
);

async fn audit_rows_can_be_neither_changed_nor_removed(engine: Engine) {
    let service = Service::new(engine);
    let rows = service.require_whole().await;
    let mut attempts = vec![
        "UPDATE audit SET note = 'x'",
        "UPDATE audit SET at = at WHERE position = (SELECT MAX(position) FROM audit)",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE position = (SELECT MAX(position) FROM audit)",
    ];
    if engine == Engine::Postgres {
        attempts.push("TRUNCATE audit");
    }
    for sql in attempts {
        let refused = service.place.try_to_meddle(sql).unwrap_err().to_string();
        assert!(refused.contains("audit rows are never"), "{sql}: {refused}");
    }
    assert_eq!(service.require_whole().await, rows);
}

/// Validations run in groups; one that cannot be run must not take the others of its group with it.
async fn a_broken_row_is_nobody_elses_fault(engine: Engine) {
    let service = Service::new(engine);
    let broken = service.token().await;
    let mut whole = Vec::new();
    for _ in 0..24 {
        whole.push(service.token().await);
    }
    service.place.meddle(&format!(
        "UPDATE credentials SET state = 7 WHERE id = {}",
        broken.id.to_stored()
    ));
    let asked: Vec<_> = whole.iter().chain([&broken]).cloned().collect();
    let tasks: Vec<_> = asked
        .into_iter()
        .map(|token| {
            let running = service.running();
            let (relation, code) = (relation(service.bank, &token), token.code(service.step()));
            tokio::spawn(async move {
                let (key, purpose) = (fresh_key().parse().unwrap(), "login".parse().unwrap());
                running.validate(relation, &key, code, purpose).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(
        answers.pop().unwrap().is_err(),
        "nobody knows what state 7 is"
    );
    for answer in answers {
        assert_eq!(answer.unwrap(), Ok(ValidateAnswer::Accepted));
    }
}

/// Right codes, wrong ones and replays of many tokens, at the same time.
async fn many_validations(service: &Service, tokens: &[Token], count: usize) {
    let now = service.step();
    let mut done = 0;
    while done < count {
        let asked: Vec<_> = (0..1_000)
            .map(|number| {
                let token = &tokens[number % tokens.len()];
                (
                    fresh_key(),
                    service.bank,
                    token.clone(),
                    token.code(now.offset(1)),
                )
            })
            .collect();
        done += asked.len();
        for answer in service.check_at_once(asked).await {
            assert!(matches!(
                answer,
                Ok(ValidateAnswer::Accepted | ValidateAnswer::Replayed)
            ));
        }
    }
}

async fn tokens(service: &Service, count: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.push(service.token().await);
    }
    tokens
}

async fn an_audit_row_takes_at_most_400_bytes_on_disk(engine: Engine) {
    let service = Service::new(engine);
    let tokens = tokens(&service, 50).await;
    let (bytes, rows) = (
        service.place.bytes(),
        service.place.count("SELECT COUNT(*) FROM audit"),
    );
    many_validations(&service, &tokens, 5_000).await;
    let bytes = service.place.bytes() - bytes;
    let rows = service.place.count("SELECT COUNT(*) FROM audit") - rows;
    assert_eq!(rows, 5_000);
    assert!(bytes > 0 && bytes <= 400 * rows, "{bytes} for {rows} rows");
}

/// On SQLite requests wait in memory for the index: before, during and after their fold, and over restarts in each
/// of these, all of them are known.
#[test]
fn on_sqlite_every_request_is_known_before_during_and_after_the_fold() {
    crate::harness::run(async {
        let mut service = Service::new(Engine::Sqlite);
        let token = service.token().await;
        let code = token.code(service.step());
        let first = service.check_as("first", service.bank, &token, code.clone());
        assert_eq!(first.await, Ok(ValidateAnswer::Accepted));
        let bytes = service.place.bytes();
        let crowd = tokens(&service, 50).await;

        many_validations(&service, &crowd, GENERATION - 1_192).await;
        let folded = |service: &Service| service.place.count(FOLDED);
        let through = |service: &Service| service.place.count("SELECT through FROM audit_fold");
        assert_eq!(folded(&service), 0);
        known(&service, &token).await;

        // Past the size of a generation the fold begins; a restart in its middle goes on with it.
        let mut rounds = 0;
        while folded(&service) == 0 {
            many_validations(&service, &crowd, 1_000).await;
            rounds += 1;
            assert!(rounds < 5, "no fold begins");
        }
        assert_eq!(through(&service), 0, "the fold should be under way");
        known(&service, &token).await;
        service.restart();
        known(&service, &token).await;
        assert_eq!(through(&service), 0);

        while through(&service) == 0 {
            many_validations(&service, &crowd, 4_000).await;
            rounds += 1;
            assert!(rounds < 20, "the fold does not end");
        }
        known(&service, &token).await;
        let grown = service.place.bytes() - bytes;
        service.restart();
        known(&service, &token).await;
        let rows = i64::try_from(service.require_whole().await).unwrap();
        assert!(grown <= 400 * rows, "{grown} bytes for {rows} rows");
        let replayed = service.check(&token, code).await;
        assert_eq!(replayed, ValidateAnswer::Replayed);
    });
}

/// The first request is answered again as it was, and its code is good for no other.
async fn known(service: &Service, token: &Token) {
    let code = token.code(service.step());
    let again = service.check_as("first", service.bank, token, code.clone());
    assert_eq!(again.await, Ok(ValidateAnswer::Accepted));
    assert_eq!(service.check(token, code).await, ValidateAnswer::Replayed);
}

async fn a_schema_is_brought_up_once_and_a_newer_one_refused(engine: Engine) {
    let place = Place::empty(engine);
    let state = || place.with(|connection| migration_state(connection, MIGRATIONS).unwrap());
    let migrate = || place.with(|connection| migrate(connection, MIGRATIONS, second(1)));
    let wanted = i64::try_from(MIGRATIONS.len()).unwrap();
    assert_eq!(state(), MigrationState::Behind { found: 0, wanted });
    assert_eq!(migrate().unwrap(), MIGRATIONS.len());
    assert_eq!(migrate().unwrap(), 0);
    assert_eq!(state(), MigrationState::Current);

    place.meddle("INSERT INTO schema_migrations VALUES (999, 'of the future', 1)");
    assert_eq!(state(), MigrationState::Ahead { found: 999, wanted });
    let refused = migrate().unwrap_err().to_string();
    assert!(refused.contains("newer"), "{refused}");
}

async fn eight_that_migrate_at_once_do_it_once(engine: Engine) {
    let place = Place::empty(engine);
    // SQLite's file is made, and its mode set, by whoever is first; here that is done.
    place.with(|_| ());
    let applied: usize = std::thread::scope(|scope| {
        let migrate = || place.with(|connection| migrate(connection, MIGRATIONS, second(1)));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(migrate)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap())
            .sum()
    });
    assert_eq!(applied, MIGRATIONS.len());
}

async fn a_panic_in_the_middle_of_work_leaves_nothing_behind(engine: Engine) {
    let place = Place::new(engine);
    let count = place.with(|connection| {
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            connection.transaction::<()>(|tx| {
                tx.batch("INSERT INTO provision_throttle VALUES ('192.0.2.1', 1)")?;
                panic!("on purpose");
            })
        }));
        assert!(broken.is_err());
        // The same connection goes on.
        connection.read(|tx| {
            let sql = "SELECT COUNT(*) FROM provision_throttle";
            tx.query_one(sql, &[], |row| row.int(0))
        })
    });
    assert_eq!(count.unwrap(), Some(0));
}
