//! B8, B10, B18, M2–M4: transfers.

use jiff::civil::Date;
use warifu::bank::{Confirmed, Given, Visitor};
use warifu::otp_link::OtpLink;
use warifu_bank::account::{AccountKind, FEES, OTHER_BANKS};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind, Refusal, request_id};
use warifu_bank::otp_policy::{CodeRefusal, OtpVerifier as _, Verdict};
use warifu_bank::session::Stage;
use warifu_bank::transfer::{Payee, TransferOrder};
use warifu_bank::uid::Uid;
use warifu_wire::ValidateAnswer;

use crate::harness::{BankSite, Engine, Token, customer_account};

both_engines!(
    a_transfer_moves_amount_and_fee_once_however_often_it_is_sent,
    a_transfer_inside_the_bank_arrives,
    a_code_for_one_transfer_confirms_no_other_and_not_the_same_with_one_yen_more,
    the_code_of_the_login_is_refused_at_a_transfer_with_the_seconds_to_wait,
    without_a_registered_token_no_transfer_is_shown,
    a_transfer_beyond_the_balance_or_the_limit_is_refused_before_a_code_is_spent,
    the_day_after_a_registration_the_cap_is_lifted,
    of_eight_transfers_at_once_as_many_go_as_the_balance_bears,
    of_eight_transfers_at_once_as_many_go_as_the_days_limit_bears,
    a_limit_that_is_lowered_among_transfers_holds_for_those_that_follow,
);

pub(crate) fn to_other_bank(amount: i64, fee: i64, date: Date) -> TransferOrder {
    TransferOrder {
        from: customer_account(1),
        to: Payee {
            bank: "0001".into(),
            branch: "001".into(),
            kind: AccountKind::Ordinary,
            number: "1234567".parse().unwrap(),
            name: "ﾐﾎﾝｼﾖｳｼﾞ(ｶ".into(),
        },
        amount,
        fee,
        date,
        remember: false,
    }
}

