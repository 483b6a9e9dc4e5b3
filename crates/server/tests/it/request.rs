//! S7: the same request gives the same answer again and spends nothing twice.

use warifu::database::{Tx, migrate};
use warifu::store::settle::Refusal;
use warifu::store::{MIGRATIONS, audit};
use warifu_credentials::audit::{Event, Kind, Outcome};
use warifu_credentials::party::PartyId;
use warifu_credentials::record::spent_to_stored;
use warifu_credentials::request::Asked;
use warifu_oath::{Code, TimeStep};
use warifu_wire::{EnableAnswer, ResyncAnswer, StopReason, ValidateAnswer};

use crate::fold::fold;
use crate::harness::{Engine, START, Service, Token, apart, fresh_key, run, second, timed_key};

both_engines!(
    every_answer_to_a_validation_is_given_again_also_after_a_restart,
    every_answer_to_another_command_is_given_again_also_after_a_restart,
    one_request_sent_32_times_at_once_is_one_acceptance_with_32_equal_answers,
    one_wrong_code_sent_32_times_at_once_counts_once,
    a_key_is_no_good_for_another_request,
    a_key_of_another_relying_party_is_another_request,
    two_requests_with_one_key_at_once_never_both_hold,
    a_key_goes_on_holding_when_its_token_is_stopped_or_locked,
    a_request_of_before_its_key_told_a_time_is_answered_again,
    requests_of_one_time_are_stored_beside_one_another,
);

/// Asks twice, restarts, asks again: the same answer, and one audit row for all.
async fn ask_thrice(service: &mut Service, token: &Token, code: Code) -> ValidateAnswer {
    let (key, rows) = (fresh_key(), service.require_whole().await);
    let bank = service.bank;
    let first = service.check_as(&key, bank, token, code.clone()).await;
    let again = service.check_as(&key, bank, token, code.clone()).await;
    assert_eq!(again, first);
    service.restart();
    let later = service.check_as(&key, bank, token, code).await;
    assert_eq!(later, first);
    assert_eq!(service.require_whole().await, rows + 1);
    first.unwrap()
}

async fn every_answer_to_a_validation_is_given_again_also_after_a_restart(engine: Engine) {
    let mut service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let now = service.step();
    let bank = service.bank;
    let wrong = token.wrong_code(now);
    let mut ask = async |code: Code| ask_thrice(&mut service, &token, code).await;
    assert_eq!(
        ask(token.code(now.offset(9))).await,
        ValidateAnswer::ResyncNeeded
    );
    assert_eq!(ask(token.code(now)).await, ValidateAnswer::Accepted);
    assert_eq!(ask(token.code(now)).await, ValidateAnswer::Replayed);
    for tries_left in (0..5).rev() {
        assert_eq!(
            ask(wrong.clone()).await,
            ValidateAnswer::Rejected { tries_left }
        );
    }
    assert_eq!(ask(token.code(now.offset(1))).await, ValidateAnswer::Locked);
    service.stop(bank, &token, StopReason::Left).await;
    let stopped = ask_thrice(&mut service, &token, wrong).await;
    assert_eq!(stopped, ValidateAnswer::Stopped);
}

