//! B9, B12, M4: days in Japan, with a clock that stands where it is put.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use warifu::bank::{Confirmed, Visitor};
use warifu_bank::account::OTHER_BANKS;
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::session::Stage;
use warifu_bank::uid::Uid;

use super::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, Token, customer_account};

both_engines!(
    a_dated_transfer_is_sent_at_the_start_of_its_day_and_not_a_millisecond_before,
    of_several_copies_that_send_what_is_due_each_transfer_is_sent_by_one,
    short_of_funds_it_is_not_sent_and_the_customer_is_told,
    a_dated_transfer_is_cancelled_with_a_code_until_the_day_before,
    a_raised_limit_holds_from_the_next_day_and_the_limit_counts_by_day,
    a_limit_that_is_asked_for_later_holds_also_when_the_clock_stepped_back,
    a_transfer_of_today_that_is_confirmed_after_midnight_is_refused,
    a_loss_cancels_what_is_still_to_be_sent,
);

/// 00:00:00.000 JST of the day after the story's first.
fn midnight(site: &BankSite) -> Timestamp {
    jst::start_of(tomorrow(site)).unwrap()
}

fn tomorrow(site: &BankSite) -> Date {
    jst::next_day(jst::day(site.now())).unwrap()
}

fn a_millisecond_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_millis(1)).unwrap()
}

/// A customer whose token was registered long ago.
async fn customer(engine: Engine, yen: i64) -> (BankSite, Visitor, Token) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, yen);
    let token = site.registered(contract).await;
    site.service.clock.advance(25 * 3600);
    let visitor = site.visitor(contract, Stage::Full);
    (site, visitor, token)
}

async fn confirmed(site: &BankSite, visitor: &Visitor, token: &Token, order: Order) -> Uid {
    let kind = order.kind();
    let key = site.show(visitor, &order).await;
    let done = site
        .confirm(visitor, kind, key, Some(site.code(token)))
        .await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    site.next_code();
    key
}

fn states(site: &BankSite, state: i64) -> i64 {
    let sql = match state {
        0 => "SELECT COUNT(*) FROM transfers WHERE state = 0",
        1 => "SELECT COUNT(*) FROM transfers WHERE state = 1",
        2 => "SELECT COUNT(*) FROM transfers WHERE state = 2",
        _ => "SELECT COUNT(*) FROM transfers WHERE state = 3",
    };
    site.place.count(sql)
}

async fn a_dated_transfer_is_sent_at_the_start_of_its_day_and_not_a_millisecond_before(
    engine: Engine,
) {
    let (site, visitor, token) = customer(engine, 100_000).await;
    let start = midnight(&site);
    let order = Order::Transfer(to_other_bank(10_000, 165, tomorrow(&site)));
    confirmed(&site, &visitor, &token, order).await;
    assert_eq!(
        site.balance(customer_account(1)),
        100_000,
        "no money is held back"
    );
    site.service.clock.set(a_millisecond_before(start));
    assert_eq!(site.bank().send_due().await.unwrap(), 0);
    assert_eq!(states(&site, 0), 1);
    site.service.clock.set(start);
    assert_eq!(site.bank().send_due().await.unwrap(), 1);
    assert_eq!(site.balance(customer_account(1)), 89_835);
    assert_eq!(site.balance(OTHER_BANKS), 10_000);
    assert_eq!(site.bank().send_due().await.unwrap(), 0);
    assert!(site.verify().is_clean());
}

async fn of_several_copies_that_send_what_is_due_each_transfer_is_sent_by_one(engine: Engine) {
    let (site, visitor, token) = customer(engine, 1_000_000).await;
    let start = midnight(&site);
    for amount in 1..=6 {
        let order = Order::Transfer(to_other_bank(amount * 1_000, 165, tomorrow(&site)));
        confirmed(&site, &visitor, &token, order).await;
    }
    site.service.clock.set(start);
    let copies: Vec<_> = (0..8)
        .map(|_| {
            let bank = Arc::clone(&site.bank());
            tokio::spawn(async move { bank.send_due().await.unwrap() })
        })
        .collect();
    let mut sent = 0;
    for copy in copies {
        sent += copy.await.unwrap();
    }
    assert_eq!(sent, 6);
    assert_eq!(site.balance(OTHER_BANKS), 21_000);
    assert_eq!(
        site.place
            .count("SELECT COUNT(*) FROM journals WHERE kind = 2"),
        6
    );
    assert!(site.verify().is_clean());
}

async fn short_of_funds_it_is_not_sent_and_the_customer_is_told(engine: Engine) {
    let (site, visitor, token) = customer(engine, 10_000).await;
    let start = midnight(&site);
    for _ in 0..2 {
        let order = Order::Transfer(to_other_bank(6_000, 165, tomorrow(&site)));
        confirmed(&site, &visitor, &token, order).await;
    }
    site.service.clock.set(start);
    assert_eq!(site.bank().send_due().await.unwrap(), 2);
    assert_eq!((states(&site, 1), states(&site, 3)), (1, 1));
    assert_eq!(site.balance(customer_account(1)), 3_835);
    for told in [
        "SELECT COUNT(*) FROM notices WHERE event LIKE '%short_of_funds%'",
        "SELECT COUNT(*) FROM mail_outbox WHERE event LIKE '%short_of_funds%'",
    ] {
        assert_eq!(site.place.count(told), 1);
    }
    assert!(site.verify().is_clean(), "what was not sent used no limit");
}

