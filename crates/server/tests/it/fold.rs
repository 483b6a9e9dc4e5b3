//! SQLite: a spent step is durable in the audit trail before the credential's own row shows it (rules S3 and S4).

use warifu::database::{Value, migrate};
use warifu::store::MIGRATIONS;
use warifu_credentials::credential_id::CredentialId;
use warifu_oath::Code;
use warifu_wire::{EnableAnswer, ResyncAnswer, StopReason, ValidateAnswer};

use crate::harness::{Engine, FOLDED, GENERATION, Service, Token, fresh_key, run, second};

const THROUGH: &str = "SELECT through FROM audit_fold";
const SWEPT: &str = "SELECT MIN(through) FROM spent_sweep";
const NEWEST: &str = "SELECT MAX(position) FROM audit";

/// The step that a credential's own row says is spent.
fn row_of(service: &Service, token: &Token) -> i64 {
    let id = token.id.to_stored();
    service.place.with(|connection| {
        connection
            .read(|tx| {
                tx.query_one(
                    "SELECT last_step FROM credentials WHERE id = ?1",
                    &[Value::Int(id)],
                    |row| row.int(0),
                )
            })
            .unwrap()
            .unwrap()
    })
}

/// Tokens of others.
async fn crowd(service: &Service) -> Vec<Token> {
    let mut crowd = Vec::new();
    for _ in 0..50 {
        crowd.push(service.token().await);
    }
    crowd
}

/// So many validations of theirs.
async fn ask(service: &Service, crowd: &[Token], count: usize) -> usize {
    let step = service.step();
    let tokens = crowd.iter().cycle().take(count);
    let some = tokens.map(|token| (fresh_key(), service.bank, token.clone(), token.code(step)));
    service.check_at_once(some.collect()).await;
    count
}

/// As many validations of others as it takes to fold and sweep what waits.
pub(crate) async fn fold(service: &Service) {
    let (through, newest) = (service.place.count(THROUGH), service.place.count(NEWEST));
    let crowd = crowd(service).await;
    let mut asked = 0;
    while service.place.count(THROUGH) == through || service.place.count(SWEPT) < newest {
        asked += ask(service, &crowd, 1_000).await;
        assert!(asked <= 4 * GENERATION, "the fold does not end");
    }
}

/// A token, a code of it that its row knows, and a newer one that waits.
async fn one_folded_and_one_waiting(service: &Service) -> (Token, Code, Code) {
    let token = service.token().await;
    let [code, later] = [0, 1].map(|steps| token.code(service.step().offset(steps)));
    let first = service.check(&token, code.clone()).await;
    assert_eq!(first, ValidateAnswer::Accepted);
    fold(service).await;
    let second = service.check(&token, later.clone()).await;
    assert_eq!(second, ValidateAnswer::Accepted);
    (token, code, later)
}

/// How many migrations bring the schema up.
fn migrations(service: &Service) -> usize {
    let place = &service.place;
    place
        .with(|connection| migrate(connection, MIGRATIONS, second(1)))
        .unwrap()
}

/// A token whose credential is not among those that the sweep begins with.
async fn token_of_a_later_part(service: &Service) -> Token {
    loop {
        let token = service.token().await;
        let within = token.id.to_stored().unsigned_abs() % CredentialId::PER_PLATFORM;
        if within > CredentialId::PER_PLATFORM / 4 {
            return token;
        }
    }
}

#[test]
fn on_sqlite_a_spent_step_is_known_before_its_row_shows_it() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let token = token_of_a_later_part(&service).await;
        let now = service.step();
        let code = token.code(now.offset(1));
        assert_eq!(
            service.check(&token, code.clone()).await,
            ValidateAnswer::Accepted
        );
        assert_eq!(
            row_of(&service, &token),
            -1,
            "the row was changed: nothing is shown here"
        );

        for restarts in 0..3 {
            let status = service.status(service.bank, &token).await;
            assert_eq!(status.drift, 1, "after {restarts} restarts");
            assert_eq!(
                status.last_accepted_at,
                Some(warifu::ambient::Clock::now(&*service.clock))
            );
            assert_eq!(
                service.check(&token, code.clone()).await,
                ValidateAnswer::Replayed
            );
            let older = token.code(now);
            assert_eq!(service.check(&token, older).await, ValidateAnswer::Replayed);
            service.restart();
        }

        // Whoever fills the generation is younger.
        service.clock.advance(1);
        fold(&service).await;
        assert_eq!(row_of(&service, &token), now.offset(1).0);
        service.restart();
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Replayed);
        assert_eq!(service.status(service.bank, &token).await.drift, 1);
    });
}

