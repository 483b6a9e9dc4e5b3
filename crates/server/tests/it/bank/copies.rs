//! Copies of the bank over one PostgreSQL: none has anything that another would miss.

use warifu::bank::{Caller, Confirmed, Given, SignIn};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::Stage;

use super::sign_in::{PASSWORD, caller};
use super::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, customer_account, run};

#[test]
fn who_signs_in_at_one_copy_transfers_at_the_second_and_is_settled_by_the_third() {
    run(async {
        let site = BankSite::new(Engine::Postgres).await;
        let contract = site.with_password("12345678901", 1, None).await;
        let token = site.registered(contract).await;
        let (second, third) = (site.another_copy().await, site.another_copy().await);
        let begun = site
            .bank()
            .sign_in(&contract.to_string(), PASSWORD, None, &caller())
            .await
            .unwrap();
        let SignIn::Begun { secret, stage, .. } = begun else {
            panic!("{begun:?}");
        };
        assert_eq!(stage, Stage::AwaitingCode);
        let address = &caller().address;
        let half = second.visitor(&secret, address).await.unwrap().unwrap();
        let key = second.show_sign_in(&half).await.unwrap().unwrap();
        let code = Some(site.code(&token).to_string().into());
        let (done, full) = third
            .confirm_sign_in(&half, &secret, key, code, caller().browser)
            .await
            .unwrap();
        assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
        let secret = full.unwrap();
        let visitor = second.visitor(&secret, address).await.unwrap().unwrap();
        site.next_code();
        let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
        let kind = OrderKind::Transfer;
        let key = second.show(&visitor, kind, Some(order)).await.unwrap();
        let key = key.unwrap().key;
        let code = site.code(&token).to_string();
        let mut answers = Vec::new();
        for bank in [&third, &site.bank(), &second] {
            let given = Given {
                code: Some(code.clone().into()),
                ..Given::default()
            };
            answers.push(bank.confirm(&visitor, kind, key, given).await.unwrap());
        }
        assert!(matches!(answers[0], Confirmed::Done(..)), "{answers:?}");
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(site.balance(customer_account(1)), -1_165 + site_yen());
        assert!(site.verify().is_clean());
    });
}
