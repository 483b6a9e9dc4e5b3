//! Copies of the bank over one PostgreSQL: none has anything that another would miss.

use warifu::bank::{Confirmed, Given, SignIn};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::Stage;
use zeroize::Zeroizing;

use super::sign_in::{PASSWORD, caller};
use super::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, customer_account, run};

#[test]
fn who_signs_in_at_one_copy_transfers_at_the_second_and_is_settled_by_the_third() {
    run(async {
        let site = BankSite::new(Engine::Postgres).await;
        let contract = site.contract("12345678901", 1, 100_000);
        site.give_password(contract, None).await;
        let token = site.registered(contract).await;
        let (first, id) = (site.bank(), contract.to_string());
        let (second, third) = (site.another_copy().await, site.another_copy().await);
        let begun = first.sign_in(&id, PASSWORD, None, &caller()).await.unwrap();
        let SignIn::Begun(half_secret, Stage::AwaitingCode) = begun else {
            panic!("{begun:?}");
        };
        let address = caller().address;
        let half = second.visitor(&half_secret, &address).await.unwrap();
        let half = half.unwrap();
        let key = second.show_sign_in(&half).await.unwrap().unwrap();
        let code = Some(Zeroizing::new(site.code(&token).to_string()));
        let (done, full) = third
            .confirm_sign_in(&half, &half_secret, key, code, caller().browser)
            .await
            .unwrap();
        assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
        let visitor = second.visitor(&full.unwrap(), &address).await.unwrap();
        let visitor = visitor.unwrap();
        site.next_code();
        let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
        let kind = OrderKind::Transfer;
        let shown = second.show(&visitor, kind, Some(order)).await.unwrap();
        let key = shown.unwrap().key;
        let code = site.code(&token).to_string();
        let mut answers = Vec::new();
        for bank in [&third, &first, &second] {
            let given = Given {
                code: Some(code.clone().into()),
                ..Given::default()
            };
            answers.push(bank.confirm(&visitor, kind, key, given).await.unwrap());
        }
        assert!(matches!(answers[0], Confirmed::Done(..)), "{answers:?}");
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(site.balance(customer_account(1)), 98_835);
        assert!(site.verify().is_clean());
    });
}

#[test]
fn wrong_passwords_are_counted_together_over_three_copies() {
    run(async {
        let site = BankSite::new(Engine::Postgres).await;
        let id = site.with_password("12345678901", 1, None).await.to_string();
        let copies = [
            site.bank(),
            site.another_copy().await,
            site.another_copy().await,
        ];
        let (mut looked_at, mut waits) = (0, 0);
        for number in 0..9 {
            let password = format!("wrong password {number}");
            let caller = caller();
            let tried = copies[number % 3].sign_in(&id, &password, None, &caller);
            match tried.await.unwrap() {
                SignIn::Wrong => looked_at += 1,
                SignIn::Wait(_) => waits += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((looked_at, waits), (5, 4));
    });
}

#[test]
fn what_is_due_is_sent_once_by_three_copies() {
    run(async {
        let site = BankSite::new(Engine::Postgres).await;
        let contract = site.contract("12345678901", 1, 1_000_000);
        let token = site.registered(contract).await;
        // The day after a registration has a cap of its own.
        site.service.clock.advance(25 * 3600);
        let visitor = site.visitor(contract, Stage::Full);
        let tomorrow = jst::next_day(jst::day(site.now())).unwrap();
        for amount in 1..=6 {
            let order = Order::Transfer(to_other_bank(amount * 1_000, 165, tomorrow));
            let key = site.show(&visitor, &order).await;
            let code = Some(site.code(&token));
            let done = site.confirm(&visitor, order.kind(), key, code).await;
            assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
            site.next_code();
        }
        site.service.clock.set(jst::start_of(tomorrow).unwrap());
        let copies = [
            site.bank(),
            site.another_copy().await,
            site.another_copy().await,
        ];
        let sending = copies.map(|bank| tokio::spawn(async move { bank.send_due().await }));
        let mut sent = 0;
        for copy in sending {
            sent += copy.await.unwrap().unwrap();
        }
        assert_eq!(sent, 6);
        let journals = "SELECT COUNT(*) FROM journals WHERE kind = 2";
        assert_eq!(site.place.count(journals), 6);
        assert!(site.verify().is_clean());
    });
}
