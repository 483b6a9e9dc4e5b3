//! S2 and S5: what a code comes to, and when it locks.

use warifu::store::settle::Refusal;
use warifu_oath::Code;
use warifu_wire::{ProblemType, StopReason, ValidateAnswer};

use crate::harness::{Engine, Service, Site, fresh_key, now_step, second};

both_engines!(
    every_kind_of_answer_is_given_where_it_belongs,
    a_token_that_nobody_knows_is_refused,
    sixty_wrong_codes_sixteen_at_a_time_are_evaluated_exactly_five_times,
    a_lock_holds_at_one_relying_party_only_and_its_staff_open_it,
    a_right_code_begins_the_count_anew,
    a_malformed_code_counts_nothing,
    a_revoked_key_is_refused_at_the_next_request_whatever_it_asks,
);

async fn every_kind_of_answer_is_given_where_it_belongs(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let now = service.step();
    let wrong = token.wrong_code(now);
    let check = |code| service.check(&token, code);
    assert_eq!(
        check(token.code(now.offset(5))).await,
        ValidateAnswer::ResyncNeeded
    );
    assert_eq!(check(token.code(now)).await, ValidateAnswer::Accepted);
    assert_eq!(check(token.code(now)).await, ValidateAnswer::Replayed);
    for tries_left in (0..5).rev() {
        assert_eq!(
            check(wrong.clone()).await,
            ValidateAnswer::Rejected { tries_left }
        );
    }
    assert_eq!(check(wrong).await, ValidateAnswer::Locked);
    assert_eq!(
        check(token.code(now.offset(1))).await,
        ValidateAnswer::Locked
    );
    service.stop(service.bank, &token, StopReason::Lost).await;
    assert_eq!(
        check(token.code(now.offset(1))).await,
        ValidateAnswer::Stopped
    );
    let status = service.status(service.bank, &token).await;
    assert_eq!((status.failures, status.locked), (5, true));
    assert_eq!(status.last_accepted_at, Some(second(1_800_000_015)));
}

async fn a_token_that_nobody_knows_is_refused(engine: Engine) {
    let service = Service::new(engine);
    let mut stranger = service.token().await;
    let rows = service.require_whole().await;
    let code = stranger.code(service.step());
    stranger.id = warifu_credentials::credential_id::CredentialId::nth(
        warifu_wire::Platform::Cli,
        u64::try_from(stranger.id.to_stored()).unwrap() + 1,
    );
    let key = fresh_key();
    for _ in 0..2 {
        assert_eq!(
            service
                .check_as(&key, service.bank, &stranger, code.clone())
                .await,
            Err(Refusal::UnknownCredential)
        );
    }
    assert_eq!(
        service
            .stop_as(&fresh_key(), service.bank, &stranger, StopReason::Lost)
            .await,
        Err(Refusal::UnknownCredential)
    );
    assert_eq!(service.require_whole().await, rows);
}

async fn sixty_wrong_codes_sixteen_at_a_time_are_evaluated_exactly_five_times(engine: Engine) {
    let service = Service::new(engine);
    for _ in 0..3 {
        crate::race::sixty_wrong_codes(&service).await;
    }
    service.require_whole().await;
}

async fn a_lock_holds_at_one_relying_party_only_and_its_staff_open_it(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let (token, neighbour) = (service.token().await, service.token().await);
    let now = service.step();
    for _ in 0..5 {
        service.check_for(shop, &token, token.wrong_code(now)).await;
    }
    assert_eq!(
        service.check_for(shop, &token, token.code(now)).await,
        ValidateAnswer::Locked
    );
    // Another customer, and another relying party: nothing counts there.
    let answer = service.check_for(shop, &neighbour, neighbour.code(now));
    assert_eq!(answer.await, ValidateAnswer::Accepted);
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
    let answer = service.check(&token, token.wrong_code(now)).await;
    assert_eq!(answer, ValidateAnswer::Rejected { tries_left: 4 });
    // Nor does unlocking at one open the other.
    service.unlock(service.bank, &token).await;
    assert!(service.status(shop, &token).await.locked);
    service.unlock(shop, &token).await;
    assert_eq!(service.status(shop, &token).await.failures, 0);
    assert_eq!(
        service.check_for(shop, &token, token.code(now)).await,
        ValidateAnswer::Accepted
    );
}

async fn a_right_code_begins_the_count_anew(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let now = service.step();
    for _ in 0..4 {
        service.check(&token, token.wrong_code(now)).await;
    }
    // Neither a replay nor a far code counts, and neither forgives.
    let far = service.check(&token, token.code(now.offset(8))).await;
    assert_eq!(far, ValidateAnswer::ResyncNeeded);
    assert_eq!(service.status(service.bank, &token).await.failures, 4);
    let right = service.check(&token, token.code(now)).await;
    assert_eq!(right, ValidateAnswer::Accepted);
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
    let wrong = service.check(&token, token.wrong_code(now)).await;
    assert_eq!(wrong, ValidateAnswer::Rejected { tries_left: 4 });
    let replayed = service.check(&token, token.code(now)).await;
    assert_eq!(replayed, ValidateAnswer::Replayed);
    assert_eq!(service.status(service.bank, &token).await.failures, 1);
}