/// However few validations there are between two starts, what waits does not only grow.
#[test]
fn on_sqlite_a_fold_goes_on_where_a_restart_left_it() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let oldest = service.token().await;
        let now = service.step();
        let code = oldest.code(now);
        let first = service.check_as("first", service.bank, &oldest, code.clone());
        assert_eq!(first.await, Ok(ValidateAnswer::Accepted));
        service.clock.advance(1);
        let crowd = crowd(&service).await;
        let (mut asked, mut folded) = (0, 0);
        while service.place.count(THROUGH) == 0 {
            assert!(asked <= 3 * GENERATION, "the fold does not end");
            asked += ask(&service, &crowd, 300).await;
            service.restart();
            let rows = service.place.count(FOLDED);
            assert!(rows >= folded, "what was folded was folded in vain");
            folded = rows;
        }
        assert_eq!(
            service
                .place
                .count("SELECT COUNT(DISTINCT block >> 32) FROM request_blocks"),
            1
        );
        let passed = service.place.count(
            "SELECT COUNT(*) FROM audit WHERE request IS NOT NULL AND position <= (SELECT through FROM audit_fold)",
        );
        assert_eq!(passed, folded);
        assert_eq!(row_of(&service, &oldest), now.0);
        let again = service.check_as("first", service.bank, &oldest, code.clone());
        assert_eq!(again.await, Ok(ValidateAnswer::Accepted));
        assert_eq!(service.check(&oldest, code).await, ValidateAnswer::Replayed);
    });
}

#[test]
fn on_sqlite_a_fold_does_not_take_back_what_a_resync_or_a_stop_did_since() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let token = service.token().await;
        let before = token.code(service.step());
        assert_eq!(
            service.check(&token, before).await,
            ValidateAnswer::Accepted
        );
        service.clock.advance(300);
        let (first, second) = (service.step().offset(15), service.step().offset(16));
        let answer = service
            .resync(&token, token.code(first), token.code(second))
            .await;
        assert_eq!(answer, ResyncAnswer::Resynchronised { drift: 16 });
        service.stop(service.bank, &token, StopReason::Lost).await;

        fold(&service).await;
        service.restart();
        let status = service.status(service.bank, &token).await;
        assert_eq!(status.stop_reason, Some(StopReason::Lost));
        assert_eq!(status.drift, 16);
        assert_eq!(
            service.enable(service.bank, &token).await,
            EnableAnswer::Enabled
        );
        let spent = token.code(second);
        assert_eq!(service.check(&token, spent).await, ValidateAnswer::Replayed);
        let next = token.code(second.offset(1));
        assert_eq!(service.check(&token, next).await, ValidateAnswer::Accepted);
    });
}

/// Schema 4 folded steps with requests: up to one mark, and some beyond.
#[test]
fn on_sqlite_a_database_of_schema_4_keeps_what_is_spent() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let (token, code, later) = one_folded_and_one_waiting(&service).await;
        service.stop_running();
        service.place.meddle(
            "UPDATE credentials SET last_step = MAX(last_step, COALESCE((SELECT MAX(detail / 65536) FROM audit
                 WHERE credential = credentials.id AND position <= (SELECT through FROM audit_fold)), -1));
             DELETE FROM schema_migrations WHERE number >= 5;
             DROP TABLE spent_sweep;
             INSERT INTO request_runs (run, request, position) SELECT run, SUBSTR(request, -16), position FROM audit, request_run_list
                 WHERE request IS NOT NULL AND position <= (SELECT through FROM audit_fold);
             DROP TABLE request_blocks;
             ALTER TABLE request_run_list DROP COLUMN blocks; ALTER TABLE request_run_list DROP COLUMN first_second;
             ALTER TABLE request_run_list DROP COLUMN last_second; DROP TABLE requests_without_time;
             ALTER TABLE audit_fold ADD COLUMN credential INTEGER;
             UPDATE audit_fold SET credential = 1 WHERE run IS NOT NULL",
        );
        let before = row_of(&service, &token);
        assert_eq!(before, service.step().0, "the row knows the later code");
        assert_eq!(migrations(&service), MIGRATIONS.len() - 4);
        let one = service.place.count("SELECT COUNT(*) FROM request_run_list");
        assert_eq!(one, 1, "all of it is in one run");
        service.restart();
        assert_eq!(service.check(&token, later).await, ValidateAnswer::Replayed);
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Replayed);
        service.require_whole().await;
    });
}

