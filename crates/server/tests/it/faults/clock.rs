//! A clock that is moved by hours, and back: no code is good twice, nothing is done twice, nothing stays open or shut.

use jiff::SignedDuration;
use warifu::ambient::{Clock as _, SystemClock};
use warifu::bank::{Confirmed, NoSession, SignIn};
use warifu::bank_verify::verify;
use warifu::service::Provisioned;
use warifu_bank::account::OTHER_BANKS;
use warifu_bank::jst;
use warifu_bank::operation::Order;
use warifu_bank::session::{Expired, Stage, Wizard};
use warifu_credentials::throttle::Rate;
use warifu_wire::{Platform, ValidateAnswer};

use super::*;
use crate::bank::transfer::to_other_bank;
use crate::harness::{BankSite, Beginning, Service, customer_account};

both_engines!(
    a_code_that_was_spent_is_not_good_again_whatever_the_clock_does,
    a_lock_stays_and_a_throttle_opens_again_whatever_the_clock_did,
    a_session_and_a_lane_do_not_stay_open_or_shut_when_the_clock_goes_back,
    a_dated_transfer_is_sent_once_when_its_day_comes_twice,
    a_mail_and_a_stop_from_a_clock_that_was_ahead_wait_for_nothing,
    a_start_with_a_clock_behind_the_trail_is_told_in_the_log,
);

const HOURS: i64 = 3600;

async fn a_code_that_was_spent_is_not_good_again_whatever_the_clock_does(engine: Engine) {
    let service = Service::new(engine);
    let (token, unused) = (service.token().await, service.token().await);
    let now = service.clock.now();
    let at_first = token.code(service.step());
    let accepted = ValidateAnswer::Accepted;
    assert_eq!(service.check(&token, at_first.clone()).await, accepted);

    service.clock.advance(5 * HOURS);
    // A token that follows the service's time, as tokens that are online do.
    let ahead = token.code(service.step());
    assert_eq!(service.check(&token, ahead.clone()).await, accepted);
    assert_ne!(service.check(&token, at_first.clone()).await, accepted);

    service.clock.set(now);
    for code in [&at_first, &ahead] {
        assert_ne!(service.check(&token, code.clone()).await, accepted);
    }
    // Its steps up to the spent one are past: the service says so, and does not take them for wrong.
    service.clock.advance(60);
    let of_now = token.code(service.step());
    assert_eq!(
        service.check(&token, of_now).await,
        ValidateAnswer::Replayed
    );
    // Nobody else is concerned.
    assert_eq!(
        service.check(&unused, unused.code(service.step())).await,
        accepted
    );
    let fresh = service.token().await;
    assert_eq!(
        service.check(&fresh, fresh.code(service.step())).await,
        accepted
    );

    // Back by hours beyond where it began, and forth again.
    service.clock.set(now);
    service.clock.advance(-5 * HOURS);
    for token in [&token, &unused, &fresh] {
        let code = token.code(service.step());
        assert_eq!(service.check(token, code).await, ValidateAnswer::Replayed);
    }
    service.clock.set(now);
    service.clock.advance(5 * HOURS);
    assert_ne!(service.check(&token, ahead).await, accepted);
    service.clock.advance(30);
    assert_eq!(
        service.check(&token, token.code(service.step())).await,
        accepted
    );
    service.require_whole().await;
}

async fn a_lock_stays_and_a_throttle_opens_again_whatever_the_clock_did(engine: Engine) {
    let rate = Rate {
        burst: 3,
        interval: SignedDuration::from_secs(10),
    };
    let service = Service::with_rate(engine, rate);
    let token = service.token().await;
    let now = service.clock.now();
    for code in token.wrong_codes(service.step()).take(5) {
        service.check(&token, code).await;
    }
    for moved in [0, 5, -5] {
        service.clock.set(now);
        service.clock.advance(moved * HOURS);
        let code = token.code(service.step());
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Locked);
    }
    service.clock.set(now);
    service.clock.advance(5 * HOURS);
    let provision = async || {
        let beginning = Beginning::new();
        let done = service
            .provision(&beginning, Platform::Web, "192.0.2.9")
            .await;
        matches!(done, Provisioned::Done(_))
    };
    for allowed in [true, true, true, false] {
        assert_eq!(provision().await, allowed);
    }
    service.clock.set(now);
    for allowed in [true, true, true, false] {
        assert_eq!(provision().await, allowed);
    }
    service.require_whole().await;
}