/// Each command twice, with something in between that would change a new answer.
async fn every_answer_to_another_command_is_given_again_also_after_a_restart(engine: Engine) {
    let mut service = Service::new(engine);
    let shop = service.add_party("Shop");
    let bank = service.bank;
    let token = service.token().await;
    let now = service.step();
    let (first, second) = (token.code(now), token.code(now.offset(1)));
    let wrong = token.wrong_code(now);

    let right = service.resync_as("r1", &token, first.clone(), second.clone());
    assert_eq!(right.await, Ok(ResyncAnswer::Resynchronised { drift: 1 }));
    let failed = service.resync_as("r2", &token, wrong.clone(), wrong.clone());
    assert_eq!(failed.await, Ok(ResyncAnswer::Rejected { tries_left: 4 }));
    service.unlock_as("u1", bank, &token).await.unwrap();
    let counted = service.check(&token, wrong.clone()).await;
    assert_eq!(counted, ValidateAnswer::Rejected { tries_left: 4 });
    let lost = service.stop_as("s1", shop, &token, StopReason::Lost).await;
    let refused = service.enable_as("e1", bank, &token).await;
    assert!(matches!(refused, Ok(EnableAnswer::Refused { .. })));
    let enabled = service.enable_as("e1", shop, &token).await;
    assert_eq!(enabled, Ok(EnableAnswer::Enabled));
    let stolen = service
        .stop_as("s2", shop, &token, StopReason::Stolen)
        .await;
    let never = service.enable_as("e2", shop, &token).await;

    let rows = service.require_whole().await;
    service.restart();
    let again = service.resync_as("r1", &token, first, second).await;
    assert_eq!(again, Ok(ResyncAnswer::Resynchronised { drift: 1 }));
    let again = service.resync_as("r2", &token, wrong.clone(), wrong).await;
    assert_eq!(again, Ok(ResyncAnswer::Rejected { tries_left: 4 }));
    assert!(service.unlock_as("u1", bank, &token).await.is_ok());
    let again = service.stop_as("s1", shop, &token, StopReason::Lost).await;
    assert_eq!(again, lost, "although it is stolen by now");
    assert_eq!(service.enable_as("e1", bank, &token).await, refused);
    assert_eq!(service.enable_as("e1", shop, &token).await, enabled);
    let again = service
        .stop_as("s2", shop, &token, StopReason::Stolen)
        .await;
    assert_eq!(again, stolen);
    assert_eq!(service.enable_as("e2", shop, &token).await, never);

    // Nothing of it was done again: the failure after the unlocking counts, and the token stays stopped.
    let status = service.status(bank, &token).await;
    assert_eq!(
        (status.failures, status.stop_reason),
        (1, Some(StopReason::Stolen))
    );
    assert_eq!(service.require_whole().await, rows);
}

async fn one_request_sent_32_times_at_once_is_one_acceptance_with_32_equal_answers(engine: Engine) {
    let service = Service::new(engine);
    for _ in 0..10 {
        let token = service.token().await;
        let (key, code) = (fresh_key(), token.code(service.step()));
        let rows = service.require_whole().await;
        let asked = vec![(key, service.bank, token.clone(), code.clone()); 32];
        for answer in service.check_at_once(asked).await {
            assert_eq!(answer, Ok(ValidateAnswer::Accepted));
        }
        assert_eq!(service.require_whole().await, rows + 1);
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Replayed);
    }
}

async fn one_wrong_code_sent_32_times_at_once_counts_once(engine: Engine) {
    let service = Service::new(engine);
    for _ in 0..5 {
        let token = service.token().await;
        let code = token.wrong_code(service.step());
        let asked = vec![(fresh_key(), service.bank, token.clone(), code); 32];
        for answer in service.check_at_once(asked).await {
            assert_eq!(answer, Ok(ValidateAnswer::Rejected { tries_left: 4 }));
        }
        assert_eq!(service.status(service.bank, &token).await.failures, 1);
    }
}

async fn a_key_is_no_good_for_another_request(engine: Engine) {
    let service = Service::new(engine);
    let (token, other) = (service.token().await, service.token().await);
    let (bank, now) = (service.bank, service.step());
    let code = token.code(now);
    let used = service.check_as("one", bank, &token, code.clone()).await;
    assert_eq!(used, Ok(ValidateAnswer::Accepted));
    let rows = service.require_whole().await;

    let reused = Err(Refusal::RequestReused);
    let next = token.code(now.offset(1));
    assert_eq!(service.check_as("one", bank, &token, next).await, reused);
    let wrong = token.wrong_code(now);
    assert_eq!(service.check_as("one", bank, &token, wrong).await, reused);
    assert_eq!(
        service.check_as("one", bank, &other, other.code(now)).await,
        reused
    );
    assert_eq!(
        service.check_as("one", bank, &other, code.clone()).await,
        reused
    );
    let relation = warifu::service::Relation {
        party: bank,
        credential: token.id,
    };
    let key = "one".parse().unwrap();
    let purpose = "transfer".parse().unwrap();
    let running = service.running();
    let answer = running
        .validate(relation, &key, code.clone(), purpose)
        .await;
    assert_eq!(answer.unwrap(), reused);
    assert_eq!(
        service.resync_as("one", &token, code.clone(), code).await,
        Err(Refusal::RequestReused)
    );
    assert_eq!(
        service.stop_as("one", bank, &token, StopReason::Lost).await,
        Err(Refusal::RequestReused)
    );
    assert_eq!(
        service.enable_as("one", bank, &token).await,
        Err(Refusal::RequestReused)
    );
    assert_eq!(
        service.unlock_as("one", bank, &token).await,
        Err(Refusal::RequestReused)
    );

    assert_eq!(service.require_whole().await, rows, "nothing was done");
    let status = service.status(bank, &token).await;
    assert_eq!((status.failures, status.stop_reason), (0, None));
}

