//! B8, B10, B18, M2–M4: transfers.

use jiff::civil::Date;
use warifu::bank::{Confirmed, Given};
use warifu_bank::account::{AccountKind, FEES, OTHER_BANKS};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::session::Stage;
use warifu_bank::transfer::{Payee, TransferOrder};

use crate::harness::{BankSite, Engine, customer_account};

both_engines!(
    a_transfer_moves_amount_and_fee_once_however_often_it_is_sent,
    a_transfer_inside_the_bank_arrives,
    a_code_for_one_transfer_confirms_no_other_and_not_the_same_with_one_yen_more,
    the_code_of_the_login_is_refused_at_a_transfer_with_the_seconds_to_wait,
    without_a_registered_token_no_transfer_is_shown,
    a_transfer_beyond_the_balance_or_the_limit_is_refused_before_a_code_is_spent,
    the_day_after_a_registration_the_cap_is_lifted,
    thirty_two_transfers_at_once_never_pass_the_balance_or_the_limit,
);

pub(super) fn to_other_bank(amount: i64, fee: i64, date: Date) -> TransferOrder {
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

async fn thirty_two_transfers_at_once_never_pass_the_balance_or_the_limit(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 1_000_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let today = jst::day(site.now());
    let mut keys = Vec::new();
    // Each with a code of its own, spent beforehand: what is raced is the settling.
    for _ in 0..32 {
        let order = Order::Transfer(to_other_bank(20_000, 165, today));
        keys.push(site.show(&visitor, &order).await);
    }
    let codes: Vec<_> = (-8..=0)
        .map(|offset| token.code(site.service.step().offset(offset)))
        .collect();
    let tasks: Vec<_> = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| {
            let code = codes[index % codes.len()].clone();
            let (bank, visitor) = (site.bank(), visitor.clone());
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
    let mut done = 0;
    for task in tasks {
        done += i64::from(matches!(task.await.unwrap(), Confirmed::Done(..)));
    }
    // One window of three steps: at most two more codes than the newest can be right, whoever comes first.
    assert!((1..=3).contains(&done), "{done}");
    assert_eq!(site.balance(customer_account(1)), 1_000_000 - done * 20_165);
    assert_eq!(
        site.place
            .count("SELECT COUNT(*) FROM journals WHERE kind = 2"),
        done
    );
}