async fn a_dated_transfer_is_cancelled_with_a_code_until_the_day_before(engine: Engine) {
    let (site, visitor, token) = customer(engine, 100_000).await;
    let start = midnight(&site);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let order = Order::Transfer(to_other_bank(1_000, 165, tomorrow(&site)));
        keys.push(confirmed(&site, &visitor, &token, order).await);
    }
    let cancel = |key: &Uid| Order::TransferCancel {
        transfer: key.to_string(),
    };
    site.service.clock.set(a_millisecond_before(start));
    let visitor = site.visitor(visitor.session.contract, Stage::Full);
    confirmed(&site, &visitor, &token, cancel(&keys[0])).await;
    site.service.clock.set(start);
    let kind = OrderKind::TransferCancel;
    for key in &keys {
        let shown = site
            .bank()
            .show(&visitor, kind, Some(cancel(key)))
            .await
            .unwrap();
        assert_eq!(shown.unwrap_err(), Refusal::NotCancellable);
    }
    assert_eq!(site.bank().send_due().await.unwrap(), 1);
    assert_eq!((states(&site, 1), states(&site, 2)), (1, 1));
}

async fn a_raised_limit_holds_from_the_next_day_and_the_limit_counts_by_day(engine: Engine) {
    let (site, visitor, token) = customer(engine, 9_000_000).await;
    let start = midnight(&site);
    confirmed(
        &site,
        &visitor,
        &token,
        Order::LimitChange { to: 2_000_000 },
    )
    .await;
    site.service.clock.set(a_millisecond_before(start));
    let visitor = site.visitor(visitor.session.contract, Stage::Full);
    let transfer = |amount| {
        let fee = if amount < 30_000 { 165 } else { 330 };
        Order::Transfer(to_other_bank(amount, fee, jst::day(site.now())))
    };
    let refused = |amount| {
        let order = transfer(amount);
        let (bank, visitor) = (site.bank(), visitor.clone());
        async move {
            bank.show(&visitor, OrderKind::Transfer, Some(order))
                .await
                .unwrap()
                .err()
        }
    };
    let over = |left| {
        Some(Refusal::OverLimit {
            left,
            caution: false,
        })
    };
    assert_eq!(refused(1_000_001).await, over(1_000_000));
    let key = site.show(&visitor, &transfer(1_000_000)).await;
    let done = site
        .confirm(&visitor, OrderKind::Transfer, key, Some(site.code(&token)))
        .await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    assert_eq!(refused(1).await, over(0), "the day's limit is used up");
    site.service.clock.set(start);
    assert_eq!(
        refused(2_000_001).await,
        over(2_000_000),
        "another day, and the raise holds"
    );
    assert_eq!(refused(2_000_000).await, None);
    // Lowered at once.
    site.next_code();
    confirmed(&site, &visitor, &token, Order::LimitChange { to: 500_000 }).await;
    assert_eq!(refused(500_001).await, over(500_000));
    assert!(site.verify().is_clean());
}

async fn a_limit_that_is_asked_for_later_holds_also_when_the_clock_stepped_back(engine: Engine) {
    let (site, visitor, token) = customer(engine, 9_000_000).await;
    confirmed(&site, &visitor, &token, Order::LimitChange { to: 2_000 }).await;
    let next = site.code(&token);
    // A second before the first change.
    site.service.clock.advance(-31);
    let order = Order::LimitChange { to: 1_000 };
    let key = site.show(&visitor, &order).await;
    let done = site.confirm(&visitor, order.kind(), key, Some(next)).await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    let order = Order::Transfer(to_other_bank(1_001, 165, jst::day(site.now())));
    let shown = site.bank().show(&visitor, order.kind(), Some(order)).await;
    let over = Refusal::OverLimit {
        left: 1_000,
        caution: false,
    };
    assert_eq!(shown.unwrap().err(), Some(over));
}

async fn a_transfer_of_today_that_is_confirmed_after_midnight_is_refused(engine: Engine) {
    let (site, visitor, token) = customer(engine, 100_000).await;
    let start = midnight(&site);
    site.service.clock.set(a_millisecond_before(start));
    let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
    let key = site.show(&visitor, &order).await;
    site.service.clock.set(start);
    let answer = site
        .confirm(&visitor, OrderKind::Transfer, key, Some(site.code(&token)))
        .await;
    assert_eq!(answer, Confirmed::Refused(Refusal::DateOutOfRange));
    assert_eq!(site.balance(customer_account(1)), 100_000);
}

async fn a_loss_cancels_what_is_still_to_be_sent(engine: Engine) {
    let (site, visitor, token) = customer(engine, 100_000).await;
    let start = midnight(&site);
    let order = Order::Transfer(to_other_bank(1_000, 165, tomorrow(&site)));
    confirmed(&site, &visitor, &token, order).await;
    let key = site
        .show(&visitor, &Order::LossStop { stolen: false })
        .await;
    let stopped = site.confirm(&visitor, OrderKind::LossStop, key, None).await;
    assert!(matches!(stopped, Confirmed::Done(..)), "{stopped:?}");
    site.service.clock.set(start);
    assert_eq!(site.bank().send_due().await.unwrap(), 0);
    assert_eq!(states(&site, 2), 1);
    assert_eq!(site.balance(customer_account(1)), 100_000);
}
