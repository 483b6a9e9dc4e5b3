//! Whoever wants to keep a customer out: with his ID, with the ID of his token, with wrong codes in his name (B17, S5).

use warifu::bank::{Confirmed, Given};
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::session::{Stage, Wizard};

use super::ground::Ground;
use crate::bank::sign_in::PASSWORD;
use crate::harness::Engine;

both_engines!(
    who_knows_only_the_id_spends_no_try_of_its_token,
    another_customer_cannot_lock_a_token_that_is_in_use,
    a_customer_cannot_lock_one_unregistered_token_after_the_other,
    a_registration_that_is_sent_many_times_at_once_has_to_wait_for_nothing,
    no_order_at_the_door_ends_a_session_without_the_password,
);

const VICTIM: &str = "12345678901";
const ATTACKER: &str = "12345678902";

async fn who_knows_only_the_id_spends_no_try_of_its_token(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(VICTIM, 1, 0).await;
    let token = ground.site.registered(contract).await;
    let half = ground.site.visitor(contract, Stage::AwaitingCode);
    let key = ground
        .site
        .bank()
        .show_sign_in(&half)
        .await
        .unwrap()
        .unwrap();
    let key = key.to_string();
    let mut stranger = ground.person("198.51.100.66");
    for number in 0..12 {
        let code = format!("{number:06}");
        let fields = [("key", key.as_str()), ("code", &code), ("id", VICTIM)];
        for path in [
            "/login/code",
            "/registration/token",
            "/registration/change",
            "/token-change/old",
            "/stop-use/confirm",
            "/loss/confirm",
        ] {
            let told = stranger.posts(path, &fields);
            assert!(told.starts_with('/'), "{path}: {told}");
        }
        let confirm = stranger.posts(&format!("/confirm/{key}"), &fields);
        assert_eq!(confirm, "/");
    }
    let service = &ground.site.service;
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
    ground.signed_in(VICTIM, Some(&token), "203.0.113.5");
    ground.close().await;
}

async fn another_customer_cannot_lock_a_token_that_is_in_use(engine: Engine) {
    let ground = Ground::new(engine).await;
    let victim = ground.customer(VICTIM, 1, 0).await;
    ground.customer(ATTACKER, 2, 0).await;
    let victims = ground.site.registered(victim).await;
    let id = victims.id.to_string();
    let login = [("id", ATTACKER), ("password", PASSWORD)];
    let mut attacker = ground.person("198.51.100.66");
    // As a registration of his own, again and again.
    for number in 0..8 {
        assert_eq!(
            attacker.posts("/registration", &login),
            "/registration/token"
        );
        let key = attacker.key_at("/registration/token");
        let code = format!("{number:06}");
        let fields = [("key", key.as_str()), ("token", &id), ("code", &code)];
        assert_eq!(attacker.posts("/registration/token", &fields), "422");
    }
    // As the new token of a change.
    let contract = ATTACKER.parse().unwrap();
    let own = ground.site.registered(contract).await;
    assert_eq!(attacker.posts("/token-change", &login), "/token-change/old");
    let key = attacker.key_at("/token-change/old");
    let code = ground.site.code(&own).to_string();
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    let next = attacker.posts("/token-change/old", &fields);
    assert!(next.starts_with("/token-change/new/"), "{next}");
    for number in 0..8 {
        let key = attacker.key_at(&next);
        let code = format!("{number:06}");
        let fields = [("key", key.as_str()), ("token", &id), ("code", &code)];
        assert_eq!(attacker.posts(&next, &fields), "422");
    }
    let service = &ground.site.service;
    let status = service.status(service.bank, &victims).await;
    assert_eq!(status.failures, 0);
    ground.signed_in(VICTIM, Some(&victims), "203.0.113.5");
    ground.close().await;
}

async fn a_customer_cannot_lock_one_unregistered_token_after_the_other(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(ATTACKER, 2, 0).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(ground.site.service.token().await);
    }
    let login = [("id", ATTACKER), ("password", PASSWORD)];
    let mut attacker = ground.person("198.51.100.66");
    let mut waits = 0;
    for number in 0..20 {
        assert_eq!(
            attacker.posts("/registration", &login),
            "/registration/token"
        );
        let key = attacker.key_at("/registration/token");
        let token = &tokens[number / 5];
        let id = token.id.to_string();
        let code = token.wrong_code(ground.site.service.step()).to_string();
        let fields = [
            ("key", key.as_str()),
            ("token", &id),
            ("code", code.as_str()),
        ];
        let reply = attacker.post("/registration/token", &fields);
        assert_eq!(reply.status, 422);
        waits += usize::from(reply.text().contains("30秒後に"));
    }
    assert_eq!(waits, 10);
    let service = &ground.site.service;
    let mut failures = Vec::new();
    for token in &tokens {
        failures.push(service.status(service.bank, token).await.failures);
    }
    assert_eq!(failures, [5, 5, 0, 0]);
    ground.close().await;
}

async fn a_registration_that_is_sent_many_times_at_once_has_to_wait_for_nothing(engine: Engine) {
    let ground = Ground::new(engine).await;
    let site = &ground.site;
    let contract = ground.customer(ATTACKER, 2, 0).await;
    let token = site.service.token().await;
    let visitor = site.visitor(contract, Stage::Wizard(Wizard::Registration));
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    let wrong = token.wrong_code(site.service.step());
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (bank, visitor) = (site.bank(), visitor.clone());
        let given = Given {
            code: Some(wrong.to_string().into()),
            ..Default::default()
        };
        tasks.push(tokio::spawn(async move {
            let confirmed = bank.confirm(&visitor, OrderKind::Registration, key, given);
            confirmed.await.unwrap()
        }));
    }
    for task in tasks {
        let answer = task.await.unwrap();
        let looked_at = matches!(
            answer,
            Confirmed::Code(CodeRefusal::Wrong { .. } | CodeRefusal::Locked)
                | Confirmed::Refused(Refusal::TooManyTries)
        );
        assert!(looked_at, "{answer:?}");
    }
    ground.close().await;
}

async fn no_order_at_the_door_ends_a_session_without_the_password(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(VICTIM, 1, 0).await;
    let mut victim = ground.signed_in(VICTIM, None, "203.0.113.5");
    let mut stranger = ground.person("198.51.100.66");
    let wrong = [("id", VICTIM), ("password", "guessed")];
    for path in [
        "/login",
        "/registration",
        "/token-change",
        "/stop-use",
        "/loss",
    ] {
        stranger.posts(path, &wrong);
        stranger.posts("/logout", &[("id", VICTIM)]);
        stranger.posts("/profile/emergency-stop", &wrong);
    }
    assert_eq!(victim.get("/top").status, 200);
    ground.close().await;
}