async fn a_key_of_another_relying_party_is_another_request(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let token = service.token().await;
    let code = token.code(service.step());
    let ask = |party: PartyId| service.check_as("one", party, &token, code.clone());
    assert_eq!(ask(service.bank).await, Ok(ValidateAnswer::Accepted));
    assert_eq!(ask(shop).await, Ok(ValidateAnswer::Replayed));
    assert_eq!(ask(service.bank).await, Ok(ValidateAnswer::Accepted));
    assert_eq!(ask(shop).await, Ok(ValidateAnswer::Replayed));
}

/// One of two tokens gets the key; the other is told so, or told to ask again and then told so.
async fn two_requests_with_one_key_at_once_never_both_hold(engine: Engine) {
    let service = Service::new(engine);
    for _ in 0..10 {
        let (first, second) = (service.token().await, service.token().await);
        let (key, now, bank) = (fresh_key(), service.step(), service.bank);
        let tasks = [&first, &second].map(|token| {
            let (running, key, code) = (service.running(), key.clone(), token.code(now));
            let relation = warifu::service::Relation {
                party: bank,
                credential: token.id,
            };
            tokio::spawn(async move {
                let purpose = "login".parse().unwrap();
                let key = key.parse().unwrap();
                running.validate(relation, &key, code, purpose).await
            })
        });
        for task in tasks {
            // On PostgreSQL the two may meet on the unique index; then the outcome is unknown to the loser.
            let _ = task.await.unwrap();
        }
        let mut settled = Vec::new();
        for token in [&first, &second] {
            settled.push(service.check_as(&key, bank, token, token.code(now)).await);
        }
        let accepted = settled
            .iter()
            .filter(|answer| **answer == Ok(ValidateAnswer::Accepted));
        assert_eq!(accepted.count(), 1, "{settled:?}");
        assert!(
            settled.contains(&Err(Refusal::RequestReused)),
            "{settled:?}"
        );
    }
    service.require_whole().await;
}

async fn a_key_goes_on_holding_when_its_token_is_stopped_or_locked(engine: Engine) {
    let service = Service::new(engine);
    let (token, bank) = (service.token().await, service.bank);
    let now = service.step();
    let ask = || service.check_as("one", bank, &token, token.code(now));
    assert_eq!(ask().await, Ok(ValidateAnswer::Accepted));
    for _ in 0..5 {
        service.check(&token, token.wrong_code(now)).await;
    }
    assert_eq!(ask().await, Ok(ValidateAnswer::Accepted));
    service.stop(bank, &token, StopReason::Stolen).await;
    assert_eq!(ask().await, Ok(ValidateAnswer::Accepted));
    service.clock.advance(86_400);
    assert_eq!(ask().await, Ok(ValidateAnswer::Accepted));
}

