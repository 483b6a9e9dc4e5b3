//! S4: the window, the drift that is learned, and the resync.

use warifu_wire::{ResyncAnswer, StopReason, ValidateAnswer};

use crate::harness::{Engine, Service, Token};

both_engines!(
    a_code_is_good_one_step_around_the_services_clock_and_no_further,
    a_slow_drift_is_learned_and_bounded,
    a_resync_reaches_twenty_steps_either_way_and_no_further,
    the_codes_of_a_resync_are_spent,
    a_used_code_is_no_good_for_a_resync,
    failed_resyncs_count_and_lock_and_a_right_one_forgives,
    a_locked_or_stopped_token_is_not_resynchronised,
);

async fn a_code_is_good_one_step_around_the_services_clock_and_no_further(engine: Engine) {
    let service = Service::new(engine);
    let now = service.step();
    for (offset, expected) in [
        (-21, ValidateAnswer::Rejected { tries_left: 4 }),
        (-20, ValidateAnswer::ResyncNeeded),
        (-2, ValidateAnswer::ResyncNeeded),
        (-1, ValidateAnswer::Accepted),
        (0, ValidateAnswer::Accepted),
        (1, ValidateAnswer::Accepted),
        (2, ValidateAnswer::ResyncNeeded),
        (20, ValidateAnswer::ResyncNeeded),
        (21, ValidateAnswer::Rejected { tries_left: 4 }),
    ] {
        let token = service.token_that_tells_apart().await;
        let answer = service.check(&token, token.code(now.offset(offset))).await;
        assert_eq!(answer, expected, "{offset}");
    }
}

/// A token whose clock gains half a step a minute, say: each code that is seen moves the window.
async fn a_slow_drift_is_learned_and_bounded(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    for drift in 1..=10 {
        service.clock.advance(60);
        let code = token.code(service.step().offset(drift));
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Accepted);
        let learned = service.status(service.bank, &token).await.drift;
        assert_eq!(i64::from(learned), drift);
    }
    // Eleven is inside the window around ten, but not kept.
    service.clock.advance(60);
    let eleven = token.code(service.step().offset(11));
    assert_eq!(
        service.check(&token, eleven).await,
        ValidateAnswer::Accepted
    );
    assert_eq!(service.status(service.bank, &token).await.drift, 10);
    service.clock.advance(60);
    let twelve = token.code(service.step().offset(12));
    assert_eq!(
        service.check(&token, twelve).await,
        ValidateAnswer::ResyncNeeded
    );
    // And back again with a clock that is set right, one step after the other.
    for drift in (0..10).rev() {
        service.clock.advance(300);
        let code = token.code(service.step().offset(drift));
        assert_eq!(
            service.check(&token, code).await,
            ValidateAnswer::Accepted,
            "{drift}"
        );
    }
    assert_eq!(service.status(service.bank, &token).await.drift, 0);
}

async fn resync_at(service: &Service, token: &Token, offset: i64) -> ResyncAnswer {
    let first = service.step().offset(offset);
    service
        .resync(token, token.code(first), token.code(first.offset(1)))
        .await
}

async fn a_resync_reaches_twenty_steps_either_way_and_no_further(engine: Engine) {
    let service = Service::new(engine);
    for (first, drift) in [(-20, -19), (0, 1), (19, 20)] {
        let token = service.token_that_tells_apart().await;
        let answer = resync_at(&service, &token, first).await;
        assert_eq!(answer, ResyncAnswer::Resynchronised { drift }, "{first}");
        // From then on its codes are good, as far off as it is.
        service.clock.advance(60);
        let now = service.step().offset(i64::from(drift));
        let next = service.check(&token, token.code(now)).await;
        assert_eq!(next, ValidateAnswer::Accepted);
        let kept = service.status(service.bank, &token).await.drift;
        assert_eq!(kept, drift, "a validation moves no large drift outwards");
        service.clock.advance(-60);
    }
    for first in [-21, 20] {
        let token = service.token_that_tells_apart().await;
        let answer = resync_at(&service, &token, first).await;
        assert_eq!(answer, ResyncAnswer::Rejected { tries_left: 4 }, "{first}");
    }
    // Two right codes that are not one after the other prove nothing.
    let token = service.token_that_tells_apart().await;
    let now = service.step();
    let (first, third) = (token.code(now), token.code(now.offset(2)));
    for (first, second) in [
        (first.clone(), third.clone()),
        (token.code(now.offset(1)), first.clone()),
        (first.clone(), first),
    ] {
        let answer = service.resync(&token, first, second).await;
        assert!(matches!(answer, ResyncAnswer::Rejected { .. }));
    }
}

async fn the_codes_of_a_resync_are_spent(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let first = service.step().offset(7);
    assert_eq!(
        resync_at(&service, &token, 7).await,
        ResyncAnswer::Resynchronised { drift: 8 }
    );
    for step in [first, first.offset(1)] {
        let answer = service.check(&token, token.code(step)).await;
        assert_eq!(answer, ValidateAnswer::Replayed);
    }
    assert_eq!(resync_at(&service, &token, 7).await, ResyncAnswer::Replayed);
    let next = service.check(&token, token.code(first.offset(2))).await;
    assert_eq!(next, ValidateAnswer::Accepted);
}

async fn a_used_code_is_no_good_for_a_resync(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let used = service.check(&token, token.code(service.step())).await;
    assert_eq!(used, ValidateAnswer::Accepted);
    for first in [-5, -1, 0] {
        assert_eq!(
            resync_at(&service, &token, first).await,
            ResyncAnswer::Replayed,
            "{first}"
        );
    }
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
    assert_eq!(
        resync_at(&service, &token, 1).await,
        ResyncAnswer::Resynchronised { drift: 2 }
    );
}

async fn failed_resyncs_count_and_lock_and_a_right_one_forgives(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    let wrong = token.wrong_code(service.step());
    let answer = service.check(&token, wrong.clone()).await;
    assert_eq!(answer, ValidateAnswer::Rejected { tries_left: 4 });
    for tries_left in [3, 2, 1] {
        let answer = service.resync(&token, wrong.clone(), wrong.clone()).await;
        assert_eq!(answer, ResyncAnswer::Rejected { tries_left });
    }
    assert_eq!(
        resync_at(&service, &token, 3).await,
        ResyncAnswer::Resynchronised { drift: 4 }
    );
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
    for tries_left in (0..5).rev() {
        let answer = service.resync(&token, wrong.clone(), wrong.clone()).await;
        assert_eq!(answer, ResyncAnswer::Rejected { tries_left });
    }
    let answer = service.resync(&token, wrong.clone(), wrong).await;
    assert_eq!(answer, ResyncAnswer::Locked);
}

async fn a_locked_or_stopped_token_is_not_resynchronised(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token_that_tells_apart().await;
    for _ in 0..5 {
        let wrong = token.wrong_code(service.step());
        service.check(&token, wrong).await;
    }
    assert_eq!(resync_at(&service, &token, 3).await, ResyncAnswer::Locked);
    service.stop(service.bank, &token, StopReason::Other).await;
    assert_eq!(resync_at(&service, &token, 3).await, ResyncAnswer::Stopped);
    assert_eq!(service.status(service.bank, &token).await.drift, 0);
}