async fn a_malformed_code_counts_nothing(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token().await;
    let rows = service.require_whole().await;
    for text in ["1234567", "12345678"] {
        let key = fresh_key();
        for _ in 0..3 {
            let code = Code::parse(text).unwrap();
            let answer = service.check_as(&key, service.bank, &token, code).await;
            assert_eq!(answer, Err(Refusal::CodeLength(6)));
        }
        // The key was not used up: the customer's next try may have it.
        let wrong = token.wrong_code(service.step());
        let answer = service.check_as(&key, service.bank, &token, wrong).await;
        assert!(matches!(answer, Ok(ValidateAnswer::Rejected { .. })));
    }
    assert_eq!(service.status(service.bank, &token).await.failures, 2);
    assert_eq!(service.require_whole().await, rows + 2);
}

async fn a_revoked_key_is_refused_at_the_next_request_whatever_it_asks(engine: Engine) {
    let site = Site::new(engine);
    let names = ["status", "validate", "resync", "stop", "enable", "unlock"];
    let keys: Vec<_> = names.iter().map(|name| site.add_party(name)).collect();
    let server = site.serve();
    let token = server.client().token();
    let mut parties: Vec<_> = keys.iter().map(|key| server.party(key)).collect();
    for party in &mut parties {
        // The service remembers them all from now on.
        assert_eq!(party.status(token.id).status, 200);
    }
    for (name, party) in names.iter().zip(&mut parties) {
        site.warifu(&["relying-party", "revoke", name])
            .require_success();
        let step = now_step();
        let (first, second) = (token.text(step), token.text(step.offset(1)));
        let body = match *name {
            "validate" => format!(r#"{{"code":"{first}","purpose":"login"}}"#),
            "resync" => format!(r#"{{"first_code":"{first}","second_code":"{second}"}}"#),
            "stop" => r#"{"reason":"stolen"}"#.into(),
            _ => "{}".into(),
        };
        let reply = match *name {
            "status" => party.status(token.id),
            verb => party.post(token.id, verb, &fresh_key(), &body).unwrap(),
        };
        reply.require(401, ProblemType::Unauthorized);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn over_http_no_key_and_a_wrong_one_are_refused_before_anything_is_said() {
    let site = Site::new(Engine::Sqlite);
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    let almost = format!("{}A", &key[..key.len() - 1]);
    let other = if almost == key {
        format!("{}B", &key[..key.len() - 1])
    } else {
        almost
    };
    let path = format!("/v1/credentials/{}", token.id);
    let mut client = server.client();
    let mut ask = |headers: &[(&str, &str)]| client.request("GET", &path, headers, b"").unwrap();
    ask(&[]).require(401, ProblemType::Unauthorized);
    for value in [
        format!("Bearer {other}"),
        format!("Basic {key}"),
        key.clone(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Bearer {}", key.to_uppercase()),
    ] {
        ask(&[("Authorization", &value)]).require(401, ProblemType::Unauthorized);
    }
    let lower_case = format!("bearer {key}");
    assert_eq!(ask(&[("Authorization", &lower_case)]).status, 200);
    // Without a key nobody learns which tokens there are.
    client
        .get("/v1/credentials/WRCA12345671")
        .require(401, ProblemType::Unauthorized);
}

#[test]
fn over_http_an_id_is_read_as_people_type_it() {
    let site = Site::new(Engine::Sqlite);
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    let bearer = format!("Bearer {key}");
    let mut client = server.client();
    let mut ask = |id: &str| {
        let headers = [("Authorization", bearer.as_str())];
        client
            .request("GET", &format!("/v1/credentials/{id}"), &headers, b"")
            .unwrap()
    };
    let plain = token.id.to_string();
    let full_width: String = plain
        .chars()
        .map(|letter| char::from_u32(u32::from(letter) + 0xfee0).unwrap())
        .flat_map(|letter| letter.to_string().into_bytes())
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    for id in [
        plain.clone(),
        plain.to_lowercase(),
        token.id.grouped().replace(' ', "%20"),
        token.id.grouped().replace(' ', "-"),
        full_width,
    ] {
        assert_eq!(ask(&id).json()["credential_id"], plain, "{id}");
    }
    ask("WRCA12345671").require(404, ProblemType::UnknownCredential);
    for id in ["WRCA12345672", "WRXA12345671", "1", "%FF", "%00", "a%2Fb"] {
        let reply = ask(id);
        reply.require(422, ProblemType::InvalidField);
        assert_eq!(reply.problem().errors[0].field, "id", "{id}");
    }
}