/// Schema 6 stored a digest alone, whatever the key was.
async fn a_request_of_before_its_key_told_a_time_is_answered_again(engine: Engine) {
    let mut service = Service::new(engine);
    let token = service.token().await;
    // Of another time than the others below.
    let (key, code) = (timed_key(1 << 30), token.code(service.step()));
    service.stop_running();
    let request = service
        .secrets
        .digester
        .digest(service.bank, &key.parse().unwrap());
    let fingerprint = service.secrets.digester.fingerprint(
        token.id,
        Asked::Validate {
            code: &code.to_string(),
            purpose: "login",
        },
    );
    // An answer that nobody would give anew once the code is spent.
    let event = Event {
        outcome: Outcome::Accepted,
        detail: spent_to_stored(TimeStep(0), 0),
        credential: Some(token.id),
        party: Some(service.bank),
        request: Some(request.without_time().unwrap()),
        fingerprint: Some(fingerprint),
        note: "login".into(),
        ..Event::new(second(START), Kind::Validated)
    };
    let append =
        |tx: &mut Tx<'_>| audit::append(tx, &service.secrets.chain, std::slice::from_ref(&event));
    service
        .place
        .with(|connection| connection.transaction(append))
        .unwrap();
    service
        .place
        .meddle("DELETE FROM schema_migrations WHERE number >= 7");
    service.place.meddle("DROP TABLE requests_without_time");
    if engine == Engine::Sqlite {
        for column in ["first_second", "last_second"] {
            let drop = format!("ALTER TABLE request_run_list DROP COLUMN {column}");
            service.place.meddle(&drop);
        }
    }
    let migrated = service
        .place
        .with(|connection| migrate(connection, MIGRATIONS, second(START)));
    assert_eq!(migrated.unwrap(), 1);

    service.restart();
    let again = service.check_as(&key, service.bank, &token, code.clone());
    assert_eq!(again.await, Ok(ValidateAnswer::Accepted));
    let other = timed_key(2);
    let other = service.check_as(&other, service.bank, &token, code);
    assert_eq!(other.await, Ok(ValidateAnswer::Accepted));
    let other_code = token.code(service.step().offset(1));
    let reused = service.check_as(&key, service.bank, &token, other_code);
    assert_eq!(reused.await, Err(Refusal::RequestReused));
    service.require_whole().await;
    if engine == Engine::Sqlite {
        fold(&service).await;
        for _ in 0..2 {
            let again = service.check_as(&key, service.bank, &token, token.code(service.step()));
            assert_eq!(again.await, Ok(ValidateAnswer::Accepted));
            service.restart();
        }
        service.require_whole().await;
    }
}

/// A database with rows of before; one without any has nobody's requests.
#[test]
fn on_postgres_no_copy_of_before_may_run_at_the_step_to_schema_7() {
    run(async {
        let mut service = Service::new(Engine::Postgres);
        let token = service.token().await;
        let code = token.code(service.step());
        service.check(&token, code).await;
        service.stop_running();
        service.place.meddle(
            "DELETE FROM schema_migrations WHERE number >= 7; DROP TABLE requests_without_time",
        );
        let migrated = || {
            let place = &service.place;
            place.with(|connection| migrate(connection, MIGRATIONS, second(START)))
        };
        let url = format!("{}?application_name=warifu", service.place.url());
        let before = apart(|| ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap());
        let refused = migrated().unwrap_err().to_string();
        assert!(refused.contains("stop every copy"), "{refused}");
        apart(|| drop(before));
        // The server hears of it in a moment.
        while service
            .place
            .count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'warifu'")
            > 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(migrated().unwrap(), 1);
        service.restart();
        service.require_whole().await;
    });
}

async fn requests_of_one_time_are_stored_beside_one_another(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token().await;
    let wrong = token.wrong_code(service.step());
    // Of three seconds.
    for number in [1, 2_000, 2_001, 2_002, 2_984, 5_000, 5_001] {
        service.clock.advance(1);
        let key = timed_key(number);
        let asked = service.check_as(&key, service.bank, &token, wrong.clone());
        asked.await.unwrap();
    }
    let seconds =
        "SELECT COUNT(DISTINCT SUBSTR(request, 1, 4)) FROM audit WHERE LENGTH(request) = 20";
    assert_eq!(service.place.count(seconds), 3);
    let in_order = "SELECT COUNT(*) FROM audit AS one, audit AS later
         WHERE one.at < later.at AND one.request < later.request
         AND SUBSTR(one.request, 1, 4) <> SUBSTR(later.request, 1, 4)";
    // One before six, and four before two.
    assert_eq!(service.place.count(in_order), 6 + 8);
}