/// Schema 5 had a row for each request of a run.
#[test]
fn on_sqlite_a_database_of_schema_5_keeps_its_requests() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let token = service.token().await;
        let [code, later] = [0, 1].map(|steps| token.code(service.step().offset(steps)));
        let first = service.check_as("first", service.bank, &token, code.clone());
        assert_eq!(first.await, Ok(ValidateAnswer::Accepted));
        fold(&service).await;
        let second = service.check_as("second", service.bank, &token, later.clone());
        assert_eq!(second.await, Ok(ValidateAnswer::Accepted));
        let crowd = crowd(&service).await;
        let mut asked = 0;
        while service.place.count("SELECT COUNT(run) FROM audit_fold") == 0 {
            assert!(asked <= 3 * GENERATION, "no fold begins");
            asked += ask(&service, &crowd, 300).await;
        }
        service.stop_running();
        service.place.meddle(
            "DELETE FROM schema_migrations WHERE number >= 6;
             INSERT INTO request_runs (run, request, position) SELECT request_run_list.run, SUBSTR(request, -16), position
                 FROM audit, request_run_list WHERE request IS NOT NULL AND position <= (SELECT through FROM audit_fold);
             INSERT INTO request_runs (run, request, position) SELECT audit_fold.run, SUBSTR(audit.request, -16), position
                 FROM audit, audit_fold WHERE audit.request IS NOT NULL AND position > through AND position <= until
                 ORDER BY SUBSTR(audit.request, -16) LIMIT 100;
             UPDATE audit_fold SET request = (SELECT MAX(request) FROM request_runs WHERE run = audit_fold.run);
             UPDATE request_runs SET run = 101 + position % 8 WHERE run IN (SELECT run FROM request_run_list);
             INSERT INTO request_filters (run, slice, bits) SELECT 101 + number.column1, slice, bits FROM request_filters,
                 (VALUES (0), (1), (2), (3), (4), (5), (6), (7)) AS number WHERE run IN (SELECT run FROM request_run_list);
             DELETE FROM request_filters WHERE run < 101;
             DELETE FROM request_run_list;
             INSERT INTO request_run_list (run, tier, merged_into) SELECT DISTINCT run, 0, 109 FROM request_filters;
             INSERT INTO request_filters (run, slice, bits) SELECT 109, 0, bits FROM request_filters WHERE run = 101 AND slice = 0;
             INSERT INTO request_runs (run, request, position) SELECT 109, request, position FROM request_runs
                 WHERE run > 100 AND request < x'04000000';
             DROP TABLE request_blocks;
             ALTER TABLE request_run_list DROP COLUMN blocks; ALTER TABLE request_run_list DROP COLUMN first_second;
             ALTER TABLE request_run_list DROP COLUMN last_second; DROP TABLE requests_without_time",
        );
        let listed = "SELECT COUNT(*) FROM request_run_list";
        assert_eq!(service.place.count(listed), 8);
        assert_eq!(migrations(&service), MIGRATIONS.len() - 5);
        service.restart();
        service.require_whole().await;
        let before = "SELECT COUNT(*) FROM request_run_list WHERE run < 109";
        let rows = "SELECT COUNT(*) FROM request_runs";
        while service.place.count(before) > 0 || service.place.count(rows) > 0 {
            assert!(asked <= 16 * GENERATION, "what is of before is not merged");
            asked += ask(&service, &crowd, 1_000).await;
        }
        service.require_whole().await;
        for (key, code) in [("first", code), ("second", later)] {
            let again = service.check_as(key, service.bank, &token, code);
            assert_eq!(again.await, Ok(ValidateAnswer::Accepted), "{key}");
        }
    });
}