async fn a_session_and_a_lane_do_not_stay_open_or_shut_when_the_clock_goes_back(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let now = site.now();
    site.service.clock.advance(5 * HOURS);
    let secret = site.cookie(contract, Stage::Full);
    let bank = site.bank();
    let standing = async || bank.visitor(&secret, "192.0.2.1").await.unwrap().map(drop);
    assert_eq!(standing().await, Ok(()));
    let sign_in = async |password: &'static str| {
        let caller = crate::bank::sign_in::caller();
        let id = contract.to_string();
        bank.sign_in(&id, password, None, &caller).await.unwrap()
    };
    for _ in 0..9 {
        assert!(!matches!(sign_in("wrong").await, SignIn::Begun(..)));
    }
    let right = crate::bank::sign_in::PASSWORD;
    assert!(matches!(sign_in(right).await, SignIn::Wait(_)));

    site.service.clock.set(now);
    let idle = Err(NoSession::Expired(Expired::Idle));
    assert_eq!(standing().await, idle);
    assert!(matches!(sign_in(right).await, SignIn::Begun(..)));
    let secret = site.cookie(contract, Stage::Full);
    site.service.clock.advance(5 * HOURS);
    let found = bank.visitor(&secret, "192.0.2.1").await.unwrap().map(drop);
    assert_eq!(found, idle);
}

async fn a_dated_transfer_is_sent_once_when_its_day_comes_twice(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    site.service.clock.advance(25 * HOURS);
    let visitor = site.visitor(contract, Stage::Full);
    let now = site.now();
    let tomorrow = jst::next_day(jst::day(now)).unwrap();
    let order = Order::Transfer(to_other_bank(10_000, 165, tomorrow));
    let key = site.show(&visitor, &order).await;
    let code = Some(site.code(&token));
    site.confirm(&visitor, order.kind(), key, code).await;
    let bank = site.bank();
    assert_eq!(bank.send_due().await.unwrap(), 0);
    for (days, sent) in [(1, 1), (0, 0), (-2, 0), (1, 0), (3, 0)] {
        site.service.clock.set(now);
        site.service.clock.advance(days * 24 * HOURS);
        assert_eq!(bank.send_due().await.unwrap(), sent, "{days} days on");
    }
    assert_eq!(site.balance(customer_account(1)), 100_000 - 10_165);
    assert_eq!(site.balance(OTHER_BANKS), 10_000);
    let report = site.place.with(|connection| verify(connection).unwrap());
    assert_eq!(report.faults, Vec::<String>::new());
}

async fn a_mail_and_a_stop_from_a_clock_that_was_ahead_wait_for_nothing(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let now = site.now();
    site.service.clock.advance(5 * HOURS);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Wizard(Wizard::Loss));
    let stop = Order::LossStop { stolen: true };
    let key = site.show(&visitor, &stop).await;
    let done = site.confirm(&visitor, stop.kind(), key, None).await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    site.service.clock.set(now);
    let bank = site.bank();
    let due = site
        .place
        .with(|connection| connection.read(|tx| warifu::bank_store::outbox::any_due(tx, now)));
    assert!(due.unwrap());
    assert_eq!(bank.tell_token_service().await.unwrap(), 1);
    let code = token.code(site.service.step());
    assert_eq!(
        site.service.check(&token, code).await,
        ValidateAnswer::Stopped
    );
}

async fn a_start_with_a_clock_behind_the_trail_is_told_in_the_log(engine: Engine) {
    let service = Service::new(engine);
    let key = known_party(&service.place, service.clock.now());
    service.clock.set(SystemClock.now());
    service.clock.advance(3 * HOURS);
    let token = service.token().await;
    let code = token.code(service.step());
    assert_eq!(service.check(&token, code).await, ValidateAnswer::Accepted);
    let site = Site::on(service.into_place(), "", "info", "");
    let server = site.serve();
    let log = server.log();
    assert!(
        log.contains("behind the newest row of the audit trail"),
        "{log}"
    );
    // It works all the same, and takes no code that was spent.
    let other = server.client().token();
    let mut party = server.party(&key);
    assert_eq!(ask(&mut party, &other).answer.as_deref(), Some("accepted"));
    assert_eq!(ask(&mut party, &token).answer.as_deref(), Some("replayed"));
    site.require_whole();
}