async fn a_transfer_moves_amount_and_fee_once_however_often_it_is_sent(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let order = Order::Transfer(to_other_bank(30_000, 330, jst::day(site.now())));
    let key = site.show(&visitor, &order).await;
    let code = site.code(&token);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (bank, visitor, code) = (site.bank(), visitor.clone(), code.clone());
            tokio::spawn(async move {
                let given = Given {
                    code: Some(code.to_string().into()),
                    ..Given::default()
                };
                bank.confirm(&visitor, OrderKind::Transfer, key, given)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(matches!(answers[0], Confirmed::Done(..)), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(site.balance(customer_account(1)), 69_670);
    assert_eq!(site.balance(OTHER_BANKS), 30_000);
    assert_eq!(site.balance(FEES), 330);
    assert_eq!(site.place.count("SELECT COUNT(*) FROM transfers"), 1);
    assert_eq!(
        site.place
            .count("SELECT CAST(SUM(amount) AS BIGINT) FROM entries"),
        0
    );
}

async fn a_transfer_inside_the_bank_arrives(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    site.contract("12345678902", 2, 0);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let mut order = to_other_bank(30_000, 0, jst::day(site.now()));
    order.to = Payee {
        bank: "9999".into(),
        branch: "101".into(),
        kind: AccountKind::Ordinary,
        number: "2".parse().unwrap(),
        name: "ﾐﾎﾝ ﾀﾛｳ".into(),
    };
    let bank = site.bank();
    let refused = bank.show(
        &visitor,
        OrderKind::Transfer,
        Some(Order::Transfer(order.clone())),
    );
    assert_eq!(refused.await.unwrap().unwrap_err(), Refusal::NoSuchPayee);
    order.to.name = "ﾐﾎﾝﾊﾅｺ".into();
    let key = site.show(&visitor, &Order::Transfer(order)).await;
    let code = site.code(&token);
    let answer = site
        .confirm(&visitor, OrderKind::Transfer, key, Some(code))
        .await;
    assert!(matches!(answer, Confirmed::Done(..)), "{answer:?}");
    assert_eq!(site.balance(customer_account(2)), 30_000);
    assert_eq!(site.balance(customer_account(1)), 70_000);
}

async fn a_code_for_one_transfer_confirms_no_other_and_not_the_same_with_one_yen_more(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let today = jst::day(site.now());
    let first = site
        .show(&visitor, &Order::Transfer(to_other_bank(1_000, 165, today)))
        .await;
    let more = site
        .show(&visitor, &Order::Transfer(to_other_bank(1_001, 165, today)))
        .await;
    let same = site
        .show(&visitor, &Order::Transfer(to_other_bank(1_000, 165, today)))
        .await;
    let code = site.code(&token);
    let confirm = |key| site.confirm(&visitor, OrderKind::Transfer, key, Some(code.clone()));
    assert!(matches!(confirm(first).await, Confirmed::Done(..)));
    for other in [more, same] {
        assert_eq!(
            confirm(other).await,
            Confirmed::Code(CodeRefusal::Used { wait_seconds: 15 })
        );
    }
    // The order that a code was given for cannot be exchanged behind it.
    let given = Given {
        order: Some(Order::Transfer(to_other_bank(1_001, 165, today))),
        code: Some(code.to_string().into()),
        ..Given::default()
    };
    let answer = site
        .bank()
        .confirm(&visitor, OrderKind::Transfer, more, given)
        .await
        .unwrap();
    assert!(matches!(answer, Confirmed::Code(CodeRefusal::Used { .. })));
    assert_eq!(site.balance(customer_account(1)), 98_835);
}

async fn the_code_of_the_login_is_refused_at_a_transfer_with_the_seconds_to_wait(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    let code = site.code(&token);
    let visitor = site.signed_in(contract, Some(code.clone())).await;
    let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
    let key = site.show(&visitor, &order).await;
    let confirm = |code| site.confirm(&visitor, OrderKind::Transfer, key, Some(code));
    assert_eq!(
        confirm(code).await,
        Confirmed::Code(CodeRefusal::Used { wait_seconds: 15 })
    );
    site.next_code();
    assert!(matches!(
        confirm(site.code(&token)).await,
        Confirmed::Done(..)
    ));
}

async fn without_a_registered_token_no_transfer_is_shown(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let visitor = site.visitor(contract, Stage::Full);
    let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
    let refused = site
        .bank()
        .show(&visitor, OrderKind::Transfer, Some(order))
        .await;
    assert_eq!(refused.unwrap().unwrap_err(), Refusal::NeedsRegistration);
}

async fn a_transfer_beyond_the_balance_or_the_limit_is_refused_before_a_code_is_spent(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 50_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let today = jst::day(site.now());
    for (amount, fee, refusal) in [
        (49_671, 330, Refusal::ShortOfFunds),
        (
            100_001,
            330,
            Refusal::OverLimit {
                left: 100_000,
                caution: true,
            },
        ),
        (1_000, 0, Refusal::FeeChanged),
        (0, 165, Refusal::BadAmount),
    ] {
        let order = Order::Transfer(to_other_bank(amount, fee, today));
        let shown = site
            .bank()
            .show(&visitor, OrderKind::Transfer, Some(order))
            .await;
        assert_eq!(shown.unwrap().unwrap_err(), refusal);
    }
    let order = Order::Transfer(to_other_bank(49_670, 330, today));
    let key = site.show(&visitor, &order).await;
    let answer = site
        .confirm(&visitor, OrderKind::Transfer, key, Some(site.code(&token)))
        .await;
    assert!(matches!(answer, Confirmed::Done(..)), "{answer:?}");
    assert_eq!(site.balance(customer_account(1)), 0);
}

async fn the_day_after_a_registration_the_cap_is_lifted(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 2_000_000);
    site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let show = |amount| {
        let order = Order::Transfer(to_other_bank(amount, 330, jst::day(site.now())));
        let (bank, visitor) = (site.bank(), visitor.clone());
        async move {
            bank.show(&visitor, OrderKind::Transfer, Some(order))
                .await
                .unwrap()
                .err()
        }
    };
    let capped = Refusal::OverLimit {
        left: 100_000,
        caution: true,
    };
    assert_eq!(show(100_001).await, Some(capped));
    site.service.clock.advance(24 * 3600);
    assert_eq!(show(1_000_000).await, None);
    let over = Refusal::OverLimit {
        left: 1_000_000,
        caution: false,
    };
    assert_eq!(show(1_000_001).await, Some(over));
}

/// Shows an order and spends a code on it as its confirmation is going to, so that what is raced is the settling.
async fn spent(site: &BankSite, visitor: &Visitor, token: &Token, order: &Order) -> (Uid, Given) {
    let key = site.show(visitor, order).await;
    let code = site.code(token);
    let request = request_id(key, &order.digest(), 0);
    let link = OtpLink::InProcess {
        service: site.service.running(),
        party: site.service.bank,
    };
    let (id, typed) = (token.id.to_string().parse().unwrap(), code.to_string());
    let verdict = link
        .validate(&id, &typed, order.kind().word(), &request)
        .await
        .unwrap();
    assert_eq!(verdict, Verdict::Answer(ValidateAnswer::Accepted));
    site.next_code();
    let given = Given {
        code: Some(typed.into()),
        ..Given::default()
    };
    (key, given)
}

/// Eight transfers of this amount, and after them `more`, all with their codes spent, confirmed at once.
async fn raced(
    site: &BankSite,
    visitor: &Visitor,
    token: &Token,
    amount: i64,
    more: Option<Order>,
) -> Vec<Confirmed> {
    let transfer = Order::Transfer(to_other_bank(amount, 165, jst::day(site.now())));
    let mut ready = Vec::new();
    for order in std::iter::repeat_n(transfer, 8).chain(more) {
        ready.push((order.kind(), spent(site, visitor, token, &order).await));
    }
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(kind, (key, given))| {
            let (bank, visitor) = (site.bank(), visitor.clone());
            tokio::spawn(async move { bank.confirm(&visitor, kind, key, given).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn count(answers: &[Confirmed], wanted: impl Fn(&Confirmed) -> bool) -> usize {
    answers.iter().filter(|answer| wanted(answer)).count()
}

async fn of_eight_transfers_at_once_as_many_go_as_the_balance_bears(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 50_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let answers = raced(&site, &visitor, &token, 10_000, None).await;
    assert_eq!(count(&answers, |it| matches!(it, Confirmed::Done(..))), 4);
    let short = Confirmed::Refused(Refusal::ShortOfFunds);
    assert_eq!(count(&answers, |it| *it == short), 4, "{answers:?}");
    assert_eq!(site.balance(customer_account(1)), 50_000 - 4 * 10_165);
    assert!(site.verify().is_clean());
}

async fn of_eight_transfers_at_once_as_many_go_as_the_days_limit_bears(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 1_000_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    // The cap of the first day: 100,000 yen.
    let answers = raced(&site, &visitor, &token, 15_000, None).await;
    assert_eq!(count(&answers, |it| matches!(it, Confirmed::Done(..))), 6);
    let over = Confirmed::Refused(Refusal::OverLimit {
        left: 10_000,
        caution: true,
    });
    assert_eq!(count(&answers, |it| *it == over), 2, "{answers:?}");
    assert!(site.verify().is_clean());
}

async fn a_limit_that_is_lowered_among_transfers_holds_for_those_that_follow(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 1_000_000);
    let token = site.registered(contract).await;
    site.service.clock.advance(25 * 3600);
    let visitor = site.visitor(contract, Stage::Full);
    let lower = Some(Order::LimitChange { to: 45_000 });
    let answers = raced(&site, &visitor, &token, 15_000, lower).await;
    assert!(matches!(answers[8], Confirmed::Done(..)), "{answers:?}");
    // The trail tells in which order they went.
    let before = site.place.count(
        "SELECT COUNT(*) FROM contract_events WHERE word = 'transfer-sent' AND sequence <
         (SELECT sequence FROM contract_events WHERE word = 'limit-changed')",
    );
    let after = site.place.count(
        "SELECT COUNT(*) FROM contract_events WHERE word = 'transfer-sent' AND sequence >
         (SELECT sequence FROM contract_events WHERE word = 'limit-changed')",
    );
    assert_eq!(after, (3 - before).max(0), "{before} before it");
    let done = count(&answers, |it| matches!(it, Confirmed::Done(..)));
    assert_eq!(i64::try_from(done).unwrap() - 1, before + after);
    assert!(site.verify().is_clean());
}
