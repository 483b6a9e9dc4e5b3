//! S6: from enabled to stopped and back.

use warifu_wire::{CredentialState, EnableAnswer, RefusalReason, StopReason, ValidateAnswer};

use crate::harness::{Engine, Service, fresh_key};

both_engines!(
    a_stopped_token_is_stopped_everywhere_and_its_codes_are_not_looked_at,
    a_stopped_token_comes_back_for_every_reason_but_theft,
    only_who_stopped_a_token_takes_it_back,
    the_first_reason_holds_but_theft_overrules_it,
    stopping_and_enabling_at_once_ends_in_one_state,
);

const RETURNING: [StopReason; 4] = [
    StopReason::Lost,
    StopReason::Replaced,
    StopReason::Left,
    StopReason::Other,
];

async fn a_stopped_token_is_stopped_everywhere_and_its_codes_are_not_looked_at(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let token = service.token().await;
    let now = service.step();
    service.stop(service.bank, &token, StopReason::Lost).await;
    for party in [service.bank, shop] {
        for code in [token.code(now), token.wrong_code(now)] {
            let answer = service.check_for(party, &token, code).await;
            assert_eq!(answer, ValidateAnswer::Stopped);
        }
        let status = service.status(party, &token).await;
        assert_eq!(
            (status.state, status.stop_reason, status.failures),
            (CredentialState::Stopped, Some(StopReason::Lost), 0)
        );
    }
    // Not looked at means not spent either.
    assert_eq!(
        service.enable(service.bank, &token).await,
        EnableAnswer::Enabled
    );
    let answer = service.check(&token, token.code(now)).await;
    assert_eq!(answer, ValidateAnswer::Accepted);
}

async fn a_stopped_token_comes_back_for_every_reason_but_theft(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token().await;
    assert_eq!(
        service.enable(service.bank, &token).await,
        EnableAnswer::Enabled,
        "it is already"
    );
    for reason in RETURNING {
        assert_eq!(service.stop(service.bank, &token, reason).await, reason);
        assert_eq!(
            service.enable(service.bank, &token).await,
            EnableAnswer::Enabled
        );
        let status = service.status(service.bank, &token).await;
        assert_eq!(
            (status.state, status.stop_reason),
            (CredentialState::Enabled, None)
        );
    }
    let stolen = StopReason::Stolen;
    assert_eq!(service.stop(service.bank, &token, stolen).await, stolen);
    let refused = EnableAnswer::Refused {
        reason: RefusalReason::Stolen,
    };
    for _ in 0..2 {
        assert_eq!(service.enable(service.bank, &token).await, refused);
        let answer = service.check(&token, token.code(service.step())).await;
        assert_eq!(answer, ValidateAnswer::Stopped);
    }
}

async fn only_who_stopped_a_token_takes_it_back(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let token = service.token().await;
    service.stop(shop, &token, StopReason::Lost).await;
    // A second stop does not make another the stopper.
    service.stop(service.bank, &token, StopReason::Left).await;
    assert_eq!(
        service.enable(service.bank, &token).await,
        EnableAnswer::Refused {
            reason: RefusalReason::StoppedByAnother
        }
    );
    assert_eq!(service.enable(shop, &token).await, EnableAnswer::Enabled);
}

async fn the_first_reason_holds_but_theft_overrules_it(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let token = service.token().await;
    service.stop(service.bank, &token, StopReason::Lost).await;
    let held = service.stop(shop, &token, StopReason::Replaced).await;
    assert_eq!(held, StopReason::Lost);
    let held = service.stop(shop, &token, StopReason::Stolen).await;
    assert_eq!(held, StopReason::Stolen);
    for reason in RETURNING {
        let held = service.stop(service.bank, &token, reason).await;
        assert_eq!(held, StopReason::Stolen);
    }
    for party in [service.bank, shop] {
        let refused = service.enable(party, &token).await;
        assert_eq!(
            refused,
            EnableAnswer::Refused {
                reason: RefusalReason::Stolen
            }
        );
    }
}

/// Whoever is last wins, and nobody is told what does not hold: no step fails for another's.
async fn stopping_and_enabling_at_once_ends_in_one_state(engine: Engine) {
    let service = Service::new(engine);
    for _ in 0..5 {
        let token = service.token().await;
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let (running, bank, token) = (service.running(), service.bank, token.clone());
                tokio::spawn(async move {
                    let relation = warifu::service::Relation {
                        party: bank,
                        credential: token.id,
                    };
                    let key = fresh_key().parse().unwrap();
                    match number % 3 {
                        0 => running.enable(relation, &key).await.map(|_| ()),
                        1 => running
                            .stop(relation, &key, StopReason::Stolen)
                            .await
                            .map(|_| ()),
                        _ => running
                            .stop(relation, &key, StopReason::Lost)
                            .await
                            .map(|_| ()),
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let status = service.status(service.bank, &token).await;
        assert_eq!(status.stop_reason, Some(StopReason::Stolen));
    }
    service.require_whole().await;
}