/// What schema 1 has in its trail says no steps; they are all in the rows.
#[test]
fn on_sqlite_a_database_of_schema_1_keeps_what_is_spent() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let (token, code, later) = one_folded_and_one_waiting(&service).await;
        let newest = service.step().offset(1).0;
        service.place.disarm();
        service.place.meddle(&format!(
            "UPDATE audit SET detail = 0 WHERE kind IN (SELECT kind FROM audit WHERE detail > 65536);
             UPDATE credentials SET last_step = {newest} WHERE id = {};
             DELETE FROM schema_migrations WHERE number >= 2;
             INSERT INTO request_index (request, position) SELECT SUBSTR(request, -16), position FROM audit WHERE request IS NOT NULL;
             DROP TABLE request_blocks; DROP TABLE request_runs; DROP TABLE request_run_list; DROP TABLE request_filters; DROP TABLE spent_sweep;
             DROP TABLE requests_without_time;
             ALTER TABLE audit_fold RENAME TO request_fold;
             ALTER TABLE request_fold DROP COLUMN run; ALTER TABLE request_fold DROP COLUMN until;
             ALTER TABLE request_fold DROP COLUMN request",
            token.id.to_stored()
        ));
        assert_eq!(migrations(&service), MIGRATIONS.len() - 1);
        // A fold that was cut short had written some of what waits.
        let twice =
            "SELECT COUNT(*) FROM request_index WHERE position > (SELECT through FROM audit_fold)";
        assert_eq!(service.place.count(twice), 0);
        service.restart();
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Replayed);
        assert_eq!(service.check(&token, later).await, ValidateAnswer::Replayed);
        let next = token.code(service.step().offset(2));
        assert_eq!(
            service.check(&token, next).await,
            ValidateAnswer::ResyncNeeded
        );
    });
}

/// What follows the trail is no part of a chain; a verification looks at it all the same.
#[test]
fn on_sqlite_a_verification_finds_a_request_or_a_spent_step_that_a_fold_lost() {
    run(async {
        let mut service = Service::new(Engine::Sqlite);
        let token = service.token().await;
        let code = token.code(service.step());
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Accepted);
        fold(&service).await;
        service.require_whole().await;
        let checkpoint = service.checkpoint().await;
        service.stop_running();
        service.place.disarm();
        for (damage, repair, fault) in [
            (
                "CREATE TABLE kept AS SELECT * FROM request_blocks LIMIT 1 OFFSET 100;
                 UPDATE request_blocks SET entries = SUBSTR(entries, 25) WHERE block IN (SELECT block FROM kept)",
                "INSERT OR REPLACE INTO request_blocks SELECT * FROM kept; DROP TABLE kept",
                "are to be found",
            ),
            (
                "CREATE TABLE kept AS SELECT * FROM request_filters WHERE slice = 1;
                 UPDATE request_filters SET bits = zeroblob(LENGTH(bits)) WHERE slice = 1",
                "INSERT OR REPLACE INTO request_filters SELECT * FROM kept; DROP TABLE kept",
                "is not found",
            ),
            (
                "CREATE TABLE kept AS SELECT * FROM request_blocks;
                 UPDATE request_blocks
                     SET entries = CAST(SUBSTR(entries, 1, 16) || x'7fffffff00000000' || SUBSTR(entries, 25) AS BLOB)",
                "INSERT OR REPLACE INTO request_blocks SELECT * FROM kept; DROP TABLE kept",
                "is not found",
            ),
            (
                "UPDATE credentials SET last_step = last_step - 1",
                "UPDATE credentials SET last_step = last_step + 1",
                "would be accepted again",
            ),
        ] {
            service.place.meddle(damage);
            let faults = service
                .verify(std::slice::from_ref(&checkpoint))
                .unwrap()
                .faults;
            assert!(
                faults.iter().any(|found| found.contains(fault)),
                "{damage}: {faults:?}"
            );
            service.place.meddle(repair);
            let whole = service.verify(std::slice::from_ref(&checkpoint)).unwrap();
            assert_eq!(whole.faults, Vec::<String>::new(), "{repair}");
        }
    });
}

#[test]
fn on_postgres_a_verification_finds_a_spent_step_that_its_credential_does_not_say() {
    run(async {
        let service = Service::new(Engine::Postgres);
        let token = service.token().await;
        let code = token.code(service.step());
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Accepted);
        service.require_whole().await;
        let checkpoint = service.checkpoint().await;
        service
            .place
            .meddle("UPDATE credentials SET last_step = last_step - 1");
        let faults = service.verify(&[checkpoint]).unwrap().faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("would be accepted again"), "{faults:?}");
    });
}
